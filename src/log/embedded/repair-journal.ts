import fs from 'node:fs';
import { basename, join } from 'node:path';
import type { LockFile } from '../../common/lock-file.ts';
import { cleanEndPath, readCleanEnd } from './clean-end.ts';
import { lockDirectory, lockSegment } from './directory-lock.ts';
import type { Finding } from './inspect-segment.ts';
import { inspectSegment } from './inspect-segment.ts';
import type { LogState } from './log-state.ts';
import { readPieces } from './journal-pieces.ts';
import type { JournalPiece } from './journal-pieces.ts';
import { rebuildState } from './rebuild-state.ts';
import type { LostOffsets, RebuiltState } from './rebuild-state.ts';
import { createSegment, openSegment, sealOf, segmentNumbers, syncDirectory } from './segment.ts';
import type { Segment } from './segment.ts';
import { indexNumbers, indexPathOf } from './segment-index.ts';
import type { Change } from './change.ts';

export interface FileReport {
  /** Without its directory. */
  readonly name: string;
  /** Bytes that it has; null when it is not there. */
  readonly sizeBytes: number | null;
  readonly frames: number;
  readonly findings: readonly Finding[];
}

/** The damage of a journal, and its content after a repair. */
export interface JournalRepair {
  /** Whether there is anything to do. */
  readonly needed: boolean;
  readonly files: readonly FileReport[];
  readonly lost: readonly LostOffsets[];
  /** Batches of topics whose creation is lost, and with it their names. */
  readonly namelessBatches: number;
  /** Batches that are kept. */
  readonly batches: number;
  /**
   * Does it. Every file that is no longer used is kept in `damaged-TIMESTAMP` in the log's directory, whose path is
   * returned. Whenever the process dies, the journal is either as it was or repaired.
   */
  apply(timestamp: string): string;
  close(): void;
}

/**
 * `planRepair` of a directory that is taken until `close`. Throws `LogError` `unavailable` when a process has it.
 */
export async function openRepair(directory: string): Promise<JournalRepair> {
  const lock = await lockDirectory(directory);
  try {
    const plan = planRepair(directory, lock);
    const close = (): void => {
      plan.close();
      lock.release();
    };
    return { ...plan, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * Reads all of a journal, in a directory that exists, with its lock, and finds out what of it can be kept: every frame
 * that can be read, and of one with damaged batches all the others. What is lost has empty batches in its place
 * afterwards, as compaction leaves them, so that its offsets are never given to other records. Changes nothing.
 */
function planRepair(directory: string, lock: LockFile): JournalRepair {
  const names = fs.readdirSync(directory);
  const numbers = segmentNumbers(names);
  const found = readCleanEnd(directory);
  const end = found === 'unreadable' ? undefined : found;
  const open: Segment[] = [];
  const close = (): void => {
    for (const { fd } of open.splice(0)) fs.closeSync(fd);
  };
  try {
    const inspected = numbers.map((number) => {
      const segment = openSegment(directory, number);
      open.push(segment);
      if (number === numbers.at(-1)) lockSegment(lock, directory, segment);
      if (number !== numbers.at(-1) || end?.[0] === number) return inspectSegment(segment, 'closed');
      return inspectSegment(segment, found === 'unreadable' ? 'unknown' : 'open');
    });
    const indexed = indexNumbers(names);
    const { pieces, base } = readPieces(directory, inspected, indexed, end);
    const rebuilt = rebuildState(pieces, base);
    const next = Math.max(0, ...pieces.map(({ number }) => number), ...indexed) + 1;
    return {
      needed: rebuilt.lost.length > 0 || pieces.some(({ findings }) => findings.length > 0),
      files: pieces.map(({ path, inspected: file, findings }) => ({
        name: basename(path),
        sizeBytes: file?.segment.sizeBytes ?? null,
        frames: file?.frames.length ?? 0,
        findings,
      })),
      lost: rebuilt.lost,
      namelessBatches: rebuilt.namelessBatches,
      batches: batchCount(rebuilt.state),
      apply: (timestamp) => replaceFiles(directory, next, pieces, rebuilt, timestamp),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function batchCount(state: LogState): number {
  let count = 0;
  for (const { partitions } of state.topics.values()) for (const log of partitions) count += log.batchCount;
  return count;
}

/**
 * The content of files that cannot stay goes into a new newest segment, which is made in one step; only then
 * are they removed. Before that they have a second name in the directory that keeps them.
 */
function replaceFiles(
  directory: string,
  next: number,
  pieces: readonly JournalPiece[],
  { state, fillers }: RebuiltState,
  timestamp: string,
): string {
  const kept = pieces.filter(({ stays }) => stays);
  const replaced = pieces.filter(({ stays }) => !stays);
  let aside = join(directory, `damaged-${timestamp}`);
  for (let i = 2; fs.existsSync(aside); i++) aside = join(directory, `damaged-${timestamp}-${i}`);
  fs.mkdirSync(aside);
  const old = [...replaced.flatMap(({ path }) => [path, indexPathOf(path)]), cleanEndPath(directory)].filter(
    (path) => fs.existsSync(path),
  );
  for (const path of old) keepAlso(path, join(aside, basename(path)));
  syncDirectory(aside);
  syncDirectory(directory);

  const seals = kept.map(({ inspected }) => sealOf(inspected!.segment));
  const { fd } = createSegment(directory, next, contents());
  fs.closeSync(fd);
  for (const path of old) fs.rmSync(path);
  syncDirectory(directory);
  return aside;

  function* contents(): Generator<Change> {
    yield { operations: [{ op: 'state', state: state.snapshot(), closed: seals }], batches: [] };
    for (const { inspected } of replaced) {
      const content = inspected === null ? null : state.contentOf(inspected.segment);
      if (content !== null && content.operations.length > 0) yield content;
    }
    if (fillers.operations.length > 0) yield fillers;
  }
}

/** A second name for the file; a copy where the file system has none. */
function keepAlso(path: string, name: string): void {
  try {
    fs.linkSync(path, name);
  } catch {
    fs.copyFileSync(path, name, fs.constants.COPYFILE_EXCL);
  }
}
