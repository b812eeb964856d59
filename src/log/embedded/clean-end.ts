import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { sealOf, syncDirectory } from './segment.ts';
import type { Segment } from './segment.ts';
import type { SegmentSeal } from './change.ts';

/**
 * The file `end`: the seal of the newest segment when the journal was closed, `number size lastBytes crc32`. It is
 * written when all of the segment is on the disk and is gone while a process has the journal. With it there is no
 * unfinished write to expect and nothing reserved, and a tail that is missing is missed wherever it was cut.
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

/** `unreadable`: the journal was closed, and what the file said is damaged. Undefined: it was not closed. */
export function readCleanEnd(directory: string): SegmentSeal | 'unreadable' | undefined {
  if (!existsSync(cleanEndPath(directory))) return undefined;
  const text = readFileSync(cleanEndPath(directory), 'latin1');
  const [, seal, number, size, lastBytes, crc] = /^((\d+) (\d+) (\d+)) (\d+)\n$/.exec(text) ?? [];
  if (seal === undefined || crc32(seal) !== Number(crc)) return 'unreadable';
  return [Number(number), Number(size), Number(lastBytes)];
}

export function removeCleanEnd(directory: string): void {
  rmSync(cleanEndPath(directory), { force: true });
}
