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
  /** The end of the last of them. Behind it are a fault, zeros that were reserved (see `reservedSize`), or nothing. */
  readonly end: number;
  readonly fault: FrameFault | null;
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
  let end = MAGIC_BYTES;
  while (end < bytes.length) {
    const frame = readFrame(segment, end);
    if (isFault(frame)) return { segment, frames, end, fault: isReserve(segment, end) ? null : frame };
    frames.push(frame);
    end = frame.end;
  }
  return { segment, frames, end, fault: null };
}

/** Whether a file has nothing from `start` on but the zeros that were reserved for frames to come. */
export function isReserve({ bytes, version }: SegmentBytes, start: number): boolean {
  return version === 2 && endOfContent(bytes, start) === start;
}

/** Behind the last byte from `start` on that is not zero. */
export function endOfContent(bytes: Buffer, start: number): number {
  let end = bytes.length;
  while (end > start && bytes[end - 1] === 0) end--;
  return end;
}

/**
 * Whether the fault of the newest file is a write that was never finished, by a process or a machine that died. Then
 * nothing of it was acknowledged (or, without `sync`, the machine lost its power before the disk had it). That is so
 * when no frame stands behind the fault and there are only zeros from inside its head on, or from inside the frame that
 * a right head begins, its last checksum included: the bytes that were reserved for it.
 *
 * All else is damage to what was written once: a head, operations or batches that do not match their checksums. A file
 * that ends inside a frame was cut, for what is written was reserved before.
 *
 * Version 1 reserved nothing: a file that ends inside a frame may be unfinished, unless the length that says so is what
 * is damaged and the rest of the file matches its checksum. Zeros count from a sector's beginning on.
 */
export function isUnfinished({ segment, fault, frames, end: start }: SegmentScan): boolean {
  if (fault === null || frames.length === 0 || findFrame(segment, start + 1) >= 0) return false;
  const { bytes, version } = segment;
  const zeros = endOfContent(bytes, start);
  if (version === 2)
    return zeros <= (fault.end === null ? start + HEAD_BYTES[2] - 1 : fault.end - TRAILER_BYTES);
  if (zeros === start || start + HEAD_BYTES[1] > bytes.length) return true;
  if (Math.ceil(zeros / SECTOR_BYTES) * SECTOR_BYTES < bytes.length) return true;
  const end = start + HEAD_BYTES[1] + bytes.readUInt32BE(start);
  return end > bytes.length && readBehindDamagedHead(segment, start, bytes.length) === null;
}
