import fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import type { Logger } from '../../common/logger.ts';
import { LogError } from '../log.ts';
import type { Change, LogState, Operation, StateSnapshot } from './log-state.ts';
import { readFully } from './segment.ts';
import type { Segment } from './segment.ts';
import { indexPathOf, readIndex, ROW_FIELDS, writeIndex } from './segment-index.ts';

export interface JournalOptions {
  readonly directory: string;
  readonly logger: Logger;
  /** A segment that has grown to this is closed. */
  readonly segmentBytesMax: number;
  /** Whether a write is on the disk, not only with the operating system, before it is acknowledged. */
  readonly sync: boolean;
}

/** Where a change was written: its first batch begins at `position`. */
export interface JournalPlace {
  readonly segment: Segment;
  readonly position: number;
}

/** Every segment begins with it: a name and the version of the format. */
const MAGIC = Buffer.from('MLRJRNL1', 'latin1');
/** length, CRC */
const FRAME_HEAD_BYTES = 8;
/** The payload begins with the size of its operations. */
const OPERATIONS_SIZE_BYTES = 4;

/** What is moved is written once more: at most this part of what was written is written again. */
const SPARSE_PART = 0.25;

const writev = promisify(fs.writev);
const datasync = promisify(fs.fdatasync);

/**
 * The log on disk: segments `00000001.log`, … of frames `[u32 length][u32 crc32][payload]`, big-endian. A frame
 * is one change, whole or not there. Its payload is `[u32 size][operations as JSON][the batches, behind each other]`.
 *
 * A segment's first frame is a snapshot of everything but the batches. So old segments matter only for their
 * batches, whose places an index file lists, and one that has none left can be deleted wherever it stands.
 * Opening reads the indexes and the last segment.
 *
 * Frames carry CRC-32 and not CRC-32C because Node has it in native code.
 */
export class Journal {
  readonly #options: JournalOptions;
  #closed: Segment[];
  #active: Segment;
  /** What the active segment's index will be. */
  #rows: number[];
  #broken: LogError | null = null;

  private constructor(options: JournalOptions, closed: Segment[], active: Segment, rows: number[]) {
    this.#options = options;
    this.#closed = closed;
    this.#active = active;
    this.#rows = rows;
  }

  /** Opens the journal in a directory that exists and is locked, and fills `state` (fresh) from it. */
  static open(options: JournalOptions, state: LogState): Journal {
    const { directory } = options;
    const names = fs.readdirSync(directory);
    for (const name of names) if (name.endsWith('.tmp')) fs.rmSync(join(directory, name), { force: true });
    const numbers = names
      .filter((name) => /^\d{8}\.log$/.test(name))
      .map((name) => Number.parseInt(name, 10))
      .sort((a, b) => a - b);
    const last = numbers.pop();
    if (last === undefined) return new Journal(options, [], createSegment(options, 1, state.snapshot()), []);

    const segments: Segment[] = [];
    try {
      const closed = numbers.map((number) => openSegment(directory, number));
      segments.push(...closed);
      const active = openSegment(directory, last);
      segments.push(active);
      const frames = scan(active, options.logger, true);
      const rows: number[] = [];
      frames.forEach(({ operations, position }, i) => {
        state.apply({ operations, batches: [] }, active, position);
        pushRows(rows, operations, position);
        // The snapshot has said what there is: now come the batches of before it.
        if (i === 0) for (const segment of closed) loadBatches(state, segment, options.logger);
      });
      return new Journal(options, closed, active, rows);
    } catch (error) {
      for (const { fd } of segments) fs.closeSync(fd);
      throw error;
    }
  }

  /** Whether `roll` is due. */
  get isFull(): boolean {
    return this.#active.sizeBytes >= this.#options.segmentBytesMax;
  }

  /** Whether `reclaim` would free anything. */
  get hasDeadSegments(): boolean {
    return this.#closed.some(({ liveBatches }) => liveBatches === 0);
  }

