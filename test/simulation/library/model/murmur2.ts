/** Where Kafka's producer puts a key: murmur2 of its bytes, without the sign, by the number of partitions. */
export function partitionOf(key: string, partitions: number): number {
  const bytes = Buffer.from(key);
  const whole = bytes.length - (bytes.length % 4);
  const times = (a: number): number => Math.imul(a, 0x5bd1e995);
  let hash = 0x9747b28c ^ bytes.length;
  for (let at = 0; at < whole; at += 4) {
    const mixed = times(bytes.readInt32LE(at));
    hash = times(hash) ^ times(mixed ^ (mixed >>> 24));
  }
  const rest = bytes.subarray(whole);
  rest.forEach((byte, i) => (hash ^= byte << (8 * i)));
  if (rest.length > 0) hash = times(hash);
  hash = times(hash ^ (hash >>> 13));
  hash ^= hash >>> 15;
  return (hash & 0x7fffffff) % partitions;
}
