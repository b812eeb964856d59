import fs from 'node:fs';
import { join } from 'node:path';
import type { LockFile } from '../../common/lock-file.ts';
import type { Logger } from '../../common/logger.ts';
import { LogError } from '../log.ts';
import { cleanEndPath, readCleanEnd, removeCleanEnd, writeCleanEnd } from './clean-end.ts';
import { lockSegment } from './directory-lock.ts';
import type { FormatVersion, Frame, SegmentBytes } from './frame.ts';
import { MAGIC_BYTES, versionOf } from './frame.ts';
import type { LogState } from './log-state.ts';
import {
  advice,
  damaged,
  missing,
  openSegment,
  readExactly,
  reservedSize,
  sealOf,
  segmentNumbers,
  segmentPath,
} from './segment.ts';
import type { Segment } from './segment.ts';
import { indexNumbers, indexPathOf, readIndex, ROW_FIELDS, rowsOf, writeIndex } from './segment-index.ts';
import { endOfContent, isUnfinished, scanSegment } from './segment-scan.ts';
import type { SegmentScan } from './segment-scan.ts';
import type { SegmentSeal } from './change.ts';

export interface JournalDirectory {
  readonly directory: string;
  /** The lock on the directory. */
  readonly lock: LockFile;
  readonly logger: Logger;
}

export interface LoadedJournal {
  readonly closed: Segment[];
  readonly active: Segment;
  /** The rows of the index that the active segment will get. */
  readonly rows: number[];
  /** The format of the active segment. */
  readonly version: FormatVersion;
}

/**
 * Fills `state` (fresh) from the journal in a directory; null when there is none. Throws `LogError` `corrupt`, and then
 * has changed nothing on disk, unless every file is the one that was written and every offset that the state has belongs
 * to a batch. What may be missing is an unfinished last write (see `isUnfinished`): it is put aside, and that is logged.
 */
export function loadJournal(
  { directory, lock, logger }: JournalDirectory,
  state: LogState,
): LoadedJournal | null {
  const names = fs.readdirSync(directory);
  const numbers = segmentNumbers(names);
  const end = readCleanEnd(directory);
  checkNewest(directory, names, numbers.at(-1) ?? 0, end);
  const last = numbers.pop();
  if (last === undefined) return null;

  const open = new Map<number, Segment>();
  try {
    for (const number of [...numbers, last]) open.set(number, openSegment(directory, number));
    const active = open.get(last)!;
    lockSegment(lock, directory, active);
    const scan = scanSegment(active);
    checkEnd(active, scan, end);
    const { frames, fault } = scan;
    active.sizeBytes = scan.end;
    const seals = sealsIn(frames);
    const closed =
      seals === undefined ? numbers.map((number) => open.get(number)!) : sealed(directory, open, seals);
    const remade = new Map<Segment, readonly number[]>();
    frames.forEach(({ operations, position }, i) => {
      state.apply({ operations, batches: [] }, active, position);
      // The snapshot has said what there is: now come the batches of before it.
      if (i === 0) for (const segment of closed) addBatches(state, segment, remade);
    });
    checkComplete(directory, state);

    if (fault !== null) putTailAside(directory, active, scan.segment, logger);
    for (const [segment, rows] of remade) writeIndex(segment, rows);
    removeLeftovers(directory, names, open, [...closed, active]);
    if (scan.segment.version === 2) fs.ftruncateSync(active.fd, reservedSize(scan.end));
    removeCleanEnd(directory);
    return { closed, active, rows: rowsOf(frames), version: scan.segment.version };
  } catch (error) {
    for (const { fd } of open.values()) fs.closeSync(fd);
    throw error;
  }
}

type CleanEnd = ReturnType<typeof readCleanEnd>;

function isSeal(end: CleanEnd): end is SegmentSeal {
  return typeof end === 'object';
}

/** Closing a segment begins the next one, so a closed one is never the newest. */
function checkNewest(directory: string, names: readonly string[], newest: number, end: CleanEnd): void {
  if (end === 'unreadable')
    throw damaged(cleanEndPath(directory), 0, 'what it says of the end of the journal cannot be read');
  const closed = Math.max(0, ...indexNumbers(names));
  if (closed >= newest && closed > 0)
    throw missing(segmentPath(directory, closed + 1), `the segment before it, ${closed}, was closed`);
  if (isSeal(end) && end[0] > newest)
    throw missing(segmentPath(directory, end[0]), 'it was the newest one when the log was closed');
}

/** The newest segment must be whole, except for an unfinished last write of a process that did not close it. */
function checkEnd({ path, number, sizeBytes }: Segment, scan: SegmentScan, end: CleanEnd): void {
  const { fault, frames, segment } = scan;
  const closedAt = isSeal(end) && end[0] === number ? end[1] : null;
  if (closedAt !== null && sizeBytes < closedAt)
    throw damaged(path, sizeBytes, `it had ${closedAt} bytes when the log was closed and ends here`);
  if (frames.length === 0) throw damaged(path, scan.end, fault?.what ?? 'it has no frame');
  if (frames[0]!.operations[0]?.op !== 'state')
    throw damaged(path, MAGIC_BYTES, 'its first frame is no snapshot');
  if (closedAt !== null && scan.end < closedAt)
    throw damaged(
      path,
      scan.end,
      fault?.what ?? `there are zeros, and ${closedAt} bytes when the log was closed`,
    );
  // A note of the end that lies before it is of an earlier time.
  const isOpen = scan.end !== closedAt;
  if (isOpen && segment.version === 2 && sizeBytes !== reservedSize(sizeBytes))
    throw damaged(path, sizeBytes, 'it was cut here: a file that is not closed has a whole number of 64 KiB');
  if (fault !== null && !isUnfinished(scan)) throw damaged(path, scan.end, fault.what);
}

