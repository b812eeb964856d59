import { basename } from 'node:path';
import { LogError } from '../log.ts';
import type { InspectedSegment, Finding } from './inspect-segment.ts';
import { sealOf, segmentPath } from './segment.ts';
import type { StateSnapshot, SegmentSeal } from './change.ts';

/** A file that a journal has or should have. */
export interface JournalPiece {
  readonly number: number;
  readonly path: string;
  /** Null when it is not there. */
  readonly inspected: InspectedSegment | null;
  /** Damage found in the file itself, or by what other files say of it. */
  readonly findings: readonly Finding[];
  /** Bytes that should be there and are not, as far as that is known. */
  readonly bytesMissing: number;
  /** Whether it is part of another journal, so that nothing of it is to be used. */
  readonly foreign: boolean;
  /** Whether it is right as it is and part of the journal. */
  readonly stays: boolean;
}

/** The last snapshot that can be read: what comes before it matters only for its batches. */
export interface SnapshotPlace {
  readonly number: number;
  /** Where its frame begins. */
  readonly start: number;
  readonly state: StateSnapshot;
  /** Undefined where its format has none. */
  readonly closed: readonly SegmentSeal[] | undefined;
}

/** When nothing says how long a missing file was: as long as they are made. */
const SEGMENT_BYTES = 64 * 1024 * 1024;

/** The files of a journal in order, with those that should be there: by the last snapshot, the indexes and the end. */
export function readPieces(
  directory: string,
  inspected: readonly InspectedSegment[],
  indexed: readonly number[],
  end: SegmentSeal | undefined,
): { readonly pieces: readonly JournalPiece[]; readonly base: SnapshotPlace | null } {
  const base = lastSnapshot(inspected);
  const files = new Map(inspected.map((file) => [file.segment.number, file]));
  const seals = new Map((base?.closed ?? []).map((seal) => [seal[0], seal]));
  const newest = Math.max(0, ...files.keys());
  // A note of the end that lies before it is of an earlier time.
  if (end !== undefined && end[0] >= newest && !((files.get(end[0])?.segment.sizeBytes ?? 0) > end[1]))
    seals.set(end[0], end);
  const wanted = new Set([...files.keys(), ...seals.keys()]);
  const closed = Math.max(0, ...indexed);
  // Closing a segment begins the next one.
  if (closed >= newest && closed > 0) wanted.add(closed + 1);
  const pieces = [...wanted]
    .sort((a, b) => a - b)
    .map((number) => {
      const file = files.get(number) ?? null;
      const seal = seals.get(number);
      const { foreign, findings, bytesMissing } = compare(file, seal, base);
      const listed = base?.closed === undefined || number === base.number || seals.has(number);
      const stays = file !== null && findings.length === 0 && listed;
      return {
        number,
        path: segmentPath(directory, number),
        inspected: file,
        findings,
        bytesMissing,
        foreign,
        stays,
      };
    });
  const old = pieces.filter(({ number }) => seals.has(number) && number !== base?.number);
  if (
    old.some(({ foreign }) => foreign) &&
    old.every(({ foreign, inspected: file }) => foreign || file === null)
  )
    throw new LogError(
      'corrupt',
      `the journal in ${directory} is of two: ${basename(segmentPath(directory, base!.number))} names other files than ` +
        'those before it. Move the files that do not belong there away, and run this again',
    );
  return { pieces, base };
}

function lastSnapshot(inspected: readonly InspectedSegment[]): SnapshotPlace | null {
  for (const { segment, frames } of inspected.toReversed())
    for (const { start, operations } of frames.toReversed())
      for (const operation of operations)
        if (operation.op === 'state')
          return { number: segment.number, start, state: operation.state, closed: operation.closed };
  return null;
}

function compare(
  file: InspectedSegment | null,
  seal: SegmentSeal | undefined,
  base: SnapshotPlace | null,
): Pick<JournalPiece, 'findings' | 'foreign' | 'bytesMissing'> {
  if (file === null) {
    const bytes = seal?.[1] ?? SEGMENT_BYTES;
    const what = seal === undefined ? 'it is missing' : `it is missing; it had ${bytes} bytes`;
    return {
      findings: [{ start: 0, end: bytes, what, loses: 'frame' }],
      foreign: false,
      bytesMissing: bytes,
    };
  }
  const { findings, segment } = file;
  if (seal === undefined) return { findings, foreign: false, bytesMissing: 0 };
  const { sizeBytes } = segment;
  const differs = sealOf(segment).some((part, i) => part !== seal[i]);
  if (differs && (isOfAnother(file, base) || (findings.length === 0 && sizeBytes >= seal[1]))) {
    const what = `it is not the file that was closed with ${seal[1]} bytes`;
    return { findings: [{ start: 0, end: sizeBytes, what, loses: 'frame' }], foreign: true, bytesMissing: 0 };
  }
  if (sizeBytes >= seal[1]) return { findings, foreign: false, bytesMissing: 0 };
  const what = `the file ends here; it had ${seal[1]} bytes`;
  return {
    findings: [...findings, { start: sizeBytes, end: seal[1], what, loses: 'frame' }],
    foreign: false,
    bytesMissing: seal[1] - sizeBytes,
  };
}

/** Whether what a file says of the files before it is something else than what the newest one says. */
function isOfAnother({ frames }: InspectedSegment, base: SnapshotPlace | null): boolean {
  const first = frames[0]?.operations[0];
  if (first?.op !== 'state' || base?.closed === undefined) return false;
  const theirs = new Map((first.closed ?? []).map((seal) => [seal[0], seal]));
  return base.closed.some(([number, size, last]) => {
    const seal = theirs.get(number);
    return seal !== undefined && (seal[1] !== size || seal[2] !== last);
  });
}
