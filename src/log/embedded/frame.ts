import type { Change, Operation } from './change.ts';
import { crc32 } from 'node:zlib';

/**
 * A frame is one change in a journal file, big-endian:
 *
 *     u32 length      of all that comes behind the head
 *     u32 size of the operations
 *     u32 CRC-32 of the operations
 *     u32 CRC-32 of the twelve bytes before, begun with the file's number and the frame's place in it
 *     the operations as JSON, the batches behind each other
 *     u32 CRC-32 of operations and batches
 *
 * The head has a checksum of its own, so that its length can be believed where what it counts is damaged: that tells a
 * frame that was never finished (the file ends inside it) from one that was changed. The checksum knows the place, so
 * nothing but a head of this file at this place passes for one, not even a journal file that is a record's value. A
 * frame ends in a checksum and therefore not in zeros, which is what a machine may leave that lost its power.
 *
 * Version 1, which is read and no longer written: `u32 length`, `u32 CRC-32 of the rest`, `u32 size of the operations`,
 * operations, batches. CRC-32 and not CRC-32C because Node has it in native code.
 */
export interface Frame {
  /** Where it begins in the file. */
  readonly start: number;
  readonly end: number;
  readonly operations: readonly Operation[];
  /** Where its batches begin. */
  readonly position: number;
}

/** Why there is no frame at a place. */
export interface FrameFault {
  readonly what: string;
  /** Where the frame ends, when its head can be believed; may lie behind the end of the file. */
  readonly end: number | null;
  /** The frame as far as it is not the fault's: its operations are right, a batch may be damaged. */
  readonly frame: Frame | null;
}

export type FormatVersion = 1 | 2;

/** A journal file in memory. */
export interface SegmentBytes {
  readonly bytes: Buffer;
  /** The number that is the file's name. */
  readonly number: number;
  readonly version: FormatVersion;
}

/** The size of the head of every file: a name and the version of the format. */
export const MAGIC_BYTES = 8;
const MAGICS: Readonly<Record<FormatVersion, Buffer>> = {
  1: Buffer.from('MLRJRNL1', 'latin1'),
  2: Buffer.from('MLRJRNL2', 'latin1'),
};
/** The version that is written now. */
export const MAGIC = MAGICS[2];

export const HEAD_BYTES: Readonly<Record<FormatVersion, number>> = { 1: 8, 2: 16 };
const HEAD = HEAD_BYTES[2];
export const TRAILER_BYTES = 4;
/** `[]` is the shortest list of operations. */
const OPERATIONS_BYTES_MIN = 2;
const BRACKET_OPEN = 0x5b;
const BRACKET_CLOSE = 0x5d;

/** Undefined when `bytes` are not the beginning of a journal file. */
export function versionOf(bytes: Buffer): FormatVersion | undefined {
  const magic = bytes.subarray(0, MAGIC_BYTES);
  if (magic.equals(MAGICS[2])) return 2;
  return magic.equals(MAGICS[1]) ? 1 : undefined;
}

/** The parts of a frame that will stand at `start` of file `number`; the batches begin behind the first. */
export function encodeFrame(change: Change, number: number, start: number): Buffer[] {
  const operations = JSON.stringify(change.operations);
  const size = Buffer.byteLength(operations);
  const head = Buffer.allocUnsafe(HEAD + size);
  let length = size + TRAILER_BYTES;
  for (const batch of change.batches) length += batch.length;
  head.writeUInt32BE(length, 0);
  head.writeUInt32BE(size, 4);
  head.write(operations, HEAD);
  let crc = crc32(head.subarray(HEAD));
  head.writeUInt32BE(crc, 8);
  head.writeUInt32BE(crcOfHead(head, 0, number, start), 12);
  for (const batch of change.batches) crc = crc32(batch, crc);
  const trailer = Buffer.allocUnsafe(TRAILER_BYTES);
  trailer.writeUInt32BE(crc, 0);
  return [head, ...change.batches, trailer];
}

/** The frame that begins at `start`, which lies in the file. */
export function readFrame(segment: SegmentBytes, start: number): Frame | FrameFault {
  return segment.version === 1 ? readFrame1(segment.bytes, start) : readFrame2(segment, start);
}

export function isFault(frame: Frame | FrameFault): frame is FrameFault {
  return 'what' in frame;
}

/** The first place from `from` on at which a frame, or the head of one, stands; -1 when there is none. */
export function findFrame(segment: SegmentBytes, from: number): number {
  const { bytes, version } = segment;
  const head = HEAD_BYTES[version];
  for (let at = from; at + head <= bytes.length; at++) {
    if (version === 1) {
      if (!isFault(readFrame1(bytes, at))) return at;
      continue;
    }
    // Cheap, and what makes it possible to try every place of a file: operations follow, or what was never written.
    const next = bytes[at + head];
    if ((next === BRACKET_OPEN || next === 0 || next === undefined) && hasHead(segment, at)) return at;
  }
  return -1;
}

/**
 * The frame at `start` whose head is damaged, when what `end` says of its length is right: all is there when a checksum
 * over the rest still holds.
 */