  /** A closed segment of which so little is left that what there is should move, so that it can be deleted. */
  get sparseSegment(): Segment | undefined {
    return this.#closed.find(
      ({ liveBatches, liveBytes, sizeBytes }) => liveBatches > 0 && liveBytes < sizeBytes * SPARSE_PART,
    );
  }

  /**
   * Writes a change. One at a time. When it rejects (`LogError` `unavailable`), nothing of the change is there,
   * and the journal goes on if what was written could be taken back.
   */
  async append(change: Change): Promise<JournalPlace> {
    if (this.#broken !== null) throw this.#broken;
    const segment = this.#active;
    const start = segment.sizeBytes;
    const frame = frameOf(change);
    const size = frame.reduce((sum, { length }) => sum + length, 0);
    try {
      await this.#write(segment.fd, frame, start, size);
      if (this.#options.sync) await datasync(segment.fd);
    } catch (error) {
      throw this.#takeBack(segment, start, error as Error);
    }
    segment.sizeBytes = start + size;
    const position = start + frame[0]!.length;
    pushRows(this.#rows, change.operations, position);
    return { segment, position };
  }

  /** Closes the active segment and begins the next. */
  roll(snapshot: StateSnapshot): void {
    const closed = this.#active;
    const next = createSegment(this.#options, closed.number + 1, snapshot);
    const rows = this.#rows;
    this.#closed.push(closed);
    this.#active = next;
    this.#rows = [];
    writeIndex(closed, rows);
  }

  /** Deletes closed segments that no batch is left of. `snapshot` must be of now: it is what remembers that. */
  async reclaim(snapshot: StateSnapshot): Promise<void> {
    const dead = this.#closed.filter(({ liveBatches }) => liveBatches === 0);
    await this.append({ operations: [{ op: 'state', state: snapshot }], batches: [] });
    this.#closed = this.#closed.filter((segment) => !dead.includes(segment));
    for (const segment of dead) {
      fs.closeSync(segment.fd);
      fs.rmSync(segment.path, { force: true });
      fs.rmSync(indexPathOf(segment.path), { force: true });
    }
  }

  close(): void {
    for (const { fd } of [...this.#closed, this.#active]) fs.closeSync(fd);
    this.#broken = new LogError('closed', 'the log is closed');
  }

  async #write(fd: number, parts: readonly Buffer[], position: number, size: number): Promise<void> {
    let rest = parts;
    for (let written = 0; written < size;) {
      const { bytesWritten } = await writev(fd, rest, position + written);
      if (bytesWritten === 0) throw new Error('nothing could be written');
      written += bytesWritten;
      if (written < size) rest = after(rest, bytesWritten);
    }
  }

  /** A half-written frame in the middle would hide all that comes behind it from the next open. */
  #takeBack(segment: Segment, start: number, cause: Error): LogError {
    const message = `the journal in ${this.#options.directory} cannot be written (${cause.message})`;
    const error = new LogError('unavailable', `${message}: free space or repair the disk`);
    try {
      fs.ftruncateSync(segment.fd, start);
    } catch {
      this.#broken = error;
    }
    return error;
  }
}

interface Frame {
  readonly operations: readonly Operation[];
  /** Where its batches begin. */
  readonly position: number;
}

/** The parts of a frame; the batches begin behind the first. */
function frameOf(change: Change): Buffer[] {
  const operations = JSON.stringify(change.operations);
  const size = Buffer.byteLength(operations);
  const head = Buffer.allocUnsafe(FRAME_HEAD_BYTES + OPERATIONS_SIZE_BYTES + size);
  const length = change.batches.reduce((sum, batch) => sum + batch.length, OPERATIONS_SIZE_BYTES + size);
  head.writeUInt32BE(length, 0);
  head.writeUInt32BE(size, FRAME_HEAD_BYTES);
  head.write(operations, FRAME_HEAD_BYTES + OPERATIONS_SIZE_BYTES);
  let crc = crc32(head.subarray(FRAME_HEAD_BYTES));
  for (const batch of change.batches) crc = crc32(batch, crc);
  head.writeUInt32BE(crc, 4);
  return [head, ...change.batches];
}

function after(parts: readonly Buffer[], count: number): Buffer[] {
  const rest = [...parts];
  while (rest.length > 0 && count >= rest[0]!.length) count -= rest.shift()!.length;
  if (rest.length > 0) rest[0] = rest[0]!.subarray(count);
  return rest;
}

function nameOf(number: number): string {
  return `${String(number).padStart(8, '0')}.log`;
}

function openSegment(directory: string, number: number): Segment {
  const path = join(directory, nameOf(number));
  const fd = fs.openSync(path, 'r+');
  return { number, path, fd, sizeBytes: fs.fstatSync(fd).size, liveBatches: 0, liveBytes: 0 };
}

/** The file appears under its name when its first frame is on the disk, so that every segment has a whole one. */
function createSegment(options: JournalOptions, number: number, snapshot: StateSnapshot): Segment {
  const path = join(options.directory, nameOf(number));
  const bytes = Buffer.concat([
    MAGIC,
    ...frameOf({ operations: [{ op: 'state', state: snapshot }], batches: [] }),
  ]);
  const fd = fs.openSync(`${path}.tmp`, 'w+');
  try {
    fs.writeSync(fd, bytes, 0, bytes.length, 0);
    fs.fsyncSync(fd);
    fs.renameSync(`${path}.tmp`, path);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  return { number, path, fd, sizeBytes: bytes.length, liveBatches: 0, liveBytes: 0 };
}

/**
 * The frames of a segment. In the `last` one a damaged frame and all behind it is dropped: that is what a process
 * or machine leaves that died while writing. Anywhere else it is damage that nobody may pass over.
 */
function scan(segment: Segment, logger: Logger, last: boolean): Frame[] {
  const bytes = Buffer.allocUnsafeSlow(segment.sizeBytes);
  const size = readFully(segment.fd, bytes, 0);
  if (size < MAGIC.length || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw new LogError('corrupt', `${segment.path} is not a journal of this version`);
  const frames: Frame[] = [];
  let at = MAGIC.length;
  while (at < size) {
    const end = at + FRAME_HEAD_BYTES <= size ? at + FRAME_HEAD_BYTES + bytes.readUInt32BE(at) : Infinity;
    const frame = end <= size ? readFrame(bytes, at, end) : null;
    if (frame === null) {
      if (!last || frames.length === 0)
        throw new LogError('corrupt', `${segment.path} is damaged at byte ${at}: restore it from a copy`);
      dropTail(segment, bytes.subarray(at, size), at, end < size, logger);
      break;
    }
    frames.push(frame);
    at = end;
  }
  return frames;
}

function readFrame(bytes: Buffer, at: number, end: number): Frame | null {
  const start = at + FRAME_HEAD_BYTES;
  if (end - start < OPERATIONS_SIZE_BYTES) return null;
  if (crc32(bytes.subarray(start, end)) !== bytes.readUInt32BE(at + 4)) return null;
  const operationsStart = start + OPERATIONS_SIZE_BYTES;
  const position = operationsStart + bytes.readUInt32BE(start);
  return { operations: JSON.parse(bytes.toString('utf8', operationsStart, position)), position };
}

function dropTail(segment: Segment, tail: Buffer, at: number, more: boolean, logger: Logger): void {
  const fields = { file: segment.path, position: at, bytes: tail.length };
  if (more) {
    // More than a write that did not finish: keep it for whoever wants to look.
    const kept = `${segment.path}.damaged-${at}`;
    fs.writeFileSync(kept, tail);
    logger.error({ ...fields, kept }, 'the journal is damaged; what comes behind the damage was put aside');
  } else {
    logger.warn(fields, 'the journal ends in an unfinished write, which was dropped');
  }
  fs.ftruncateSync(segment.fd, at);
  segment.sizeBytes = at;
}

function pushRows(rows: number[], operations: readonly Operation[], position: number): void {
  for (const operation of operations) {
    if (operation.op !== 'append') continue;
    const { id, partition, base, last, max, size } = operation;
    rows.push(id, partition, base, last, max, size, position);
    position += size;
  }
}

function loadBatches(state: LogState, segment: Segment, logger: Logger): void {
  let rows = readIndex(segment);
  if (rows === undefined) {
    // The process ended between closing the segment and writing its index.
    const found: number[] = [];
    for (const { operations, position } of scan(segment, logger, false))
      pushRows(found, operations, position);
    rows = Float64Array.from(found);
    writeIndex(segment, found);
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
