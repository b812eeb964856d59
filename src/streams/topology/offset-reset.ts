import { isTime } from './record-time.ts';

/**
 * Where a source starts in a partition of which the group has committed nothing, or whose committed offset is gone: at
 * the `earliest` record, behind the `latest`, at the first record of the last so many milliseconds (KIP-1106), or, with
 * `none`, not at all.
 */
export type OffsetReset = 'earliest' | 'latest' | 'none' | { readonly byDurationMs: number };

const NAMED: readonly unknown[] = ['earliest', 'latest', 'none'];

/** Also for programs that no compiler has checked: anything else would be read as one of them. */
export function isOffsetReset(value: unknown): value is OffsetReset {
  if (typeof value !== 'object' || value === null) return NAMED.includes(value);
  return isTime((value as { readonly byDurationMs?: unknown }).byDurationMs);
}
