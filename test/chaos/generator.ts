import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/common/clock.ts';
import { openLogger } from '../../src/common/logger.ts';
import { appendRecord } from '../../src/log/append-record.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { partitionOfKey } from '../../src/log/partitioner.ts';
import { SeededRandom } from '../harness/random.ts';
import { PARTITIONS, TRANSFERS } from './judge.ts';

const ACCOUNTS = 2000;
const TICK_MS = 20;

/**
 * A process of its own that writes transfers with our own writer, `rate` a second, until standard input ends. A line there is
 * another rate. Prints how many it wrote.
 */
export async function generate(address: string, seed: number, rate: number): Promise<void> {
  const log = await openKafkaLog({
    brokers: address.split(','),
    clientId: 'transfers',
    clock: systemClock,
    logger: openLogger('warn'),
  });
  const writer = await log.openWriter();
  const random = new SeededRandom(seed);
  const written = Array.from({ length: PARTITIONS }, () => 0);
  let rateNow = rate;
  let ended = false;
  createInterface({ input: process.stdin })
    .on('line', (line) => (rateNow = Number(line)))
    .on('close', () => (ended = true));
  let last = systemClock.monotonic();
  let due = 0;
  while (!ended) {
    const now = systemClock.monotonic();
    // What a stalled broker kept from being written is not made up for at once.
    due += Math.min(rateNow * ((now - last) / 1000), rateNow);
    last = now;
    for (; due >= 1; due--) {
      const from = random.integer(0, ACCOUNTS - 1);
      const to = (from + random.integer(1, ACCOUNTS - 1)) % ACCOUNTS;
      const key = Buffer.from(`account-${from}`);
      const partition = partitionOfKey(key, 0, key.length, PARTITIONS);
      const N = written[partition]!++;
      const value = { N, B: `account-${to}`, AMOUNT: random.integer(1, 1000) };
      appendRecord(
        writer,
        { topic: TRANSFERS, partition },
        { timestamp: systemClock.now(), key, value: Buffer.from(JSON.stringify(value)) },
      );
    }
    await writer.flush();
    await sleep(TICK_MS);
  }
  await writer.close();
  await log.close();
  process.stdout.write(`${written.reduce((sum, each) => sum + each)}\n`);
}