/** The seals of the closed segments as the newest one knows them last; undefined where its format has none. */
function sealsIn(frames: readonly Frame[]): readonly SegmentSeal[] | undefined {
  let seals: readonly SegmentSeal[] | undefined;
  for (const { operations } of frames)
    for (const operation of operations) if (operation.op === 'state') seals = operation.closed ?? seals;
  return seals;
}

function sealed(
  directory: string,
  open: ReadonlyMap<number, Segment>,
  seals: readonly SegmentSeal[],
): Segment[] {
  return seals.map(([number, sizeBytes, lastBytes]) => {
    const segment = open.get(number);
    if (segment === undefined) throw missing(segmentPath(directory, number), 'the newest one names it');
    const { path } = segment;
    if (segment.sizeBytes < sizeBytes)
      throw damaged(path, segment.sizeBytes, `it ends here and was closed with ${sizeBytes} bytes`);
    if (segment.sizeBytes > sizeBytes) {
      // The process may have died before it gave the reserve back.
      if (!isZeros(segment, sizeBytes))
        throw damaged(path, sizeBytes, `it was closed here and has ${segment.sizeBytes} bytes`);
      segment.sizeBytes = sizeBytes;
    }
    if (sealOf(segment)[2] !== lastBytes)
      throw damaged(path, sizeBytes - 4, 'it does not end in the bytes that it was closed with');
    return segment;
  });
}

function isZeros(segment: Segment, start: number): boolean {
  return endOfContent(readExactly(segment, start, segment.sizeBytes - start), 0) === 0;
}

function addBatches(state: LogState, segment: Segment, remade: Map<Segment, readonly number[]>): void {
  if (versionOf(readExactly(segment, 0, Math.min(MAGIC_BYTES, segment.sizeBytes))) === undefined)
    throw damaged(segment.path, 0, 'it does not begin as a journal file does');
  let rows: Float64Array | readonly number[] | undefined = readIndex(segment);
  if (rows === undefined) {
    const { frames, end, fault } = scanSegment(segment);
    if (fault !== null) throw damaged(segment.path, end, fault.what);
    remade.set(segment, (rows = rowsOf(frames)));
  }
  for (let i = 0; i < rows.length; i += ROW_FIELDS) {
    const partition = state.topicById(rows[i]!)?.partitions[rows[i + 1]!];
    const lastOffset = rows[i + 3]!;
    if (partition === undefined || lastOffset < partition.start) continue;
    partition.add({
      baseOffset: rows[i + 2]!,
      lastOffset,
      maxTimestamp: rows[i + 4]!,
      sizeBytes: rows[i + 5]!,
      bytes: null,
      segment,
      position: rows[i + 6]!,
    });
  }
}

/** Each offset from a partition's start to its next one belongs to a batch, or a file is missing that had it. */
function checkComplete(directory: string, state: LogState): void {
  for (const { name: topic, partitions } of state.topics.values())
    for (const log of partitions)
      for (const { from, to } of log.holes())
        throw new LogError(
          'corrupt',
          `the journal in ${directory} has no batch of offsets ${from} to ${to - 1} of ${topic}-${log.partition}: ` +
            `a file of it is missing or of another time; ${advice(directory)}`,
          { topic, partition: log.partition, offset: from },
        );
}

/** Moves an unfinished write, which was never acknowledged, to a file of its own, and logs that. */
function putTailAside(
  directory: string,
  segment: Segment,
  { bytes, version }: SegmentBytes,
  logger: Logger,
): void {
  const start = segment.sizeBytes;
  const end = endOfContent(bytes, start);
  let kept = `${segment.path}.unfinished-${start}`;
  for (let i = 2; fs.existsSync(kept); i++) kept = `${segment.path}.unfinished-${start}-${i}`;
  if (end > start) fs.writeFileSync(kept, bytes.subarray(start, end));
  logger.warn(
    {
      file: segment.path,
      position: start,
      bytes: (version === 2 ? end : bytes.length) - start,
      kept: end > start ? kept : 'nothing: all of it is zeros',
    },
    'the journal ends in an unfinished write, which was put aside',
  );
  // It holds until a reserve is written again.
  writeCleanEnd(directory, segment);
  fs.ftruncateSync(segment.fd, start);
}

/** Files that the process before began, or had no time to delete. */
function removeLeftovers(
  directory: string,
  names: readonly string[],
  open: Map<number, Segment>,
  wanted: readonly Segment[],
): void {
  const numbers = new Set(wanted.map(({ number }) => number));
  const dead = [...open.values()].filter(({ number }) => !numbers.has(number));
  // The record that they are dead must be on disk before they go.
  if (dead.length > 0) fs.fdatasyncSync(wanted.at(-1)!.fd);
  for (const { fd, number, path } of dead) {
    open.delete(number);
    fs.closeSync(fd);
    fs.rmSync(path, { force: true });
  }
  for (const number of indexNumbers(names))
    if (!numbers.has(number)) fs.rmSync(indexPathOf(segmentPath(directory, number)), { force: true });
  for (const name of names) if (name.endsWith('.tmp')) fs.rmSync(join(directory, name), { force: true });
}
