import {
  findFrame,
  HEAD_BYTES,
  isFault,
  MAGIC_BYTES,
  readBehindDamagedHead,
  readFrame,
  TRAILER_BYTES,
  versionOf,
} from './frame.ts';
import type { Frame, FrameFault, SegmentBytes } from './frame.ts';
import { damaged, readFully } from './segment.ts';
import type { Segment } from './segment.ts';

export interface SegmentScan {
  readonly segment: SegmentBytes;
  /** From the first to the one before the fault. */
  readonly frames: readonly Frame[];
  /** Where reading ended before the file did. */
  readonly fault: (FrameFault & { readonly start: number }) | null;
}

/** Every file system writes at least so much at once, so a write that was cut off by the machine ends at such a place. */
const SECTOR_BYTES = 512;

/** Reads the frames of a file up to the first that is none. Throws `LogError` `corrupt` when it is no journal file. */
export function scanSegment(file: Pick<Segment, 'fd' | 'path' | 'number' | 'sizeBytes'>): SegmentScan {
  const all = Buffer.allocUnsafeSlow(file.sizeBytes);
  const bytes = all.subarray(0, readFully(file.fd, all, 0));
  const version = versionOf(bytes);
  if (version === undefined) throw damaged(file.path, 0, 'it does not begin as a journal file does');
  const segment = { bytes, number: file.number, version };
  const frames: Frame[] = [];
  for (let at = MAGIC_BYTES; at < bytes.length;) {
    const frame = readFrame(segment, at);
    if (isFault(frame)) return { segment, frames, fault: { ...frame, start: at } };
    frames.push(frame);
    at = frame.end;
  }
  return { segment, frames, fault: null };
}

/**
 * Whether the fault of the newest file is a write that was never finished, by a process or a machine that died. Then
 * nothing of it was acknowledged (or, without `sync`, the machine lost its power before the disk had it). That is so
 * when no frame stands behind the fault, and
 *
 * - the file ends inside the head, or inside the frame that a right head begins: a process wrote so far and died; or
 * - from the beginning of the frame, or from a sector's beginning inside it, there are only zeros up to the file's
 *   end: the file had grown and the machine died before the sectors were written.
 *
 * All else is damage to what was written once: a head, operations or batches that do not match their checksums. Of a
 * frame of version 1, whose length has no checksum, one more is told: the rest of the file matches its checksum.
 */
export function isUnfinished({ segment, fault, frames }: SegmentScan): boolean {
  if (fault === null || frames.length === 0) return false;
  const { bytes, version } = segment;
  const { start } = fault;
  if (findFrame(segment, start + 1) >= 0) return false;
  if (start + HEAD_BYTES[version] > bytes.length || endsInZeros(segment, fault)) return true;
  if (version === 2) return fault.end !== null && fault.end > bytes.length;
  const end = start + HEAD_BYTES[1] + bytes.readUInt32BE(start);
  return end > bytes.length && readBehindDamagedHead(segment, start, bytes.length) === null;
}

function endsInZeros(
  { bytes, version }: SegmentBytes,
  { start, end }: NonNullable<SegmentScan['fault']>,
): boolean {
  let zeros = bytes.length;
  while (zeros > start && bytes[zeros - 1] === 0) zeros--;
  if (zeros === start) return true;
  // What comes last of a frame is its checksum. Where there are zeros behind that, the frame itself was finished.
  const limit =
    version === 1 ? bytes.length - 1 : end === null ? start + HEAD_BYTES[2] - 1 : end - TRAILER_BYTES;
  const sector = Math.ceil(zeros / SECTOR_BYTES) * SECTOR_BYTES;
  return sector < bytes.length && sector <= limit;
}
