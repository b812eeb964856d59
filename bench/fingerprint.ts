import type { Log } from '../src/log/log.ts';
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
  const offsets = await log.admin.offsets(topic);
  let waiting = 0;
  const reader = log.openReader();
  offsets.forEach(({ start, end }, partition) => {
    waiting += end - start;
    reader.assign({ topic, partition, offset: start });
  });
  const written = waiting;
  let rows = 0;
  let checksum = 0;
  const last = new Map<string, number>();
  while (waiting > 0) {
    for (const batch of await reader.poll(1000)) {
      const { buffer, keyStart, keyEnd, valueStart, valueEnd, timestamps } = batch;
      for (let i = batch.first; i < batch.count; i++) {
        waiting--;
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

/** Columns by name, so that neither their order nor 7 for 7.0 makes a difference. */
function canonical(json: string): string {
  const value = JSON.parse(json) as Record<string, unknown> | null;
  if (value === null) return 'null';
  return Object.keys(value)
    .sort()
    .map((name) => `${name}=${JSON.stringify(value[name])}`)
    .join(',');
}
