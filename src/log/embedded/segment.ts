import { readSync } from 'node:fs';
import { LogError } from '../log.ts';

/** A journal file that is open for reading. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  readonly fd: number;
  /** The end of its last whole frame. */
  sizeBytes: number;
  /** Batches in it that can still be read. A closed segment without any is deleted. */
  liveBatches: number;
  /** Their bytes. Where little is left, it is moved so that the file can go. */
  liveBytes: number;
}

/**
 * Fills `target` from `position`, as far as the file goes; returns the bytes read. Synchronous: from the page
 * cache that is quicker than a trip through the thread pool, and a segment cannot go away meanwhile.
 */
export function readFully(fd: number, target: Buffer, position: number): number {
  let done = 0;
  while (done < target.length) {
    const read = readSync(fd, target, done, target.length - done, position + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}

/** Exactly `sizeBytes` bytes. Throws `LogError` `corrupt` when the file is shorter. */
export function readExactly(segment: Segment, position: number, sizeBytes: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  if (readFully(segment.fd, bytes, position) < sizeBytes)
    throw new LogError(
      'corrupt',
      `the journal file ${segment.path} ends before byte ${position + sizeBytes}`,
    );
  return bytes;
}
