import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { sealOf, syncDirectory } from './segment.ts';
import type { Segment, SegmentSeal } from './segment.ts';

/**
 * The file `end`: the seal of the newest segment when the journal was closed, `number size lastBytes crc32`. It is
 * written when all of the segment is on the disk and is gone while a process has the journal. With it there is no
 * unfinished write to expect, and a tail that is missing is missed even where it was cut between two frames. One that
 * cannot be read counts as none.
 */

export function cleanEndPath(directory: string): string {
  return join(directory, 'end');
}

export function writeCleanEnd(directory: string, newest: Segment): void {
  const text = sealOf(newest).join(' ');
  const path = cleanEndPath(directory);
  writeFileSync(`${path}.tmp`, `${text} ${crc32(text)}\n`, { flush: true });
  renameSync(`${path}.tmp`, path);
  syncDirectory(directory);
}

export function readCleanEnd(directory: string): SegmentSeal | undefined {
  let text: string;
  try {
    text = readFileSync(cleanEndPath(directory), 'latin1');
  } catch {
    return undefined;
  }
  const [, seal, number, size, lastBytes, crc] = /^((\d+) (\d+) (\d+)) (\d+)\n$/.exec(text) ?? [];
  if (seal === undefined || crc32(seal) !== Number(crc)) return undefined;
  return [Number(number), Number(size), Number(lastBytes)];
}

export function removeCleanEnd(directory: string): void {
  rmSync(cleanEndPath(directory), { force: true });
}
