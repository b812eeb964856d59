import { findFrame, isFault, MAGIC_BYTES, readBehindDamagedHead, readFrame, versionOf } from './frame.ts';
import type { FormatVersion, Frame, SegmentBytes } from './frame.ts';
import { readFully, reservedSize } from './segment.ts';
import type { Segment } from './segment.ts';
import { endOfContent, isReserve, isUnfinished } from './segment-scan.ts';
import { batchFault } from './stored-batch.ts';

/** How a file ended: `open` for the newest one, not closed yet; `unknown` when the record of its end is damaged. */
export type Ending = 'closed' | 'open' | 'unknown';

/** A range of a file's bytes that is damaged, and how. */
export interface Finding {
  readonly start: number;
  readonly end: number;
  readonly what: string;
  /**
   * How much a repair loses: `nothing`, where another checksum proves the content; some `batches`; the whole `frame`,
   * whose content is unknown; or a write that was `unfinished`.
   */
  readonly loses: 'nothing' | 'batches' | 'frame' | 'unfinished';
}

export interface InspectedSegment {
  readonly segment: Segment;
  /** All that can be read, in order; `unsound` batches among them cannot. */
  readonly frames: readonly Frame[];
  readonly findings: readonly Finding[];
  /** Positions of the batches that are damaged. */
  readonly unsound: ReadonlySet<number>;
}

/**
 * Reads a whole file, steps over what is damaged and goes on behind it.
 */
export function inspectSegment(segment: Segment, ending: Ending): InspectedSegment {
  const isOpen = ending === 'open';
  const all = Buffer.allocUnsafeSlow(segment.sizeBytes);
  const bytes = all.subarray(0, readFully(segment.fd, all, 0));
  const findings: Finding[] = [];
  const frames: Frame[] = [];
  const unsound = new Set<number>();
  const written = versionOf(bytes);
  const version = written ?? guessVersion(bytes, segment.number);
  if (written === undefined) {
    const loses = version === undefined ? 'frame' : 'nothing';
    const end = version === undefined ? bytes.length : MAGIC_BYTES;
    findings.push({ start: 0, end, what: 'it does not begin as a journal file does', loses });
  }
  if (version === undefined) return { segment, frames, findings, unsound };

  const file: SegmentBytes = { bytes, number: segment.number, version };
  const isCut = isOpen && version === 2 && bytes.length !== reservedSize(bytes.length);
  for (let start = MAGIC_BYTES; start < bytes.length;) {
    const found = readFrame(file, start);
    if (!isFault(found)) {
      addFrame(found, null);
      start = found.end;
      continue;
    }
    if (isReserve(file, start)) {
      segment.sizeBytes = start;
      break;
    }
    const { what, end, frame } = found;
    if (isOpen && !isCut && isUnfinished({ segment: file, frames, end: start, fault: found })) {
      const until = endOfContent(bytes, start);
      findings.push({ start, end: until, what: 'the file ends in an unfinished write', loses: 'unfinished' });
      break;
    }
    if (frame !== null) {
      addFrame(frame, what);
      start = frame.end;
    } else if (end !== null && end <= bytes.length) {
      findings.push({ start, end, what, loses: 'frame' });
      start = end;
    } else {
      const next = findFrame(file, start + 1);
      const until = next < 0 ? bytes.length : next;
      const proved = readBehindDamagedHead(file, start, until);
      if (proved === null) findings.push({ start, end: until, what, loses: 'frame' });
      else addFrame(proved, what);
      start = until;
    }
  }
  if (isCut) {
    const end = reservedSize(bytes.length);
    findings.push({ start: bytes.length, end, what: 'the file was cut here', loses: 'frame' });
  }
  if (ending === 'unknown') {
    const { sizeBytes: start } = segment;
    const what = 'how it went on is not known, the file `end` being damaged';
    findings.push({ start, end: start + 1, what, loses: 'frame' });
  }
  return { segment, frames, findings, unsound };

  function addFrame(frame: Frame, what: string | null): void {
    frames.push(frame);
    const before = unsound.size;
    let { position } = frame;
    for (const operation of frame.operations) {
      if (operation.op !== 'append') continue;
      const { base: baseOffset, last: lastOffset, size: sizeBytes } = operation;
      const batch = bytes.subarray(position, position + sizeBytes);
      if (batchFault({ baseOffset, lastOffset, sizeBytes }, batch) !== null) unsound.add(position);
      position += sizeBytes;
    }
    const loses = unsound.size > before ? 'batches' : 'nothing';
    if (loses === 'batches' || what !== null)
      findings.push({ start: frame.start, end: frame.end, what: what ?? 'a batch is damaged', loses });
  }
}

/** The version of a file whose first bytes are damaged, by what comes behind them. */
function guessVersion(bytes: Buffer, number: number): FormatVersion | undefined {
  const versions = [2, 1] as const;
  return versions.find((version) => findFrame({ bytes, number, version }, MAGIC_BYTES) >= 0);
}
