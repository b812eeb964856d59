/**
 * Where a source starts in a partition of which the group has committed nothing, or whose committed offset is gone: at
 * the `earliest` record, behind the `latest`, at the first record of the last so many milliseconds (KIP-1106), or, with
 * `none`, not at all.
 */
export type OffsetReset = 'earliest' | 'latest' | 'none' | { readonly byDurationMs: number };
