import type { SqlValue } from './value.ts';

type Entry = readonly [SqlValue, SqlValue];

/**
 * The entries of a MAP in the order in which ksqlDB goes through them: that of a Java `HashMap` made for as many
 * entries. A map has no order of its own, but MAP_KEYS, REDUCE over a map and a map as text show one, and results
 * should not depend on which engine ran the query. Keys that Java hashes in another way keep the order of insertion.
 */
export function hashOrder(map: ReadonlyMap<SqlValue, SqlValue>): readonly Entry[] {
  const entries: Entry[] = [...map];
  if (entries.length < 2) return entries;
  const hashes = entries.map(([key]) => hashOf(key));
  if (hashes.includes(null)) return entries;
  // The smallest power of two that is a quarter empty: HashMap grows beyond a load of 0.75.
  let buckets = 1;
  while (buckets < entries.length) buckets *= 2;
  if (entries.length > buckets * 0.75) buckets *= 2;
  const bucketOf = (i: number): number => (hashes[i]! ^ (hashes[i]! >>> 16)) & (buckets - 1);
  // Sorting is stable: within a bucket entries stay as they came.
  return entries
    .map((entry, i) => ({ entry, bucket: bucketOf(i) }))
    .toSorted((a, b) => a.bucket - b.bucket)
    .map(({ entry }) => entry);
}

/** Java's `hashCode` of a key, null for types whose hash is not reckoned here. */
function hashOf(key: SqlValue): number | null {
  if (key === null) return 0;
  if (typeof key === 'boolean') return key ? 1231 : 1237;
  if (typeof key === 'number') return Number.isInteger(key) && Math.abs(key) < 2 ** 31 ? key | 0 : null;
  if (typeof key !== 'string') return null;
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  return hash;
}
