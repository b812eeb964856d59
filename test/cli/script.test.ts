import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { Millrace, millrace } from '../harness/millrace.ts';

/** One script, run on every kind of log: it must print the same rows, also after it was killed half-way. */

const EVENTS = 120;
const PAGES = ['/home', '/cart', '/about'];
const SIZE_MS = 10_000;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-script-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Event {
  readonly page: string;
  readonly time: number;
}

const events: readonly Event[] = Array.from({ length: EVENTS }, (_, i) => ({
  page: PAGES[(i * 7) % 3]!,
  time: 1_700_000_000_000 + i * 700 - (i % 5 === 0 ? 2000 : 0),
}));

/** The counts as a few independent lines find them: one row for each event, in order. */
function expectedRows(): string[] {
  const counts = new Map<string, number>();
  return events.map(({ page, time }) => {
    const start = Math.floor(time / SIZE_MS) * SIZE_MS;
    const key = `${page} ${start}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return JSON.stringify({ PAGE: page, WINDOWSTART: start, VISITS: count });
  });
}

function script(topic: string): string {
  const inserts = events.map(
    ({ page, time }) => `INSERT INTO CLICKS (ROWTIME, PAGE, USERNAME) VALUES (${time}, '${page}', 'ann');`,
  );
  const file = join(directory, `${topic}.sql`);
  writeFileSync(
    file,
    `CREATE STREAM CLICKS (PAGE STRING KEY, USERNAME STRING)
       WITH (KAFKA_TOPIC='${topic}', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON', PARTITIONS=1);
     CREATE TABLE VISITS WITH (KAFKA_TOPIC='${topic}-visits') AS
       SELECT PAGE, COUNT(*) AS VISITS FROM CLICKS WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY PAGE;
     ${inserts.join('\n')}
     SELECT PAGE, WINDOWSTART, VISITS FROM VISITS EMIT CHANGES LIMIT ${EVENTS};`,
  );
  return file;
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

test('on the embedded log in memory', async () => {
  const { code, stdout, stderr } = await millrace(['run', script('clicks'), '--output', 'json']);
  expect(stderr).toBe('');
  expect(lines(stdout)).toEqual(expectedRows());
  expect(code).toBe(0);
});

test('on the embedded log in a directory, killed half-way and run again', async () => {
  const file = script('clicks');
  const whole = join(directory, 'whole');
  const argsIn = (dataDir: string): string[] => ['run', file, '--data-dir', dataDir, '--output', 'json'];
  await millrace(argsIn(whole));
  const size = sizeOf(whole);
  for (let share = 0.2, tries = 0, kills = 0; kills < 3; tries++) {
    const dataDir = join(directory, `data-${tries}`);
    const first = new Millrace(argsIn(dataDir));
    while (first.process.exitCode === null && sizeOf(dataDir) < size * share && first.stdout === '')
      await delay(1);
    // A script that has printed its rows has ended: it would begin anew, and find its stream there.
    const ended = first.stdout !== '';
    await first.kill('SIGKILL');
    if (ended || first.stdout !== '') {
      expect(tries, 'the script is killed before it ends').toBeLessThan(20);
      share *= 0.8;
      continue;
    }
    const { code, stdout, stderr } = await millrace(argsIn(dataDir));
    expect(stderr).toBe('');
    expect(lines(stdout)).toEqual(expectedRows());
    expect(code).toBe(0);
    kills++;
    share += 0.3;
  }
});

function sizeOf(path: string): number {
  try {
    const stat = statSync(path);
    if (!stat.isDirectory()) return stat.size;
    return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
  } catch {
    return 0;
  }
}

describeKafka('on Kafka', (address) => {
  test('prints the same rows, and a plain consumer finds the same counts in the topic', async () => {
    const topic = uniqueName('clicks');
    const args = ['run', script(topic), '--kafka', address, '--output', 'json', '--service-id', `${topic}_`];
    const { code, stdout, stderr } = await millrace(args);
    expect(stderr).toBe('');
    expect(lines(stdout)).toEqual(expectedRows());
    expect(code).toBe(0);

    const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
    const consumer = kafka.consumer({ groupId: uniqueName('reader') });
    const found: string[] = [];
    await consumer.connect();
    try {
      await consumer.subscribe({ topic: `${topic}-visits`, fromBeginning: true });
      await new Promise<void>((resolve) => {
        void consumer.run({
          eachMessage: ({ message }) => {
            const key = message.key!;
            const page = key.subarray(0, key.length - 8).toString();
            const { VISITS } = JSON.parse(message.value!.toString()) as { VISITS: number };
            found.push(
              JSON.stringify({ PAGE: page, WINDOWSTART: Number(key.readBigInt64BE(key.length - 8)), VISITS }),
            );
            if (found.length === EVENTS) resolve();
            return Promise.resolve();
          },
        });
      });
    } finally {
      await consumer.disconnect();
    }
    expect(found).toEqual(expectedRows());
  });
});
