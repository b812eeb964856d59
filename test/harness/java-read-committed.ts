import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { kafkaClasspath } from '../../scripts/kafka.js';

const PROGRAM = fileURLToPath(new URL('java/ReadCommitted.java', import.meta.url));

export interface CommittedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export interface PartitionEnd {
  readonly topic: string;
  readonly partition: number;
  readonly lastStableOffset: number;
  /** Greater than the last stable offset while a transaction is open. */
  readonly highWatermark: number;
}

/**
 * All that Java's own consumer sees of `topics` with read_committed, up to their ends as they are now. Of a partition they
 * come in its order.
 */
export async function javaReadCommitted(
  address: string,
  topics: readonly string[],
): Promise<{ readonly records: CommittedRecord[]; readonly ends: PartitionEnd[] }> {
  const jvm = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const log = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error';
  const java = spawn('java', [...jvm, log, '-cp', await kafkaClasspath(), PROGRAM, address, ...topics], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaints = '';
  java.stderr.on('data', (text) => (complaints += String(text)));
  const code = new Promise<number | null>((resolve, reject) => {
    java.once('error', reject);
    java.once('close', resolve);
  });
  const bytes = (hex: string): Buffer | null => (hex === '-' ? null : Buffer.from(hex, 'hex'));
  const records: CommittedRecord[] = [];
  const ends: PartitionEnd[] = [];
  for await (const line of createInterface({ input: java.stdout })) {
    const cells = line.split('\t') as [string, string, string, string, string, string];
    if (cells[0] === 'end') {
      const [, topic, partition, stable, high] = cells;
      ends.push({
        topic,
        partition: Number(partition),
        lastStableOffset: Number(stable),
        highWatermark: Number(high),
      });
      continue;
    }
    const [topic, partition, offset, timestamp, key, value] = cells;
    records.push({
      topic,
      partition: Number(partition),
      offset: Number(offset),
      timestamp: Number(timestamp),
      key: bytes(key),
      value: bytes(value),
    });
  }
  if ((await code) !== 0) throw new Error(`Java's reader failed: ${complaints}`);
  return { records, ends };
}
