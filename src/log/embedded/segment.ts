import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { LogError } from '../log.ts';
import { encodeFrame, MAGIC } from './frame.ts';
import type { SegmentSeal, Change } from './change.ts';

/** A journal file that is open. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  readonly fd: number;
  /** The end of its last whole frame. Behind it may be zeros that are reserved. */
  sizeBytes: number;
  /** Batches in it that can still be read. A closed segment without any is deleted. */
  liveBatches: number;
  /** Their bytes. Where little is left, it is moved so that the file can go. */
  liveBytes: number;
  /** Set when a batch in it was found damaged: what it holds stays where it is. */
  damaged: boolean;
}

const NAME = /^(\d{8,})\.log$/;
const SEAL_BYTES = 4;

/** The newest file grows by this, and then by what is written into it. */
const RESERVE_BYTES = 64 * 1024;

/**
 * The size that the newest file has while a process has it, when its frames end at `end`: a whole number of steps, the
 * rest zeros. A file of another size was cut, wherever that was.
 */
export function reservedSize(end: number): number {
  return Math.ceil(end / RESERVE_BYTES) * RESERVE_BYTES;
}

export function segmentPath(directory: string, number: number): string {
  return join(directory, `${String(number).padStart(8, '0')}.log`);
}

/** The numbers of the segments among `names`, in order. */
export function segmentNumbers(names: readonly string[]): number[] {
  return names
    .map((name) => NAME.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

export function openSegment(directory: string, number: number): Segment {
  const path = segmentPath(directory, number);
  const fd = fs.openSync(path, 'r+');
  return segmentOf(number, path, fd, fs.fstatSync(fd).size);
}

/**
 * A new segment that holds `changes`, of which the first is a snapshot. The file appears under its name when they are on the disk, so that every segment
 * has a whole first frame, and with reserve behind them.
 */
export function createSegment(directory: string, number: number, changes: Iterable<Change>): Segment {
  const path = segmentPath(directory, number);
  const fd = fs.openSync(`${path}.tmp`, 'w+');
  try {
    let size = fs.writeSync(fd, MAGIC, 0, MAGIC.length, 0);
    for (const change of changes)
      for (const part of encodeFrame(change, number, size)) size += writeFully(fd, part, size);
    fs.ftruncateSync(fd, reservedSize(size));
    fs.fsyncSync(fd);
    fs.renameSync(`${path}.tmp`, path);
    syncDirectory(directory);
    return segmentOf(number, path, fd, size);
  } catch (error) {
    fs.closeSync(fd);
    // Left behind, it would be taken for the newest segment at the next open, while the one before it goes on growing.
    for (const left of [path, `${path}.tmp`]) fs.rmSync(left, { force: true });
    throw error;
  }
}

function segmentOf(number: number, path: string, fd: number, sizeBytes: number): Segment {
  return { number, path, fd, sizeBytes, liveBatches: 0, liveBytes: 0, damaged: false };
}

export function sealOf({ number, fd, sizeBytes }: Segment): SegmentSeal {
  const last = Buffer.alloc(SEAL_BYTES);
  readFully(fd, last, Math.max(0, sizeBytes - SEAL_BYTES));
  return [number, sizeBytes, last.readUInt32BE(0)];
}

/** Puts on the disk which files a directory has. */
export function syncDirectory(directory: string): void {
  const fd = fs.openSync(directory, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Fills `target` from `position`, as far as the file goes; returns the bytes read. Synchronous: from the page
 * cache that is quicker than a trip through the thread pool, and a segment cannot go away meanwhile.
 */
export function readFully(fd: number, target: Buffer, position: number): number {
  let done = 0;
  while (done < target.length) {
    const read = fs.readSync(fd, target, done, target.length - done, position + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}

/** Exactly `sizeBytes` bytes. Throws `LogError` `corrupt` when the file is shorter or the disk cannot read them. */
export function readExactly(segment: Segment, position: number, sizeBytes: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  let read: number;
  try {
    read = readFully(segment.fd, bytes, position);
  } catch (error) {
    throw damaged(segment.path, position, `it cannot be read (${(error as Error).message})`);
  }
  if (read < sizeBytes) throw damaged(segment.path, position + read, 'it ends inside what was written there');
  return bytes;
}

/** The error for a damaged file of the journal: where, why and what to do. */
export function damaged(path: string, position: number, what: string): LogError {
  return new LogError(
    'corrupt',
    `the journal file ${path} is damaged at byte ${position}: ${what}; ${advice(dirname(path))}`,
  );
}

/** The error for a file of the journal that is missing. */
export function missing(path: string, why: string): LogError {
  return new LogError('corrupt', `the journal file ${path} is missing: ${why}; ${advice(dirname(path))}`);
}

/** How to go on with a damaged journal in `directory`. */
export function advice(directory: string): string {
  return (
    `nothing was changed. Restore the directory from a copy, or let "millrace repair ${directory} --dry-run" say ` +
    'what can be kept'
  );
}

function writeFully(fd: number, bytes: Buffer, position: number): number {
  let done = 0;
  while (done < bytes.length) done += fs.writeSync(fd, bytes, done, bytes.length - done, position + done);
  return done;
}
