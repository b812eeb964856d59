import type { Log, PartitionOffsets } from '../src/log/log.ts';
import { hashBytes } from '../src/common/bytes.ts';
import type { Scenario } from './scenarios.ts';

/** What an output says, whatever the order of its partitions and however its numbers are spelled. */
export interface Fingerprint {
  /** Records in the topic. */
  readonly written: number;
  /** Records that count: all, or the last of each key. */
  readonly rows: number;
  /** The sum of the hashes of key, time and canonical value, modulo 2^32. */
  readonly checksum: number;
}

/** Reads a whole topic. Expects JSON objects as values. */
export async function fingerprint(log: Log, topic: string, kind: Scenario['output']): Promise<Fingerprint> {
  const offsets = await settledOffsets(log, topic);
  const reader = log.openReader();
  offsets.forEach(({ start }, partition) => reader.assign({ topic, partition, offset: start }));
  // Ends of transactions have offsets too.
  const isBehind = (): boolean =>
    offsets.some(({ end }, partition) => reader.position({ topic, partition }) < end);
  let written = 0;
  let rows = 0;
  let checksum = 0;
  const last = new Map<string, number>();
  while (isBehind()) {
    for (const batch of await reader.poll(1000)) {
      const { buffer, keyStart, keyEnd, valueStart, valueEnd, timestamps } = batch;
      for (let i = batch.first; i < batch.count; i++) {
        written++;
        const value = valueStart[i]! < 0 ? 'null' : buffer.toString('utf8', valueStart[i], valueEnd[i]);
        const text = Buffer.from(`${timestamps[i]}${canonical(value)}`);
        const keyHash = hashBytes(buffer, keyStart[i]!, keyEnd[i]!);
        const hash = (hashBytes(text, 0, text.length) ^ Math.imul(keyHash, 0x9e37_79b1)) >>> 0;
        if (kind === 'table') {
          last.set(`${batch.partition}${buffer.toString('latin1', keyStart[i], keyEnd[i])}`, hash);
        } else {
          rows++;
          checksum = (checksum + hash) >>> 0;
        }
      }
    }
  }
  await reader.close();
  for (const hash of last.values()) {
    rows++;
    checksum = (checksum + hash) >>> 0;
  }
  return { written, rows, checksum };
}

/** Where a topic begins and ends, once its last transactions, which may have ended a moment ago, can be read. */
async function settledOffsets(log: Log, topic: string): Promise<readonly PartitionOffsets[]> {
  const reader = log.openReader({ readCommitted: false });
  let offsets = await log.admin.offsets(topic);
  offsets.forEach(({ end }, partition) => reader.assign({ topic, partition, offset: end }));
  const isOpen = (): boolean =>
    offsets.some(({ end }, partition) => reader.endOffset({ topic, partition }) !== end);
  while (isOpen()) {
    await reader.poll(10);
    offsets = await log.admin.offsets(topic);
  }
  await reader.close();
  return offsets;
}

/** Columns by name, so that neither their order nor 7 for 7.0 makes a difference. */
function canonical(json: string): string {
  const value = JSON.parse(json) as Record<string, unknown> | null;
  if (value === null) return 'null';
  return Object.keys(value)
    .sort()
    .map((name) => `${name}=${JSON.stringify(value[name])}`)
    .join(',');
}
