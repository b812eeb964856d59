import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readTopic, runTopology, writeInput } from '../../examples/run.js';
import { systemClock, systemRandom } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openEngine } from '../../src/engine/open-engine.ts';
import { newSession } from '../../src/engine/session.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import type { Log } from '../../src/log/log.ts';
import { parseStatements } from '../../src/sql/parser/parse.ts';
import { openStateBackend } from '../../src/state/task-state.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';

/**
 * Every example gives the recorded output on the embedded log and on Kafka, and its SQL the same output as its topology.
 */

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));

interface Example {
  readonly inputTopics: Readonly<Record<string, number>>;
  readonly outputTopics: Readonly<Record<string, number>>;
  readonly windowed?: number;
  watch?(streams: unknown, print: (rows: unknown) => void, seconds: number): Promise<void>;
}

interface Shown {
  readonly key: string | null;
  readonly value: unknown;
  readonly timestamp: number;
}

const names = readdirSync(EXAMPLES).filter((name) => existsSync(`${EXAMPLES}${name}/topology.js`));

async function load(name: string): Promise<Example> {
  return ((await import(`../../examples/${name}/topology.js`)) as { example: Example }).example;
}

async function shown(log: Log, topic: string): Promise<Shown[]> {
  const records = (await readTopic(log, topic)) as {
    key: Buffer | null;
    value: Buffer | null;
    timestamp: number;
  }[];
  return records.map(({ key, value, timestamp }) => ({
    key: key === null ? null : key.toString('latin1'),
    value: value === null ? null : parse(value.toString()),
    timestamp,
  }));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Runs the example's SQL on the log that has its input. */
async function runSql(log: Log, text: string): Promise<void> {
  // The engine closes the log it is given; this one is still needed.
  const shared: Log = {
    ...log,
    admin: log.admin,
    openReader: (o) => log.openReader(o),
    openWriter: (o) => log.openWriter(o),
    close: () => Promise.resolve(),
  };
  const engine = await openEngine({
    log: shared,
    stateDirectory: null,
    state: openStateBackend(),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    serviceId: uniqueName('example'),
    commandLog: false,
    version: 'test',
  });
  try {
    for (const statement of parseStatements(text)) await engine.execute(statement, newSession());
    await engine.drain();
  } finally {
    await engine.close();
  }
}

describe.each(names)('%s', (name) => {
  test('its SQL gives what its topology gives', async (context) => {
    const example = await load(name);
    const file = `${EXAMPLES}${name}/query.sql`;
    const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
    try {
      await writeInput(example, log);
      await runTopology(example, log, 'app');
      const [topic] = Object.keys(example.outputTopics);
      const rows = await shown(log, topic!);
      expect(rows.length).toBeGreaterThan(0);
      if (!existsSync(file)) return context.skip('SQL cannot say this');
      await runSql(log, readFileSync(file, 'utf8'));
      // HAVING withdraws a row that no longer holds; a topology that writes a stream of warnings has nothing to withdraw.
      const sql = await shown(log, `sql-${topic!}`);
      expect(sql.filter(({ value }) => value !== null)).toEqual(rows.filter(({ value }) => value !== null));
    } finally {
      await log.close();
    }
    return undefined;
  });
});

test('the queryable store shows the counts', async () => {
  const example = await load('queryable-store');
  const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  const printed: unknown[] = [];
  await writeInput(example, log);
  await runTopology(example, log, 'app', (streams: unknown) =>
    example.watch!(streams, (rows) => printed.push(rows), 1),
  );
  expect(printed).toEqual([{ MSFT: 123, AMZN: 123, IBM: 123, GOOG: 68, AAPL: 123 }]);
  await log.close();
});

describeKafka('on Kafka', (address) => {
  test.each(names)('%s gives the same as on the embedded log', async (name) => {
    const example = await load(name);
    const own = uniqueName(name);
    const embedded = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
    const kafka = await openKafkaLog({
      brokers: [address],
      clientId: own,
      clock: systemClock,
      logger: silentLogger,
    });
    try {
      for (const topic of [...Object.keys(example.inputTopics), ...Object.keys(example.outputTopics)])
        await kafka.admin.deleteTopic(topic);
      await writeInput(example, embedded);
      await writeInput(example, kafka);
      await runTopology(example, embedded, 'app');
      await runTopology(example, kafka, own);
      for (const topic of Object.keys(example.outputTopics))
        expect(await shown(kafka, topic)).toEqual(await shown(embedded, topic));
    } finally {
      await embedded.close();
      await kafka.close();
    }
  });
});