export function readBehindDamagedHead(segment: SegmentBytes, start: number, end: number): Frame | null {
  const { bytes, version } = segment;
  const begin = start + HEAD_BYTES[version];
  if (version === 1) {
    if (end - begin < 4 || crc32(bytes.subarray(begin, end)) !== bytes.readUInt32BE(start + 4)) return null;
    return parse(bytes, start, end, begin + 4, begin + 4 + bytes.readUInt32BE(begin), end);
  }
  const last = end - TRAILER_BYTES;
  if (last - begin < OPERATIONS_BYTES_MIN) return null;
  if (crc32(bytes.subarray(begin, last)) !== bytes.readUInt32BE(last)) return null;
  const frame = parse(bytes, start, end, begin, begin + bytes.readUInt32BE(start + 4), last);
  if (frame !== null) return frame;
  // It is the size of the operations that is damaged: they end where their checksum says.
  const position = endOfOperations(bytes, begin, last, bytes.readUInt32BE(start + 8));
  return position === null ? null : parse(bytes, start, end, begin, position, last);
}

function readFrame1(bytes: Buffer, start: number): Frame | FrameFault {
  const begin = start + HEAD_BYTES[1];
  const unknown = { end: null, frame: null };
  if (begin > bytes.length) return { what: 'the head of a frame is cut off', ...unknown };
  const end = begin + bytes.readUInt32BE(start);
  if (end > bytes.length) return { what: 'a frame runs over the end of the file', ...unknown };
  if (end - begin < 4 + OPERATIONS_BYTES_MIN) return { what: 'a frame is too short', ...unknown };
  const position = begin + 4 + bytes.readUInt32BE(begin);
  // Cheap, and what makes it possible to try every place of a file.
  if (position > end || bytes[begin + 4] !== BRACKET_OPEN || bytes[position - 1] !== BRACKET_CLOSE)
    return { what: 'a frame does not begin with operations', ...unknown };
  if (crc32(bytes.subarray(begin, end)) !== bytes.readUInt32BE(start + 4))
    return { what: 'a frame does not match its checksum', ...unknown };
  const frame = parse(bytes, start, end, begin + 4, position, end);
  return frame ?? { what: 'the operations of a frame cannot be read', ...unknown };
}

function readFrame2(segment: SegmentBytes, start: number): Frame | FrameFault {
  const { bytes } = segment;
  const begin = start + HEAD;
  if (begin > bytes.length) return { what: 'the head of a frame is cut off', end: null, frame: null };
  if (!hasHead(segment, start))
    return { what: 'the head of a frame does not match its checksum', end: null, frame: null };
  const end = begin + bytes.readUInt32BE(start);
  if (end > bytes.length) return { what: 'the file ends inside a frame', end, frame: null };
  const position = begin + bytes.readUInt32BE(start + 4);
  const crc = crc32(bytes.subarray(begin, position));
  const frame =
    crc === bytes.readUInt32BE(start + 8)
      ? parse(bytes, start, end, begin, position, end - TRAILER_BYTES)
      : null;
  if (frame === null) return { what: 'the operations of a frame do not match their checksum', end, frame };
  const last = end - TRAILER_BYTES;
  if (crc32(bytes.subarray(position, last), crc) !== bytes.readUInt32BE(last))
    return { what: 'the batches of a frame do not match their checksum', end, frame };
  return frame;
}

/** Whether the head of a frame of version 2 stands whole at `at`. */
function hasHead({ bytes, number }: SegmentBytes, at: number): boolean {
  const size = bytes.readUInt32BE(at + 4);
  if (size < OPERATIONS_BYTES_MIN || bytes.readUInt32BE(at) < size + TRAILER_BYTES) return false;
  return crcOfHead(bytes, at, number, at) === bytes.readUInt32BE(at + 12);
}

function crcOfHead(bytes: Buffer, at: number, number: number, start: number): number {
  return crc32(bytes.subarray(at, at + 12), (Math.imul(number, 0x9e3779b1) + start) >>> 0);
}

/** Null unless the operations can be read and their batches fill the place up to `batchesEnd`. */
function parse(
  bytes: Buffer,
  start: number,
  end: number,
  begin: number,
  position: number,
  batchesEnd: number,
): Frame | null {
  if (position > batchesEnd) return null;
  try {
    const operations = JSON.parse(bytes.toString('utf8', begin, position)) as readonly Operation[];
    let sizes = 0;
    for (const operation of operations) if (operation.op === 'append') sizes += operation.size;
    return position + sizes === batchesEnd ? { start, end, operations, position } : null;
  } catch {
    return null;
  }
}

function endOfOperations(bytes: Buffer, begin: number, last: number, wanted: number): number | null {
  let crc = 0;
  let done = begin;
  for (let at = begin; (at = bytes.indexOf(BRACKET_CLOSE, at)) >= 0 && at < last; at++) {
    crc = crc32(bytes.subarray(done, at + 1), crc);
    done = at + 1;
    if (crc === wanted) return done;
  }
  return null;
}
