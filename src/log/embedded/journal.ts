import fs from 'node:fs';
import { resolve } from 'node:path';
import { LogError } from '../log.ts';
import { lockSegment } from './directory-lock.ts';
import { removeCleanEnd, writeCleanEnd } from './clean-end.ts';
import { encodeFrame } from './frame.ts';
import { type JournalDirectory, loadJournal } from './load-journal.ts';
import type { LogState } from './log-state.ts';
import { createSegment, reservedSize, sealOf } from './segment.ts';
import type { Segment } from './segment.ts';
import { indexPathOf, pushRows, writeIndex } from './segment-index.ts';
import type { Change, StateSnapshot, SegmentSeal } from './change.ts';

export interface JournalOptions extends JournalDirectory {
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

/** A segment is sparse when less than this part of it is live: those batches are written again, so little is written twice. */
const SPARSE_PART = 0.25;

/** After these errors a write can be undone; any other leaves the file in an unknown state. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * The log on disk: segments `00000001.log`, … of frames (see `frame.ts`), each one change, whole or not there.
 *
 * A segment's first frame is a snapshot of everything but the batches, and names the segments before it. So old
 * segments matter only for their batches, whose places an index file lists, and one that has none left can be deleted
 * wherever it stands. Opening reads the indexes and the last segment.
 */
export class Journal {
  readonly #options: JournalOptions;
  #closed: Segment[];
  #active: Segment;
  /** The file that the active segment was opened as, to notice when another has its name. */
  #identity: fs.Stats;
  /** The rows of the index that the active segment will get. */
  #rows: number[];
  #broken: LogError | null = null;
  /** Resolves, never rejects, when the work that goes on beside appends has ended. */
  #background: Promise<void> = Promise.resolve();

  private constructor(options: JournalOptions, closed: Segment[], active: Segment, rows: number[]) {
    this.#options = options;
    this.#closed = closed;
    this.#active = active;
    this.#identity = fs.fstatSync(active.fd);
    this.#rows = rows;
  }

  /**
   * Opens the journal in a directory that exists and is locked, and fills `state` (fresh) from it. Throws `LogError`
   * `corrupt`: see `loadJournal`.
   */
  static open(given: JournalOptions, state: LogState): Journal {
    const options = { ...given, directory: resolve(given.directory) };
    const loaded = loadJournal(options, state);
    if (loaded === null)
      return new Journal(options, [], beginSegment(options, 1, snapshotChange(state.snapshot(), [])), []);
    const journal = new Journal(options, loaded.closed, loaded.active, loaded.rows);
    // A file has frames of one version.
    if (loaded.version === 1) journal.#beginVersion2(state.snapshot());
    return journal;
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
      ({ liveBatches, liveBytes, sizeBytes, damaged }) =>
        liveBatches > 0 && liveBytes < sizeBytes * SPARSE_PART && !damaged,
    );
  }

  /**
   * Writes a change. One at a time. When it rejects (`LogError` `unavailable`), nothing of the change is there,
   * and the journal goes on if what was written could be taken back and nothing but room was missing.
   */
  async append(change: Change): Promise<JournalPlace> {
    if (this.#broken !== null) throw this.#broken;
    const segment = this.#active;
    const start = segment.sizeBytes;
    const frame = encodeFrame(change, segment.number, start);
    const size = frame.reduce((sum, { length }) => sum + length, 0);
    let gone: LogError | null;
    try {
      if (reservedSize(start) < start + size) fs.ftruncateSync(segment.fd, reservedSize(start + size));
    } catch (error) {
      throw this.#unavailable(error as Error);
    }
    try {
      const written = write(segment.fd, frame, start, size);
      // While the write is on its way: writing to a file that has lost its name would be lost.
      gone = this.#lost();
      await written;
      if (gone === null && this.#options.sync) await datasync(segment.fd);
    } catch (error) {
      throw this.#takeBack(segment, start, error as NodeJS.ErrnoException);
    }
    if (gone !== null) throw this.#takeBack(segment, start, gone);
    segment.sizeBytes = start + size;
    const position = start + frame[0]!.length;
    pushRows(this.#rows, change.operations, position);
    return { segment, position };
  }

  /** Closes the active segment and begins the next. */
  roll(snapshot: StateSnapshot): void {
    const gone = this.#lost();
    if (gone !== null) throw gone;
    const closed = this.#active;
    const seals = [...this.#closed, closed].map(sealOf);
    const next = beginSegment(this.#options, closed.number + 1, snapshotChange(snapshot, seals));
    const rows = this.#rows;
    this.#closed.push(closed);
    this.#active = next;
    this.#identity = fs.fstatSync(next.fd);
    this.#rows = [];
    fs.ftruncateSync(closed.fd, closed.sizeBytes);
    // The next segment says how long this one is: after a power failure that should be so.
    this.#inBackground(() => datasync(closed.fd));
    writeIndex(closed, rows);
  }

  /**
   * Deletes closed segments that no batch is left of, when the disk has what says so. `snapshot` must be of now: it is
   * what remembers that.
   */
  async reclaim(snapshot: StateSnapshot): Promise<void> {
    const dead = this.#closed.filter(({ liveBatches }) => liveBatches === 0);
    const rest = this.#closed.filter((segment) => !dead.includes(segment));
    const { segment: active } = await this.append(snapshotChange(snapshot, rest.map(sealOf)));
    this.#closed = rest;
    this.#inBackground(async () => {
      await datasync(active.fd);
      for (const segment of dead) {
        fs.closeSync(segment.fd);
        fs.rmSync(segment.path, { force: true });
        fs.rmSync(indexPathOf(segment.path), { force: true });
      }
    });
  }

  /** Ends what is going on and says on disk that all is there. The log can be opened without that too. */
  async close(): Promise<void> {
    const wasBroken = this.#broken;
    this.#broken ??= new LogError('closed', 'the log is closed');
    await this.#background;
    try {
      if (wasBroken === null && this.#broken.kind === 'closed' && this.#lost() === null) {
        await datasync(this.#active.fd);
        writeCleanEnd(this.#options.directory, this.#active);
        fs.ftruncateSync(this.#active.fd, this.#active.sizeBytes);
      }
    } catch (error) {
      const { logger, directory } = this.#options;
      logger.warn({ directory, error: String(error) }, 'the end of the journal could not be written');
      removeCleanEnd(directory);
    } finally {
      for (const { fd } of [...this.#closed, this.#active]) fs.closeSync(fd);
    }
  }

  #beginVersion2(snapshot: StateSnapshot): void {
    try {
      this.roll(snapshot);
    } catch (error) {
      for (const { fd } of [...this.#closed, this.#active]) fs.closeSync(fd);
      throw error instanceof LogError ? error : this.#unavailable(error as Error);
    }
  }

  /** One after the other, each behind the last. What fails there is a disk that did not keep what it was given. */
  #inBackground(work: () => Promise<void>): void {
    this.#background = this.#background.then(work).catch((error: unknown) => {
      this.#broken = this.#unavailable(error as Error);
      this.#options.logger.error(
        { directory: this.#options.directory, error: String(error) },
        'the journal failed to reach the disk; nothing more is written',
      );
    });
  }

  /** The error when the segment is no longer the file of its name: its directory was removed, renamed or unmounted. */
  #lost(): LogError | null {
    const { path } = this.#active;
    const now = statOf(path);
    if (now !== undefined && now.ino === this.#identity.ino && now.dev === this.#identity.dev) return null;
    return new LogError(
      'unavailable',
      `the journal file ${path} is ${now === undefined ? 'gone' : 'another one'}: the log directory was removed, ` +
        'renamed or unmounted. Nothing is written until it is back; if it is lost, stop this process',
    );
  }

  /** A half-written frame in the middle would hide all that comes behind it from the next open. */
  #takeBack(segment: Segment, start: number, cause: NodeJS.ErrnoException | LogError): LogError {
    const isLost = cause instanceof LogError;
    const error = isLost ? cause : this.#unavailable(cause);
    // A failed fsync may have dropped the very pages that it was to write, and the next one says nothing of it.
    if (!isLost && !NO_ROOM.has(cause.code ?? '')) this.#broken = error;
    try {
      fs.ftruncateSync(segment.fd, start);
      fs.ftruncateSync(segment.fd, reservedSize(start));
    } catch {
      this.#broken = error;
    }
    return error;
  }

  #unavailable(cause: Error): LogError {
    const message = `the journal in ${this.#options.directory} cannot be written (${cause.message})`;
    return new LogError('unavailable', `${message}: free space, or repair the disk and start again`);
  }
}

function statOf(path: string): fs.Stats | undefined {
  try {
    return fs.statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function beginSegment({ directory, lock }: JournalOptions, number: number, first: Change): Segment {
  const segment = createSegment(directory, number, [first]);
  try {
    lockSegment(lock, directory, segment);
    return segment;
  } catch (error) {
    fs.closeSync(segment.fd);
    fs.rmSync(segment.path, { force: true });
    throw error;
  }
}

function snapshotChange(state: StateSnapshot, closed: readonly SegmentSeal[]): Change {
  return { operations: [{ op: 'state', state, closed }], batches: [] };
}

async function write(fd: number, parts: readonly Buffer[], position: number, size: number): Promise<void> {
  let rest = parts;
  for (let written = 0; written < size;) {
    const count = await writev(fd, rest, position + written);
    if (count === 0) throw new Error('nothing could be written');
    written += count;
    if (written < size) rest = after(rest, count);
  }
}

function writev(fd: number, parts: readonly Buffer[], position: number): Promise<number> {
  return new Promise((done, failed) =>
    fs.writev(fd, parts, position, (error, count) => (error === null ? done(count) : failed(error))),
  );
}

function datasync(fd: number): Promise<void> {
  return new Promise((done, failed) =>
    fs.fdatasync(fd, (error) => (error === null ? done() : failed(error))),
  );
}

function after(parts: readonly Buffer[], count: number): Buffer[] {
  const rest = [...parts];
  while (rest.length > 0 && count >= rest[0]!.length) count -= rest.shift()!.length;
  if (rest.length > 0) rest[0] = rest[0]!.subarray(count);
  return rest;
}
