import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../src/log/log.ts';
import { appendRecord } from '../harness/append-record.ts';
import { execute } from '../harness/open-engine.ts';
import { runScript } from '../harness/run-script.ts';
import { clockAt, COMPAT, openService, rowsOf, textOf, unpack } from './service.ts';

/**
 * What earlier releases have written goes on: data directories with the state of every kind of query, command topics,
 * stored plans. What is in the folders is never made again, only added to (`generate.ts`).
 */

const RELEASES = readdirSync(COMPAT).filter((name) => /^\d+\.\d+\.\d+$/.test(name));
const COMMAND_TOPIC = '_millrace_compat__command_topic';

let directory: string;
let engine: Engine | null = null;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-compat-'));
});
afterEach(async () => {
  await engine?.close();
  engine = null;
  rmSync(directory, { recursive: true });
});

/** A log with a command topic as it was, and the topics of the sources. */
async function logWith(lines: string, release: string): Promise<Log> {
  const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  await log.admin.createTopic({
    name: COMMAND_TOPIC,
    partitions: 1,
    configs: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' },
  });
  for (const [, source, sink] of textOf(release, 'statements.sql').matchAll(
    /KAFKA_TOPIC='(\w+)'.*PARTITIONS|^CREATE (?:STREAM|TABLE) (\w+) (?:AS|WITH)/gm,
  ))
    await log.admin.createTopic({ name: (source ?? sink)!, partitions: 2 });
  const writer = await log.openWriter();
  const records = lines
    .split('\n')
    .filter((each) => each !== '')
    .map((line) => JSON.parse(line) as { offset: number; key: string | null; value: string | null });
  // What is below the first of them was deleted.
  const partition = { topic: COMMAND_TOPIC, partition: 0 };
  let next = 0;
  for (const { offset, key, value } of records) {
    while (next++ < offset) appendRecord(writer, partition, { value: 'deleted' });
    appendRecord(writer, partition, { key, value });
  }
  await writer.flush();
  await log.admin.deleteRecords({ ...partition, offset: records[0]!.offset });
  await writer.close();
  return log;
}

/** Feeds all that there is to queries without state. */
async function feedAll(release: string): Promise<void> {
  await execute(engine!, textOf(release, 'before.sql'));
  await engine!.drain();
  await execute(engine!, textOf(release, 'after.sql'));
}

const running = (): readonly string[] =>
  [...engine!.queries.values()].filter(({ state }) => state === 'RUNNING').map(({ id }) => id);

describe.each(RELEASES)('of release %s', (release) => {
  const { at } = JSON.parse(textOf(release, 'written.json')) as { readonly at: number };
  const expected = JSON.parse(textOf(release, 'expected.json')) as Record<
    'service' | 'script',
    Record<string, readonly string[]>
  >;
  const unpackDirectory = (): void =>
    unpack(readFileSync(join(COMPAT, release, 'directory.json.gz')), directory);

  // It takes seconds: two dozen queries with two tasks each, whose state is opened or built again.
  test.each([
    ['opens, with the state that lies there', false],
    ['opens without its local state, which is built again', true],
  ])('a data directory %s', async (_, withoutState) => {
    unpackDirectory();
    if (withoutState) rmSync(join(directory, 'state'), { recursive: true });
    const warnings: unknown[] = [];
    engine = await openService(directory, clockAt(at + 1000), {}, warnings);
    expect(engine.failedStatements).toEqual([]);
    expect(running()).toHaveLength(engine.queries.size);
    expect(engine.queries.size).toBeGreaterThanOrEqual(20);
    await execute(engine, textOf(release, 'after.sql'));
    expect(await rowsOf(engine, textOf(release, 'reads.sql'))).toEqual(expected.service);
    await engine.close();

    engine = await openService(
      directory,
      clockAt(at + 60_000),
      { serviceId: 'script_', commandLog: false, keepQueries: true },
      warnings,
    );
    await runScript(engine, textOf(release, 'script.sql'));
    expect([...engine.queries.keys()]).toEqual(engine.kept!.all().map(({ queryId }) => queryId));
    expect(await rowsOf(engine, textOf(release, 'script-reads.sql'))).toEqual(expected.script);
    // Nothing had to be built again.
    expect(warnings).toEqual([]);
  });

  test('a command topic of Kafka is replayed, and its plans run', async () => {
    const log = await logWith(textOf(release, 'command-topic.jsonl'), release);
    engine = await openService(null, systemClock, {}, [], log);
    expect(engine.failedStatements).toEqual([]);
    for (const { id, stored } of engine.queries.values()) expect([id, stored.release]).toEqual([id, release]);
    await feedAll(release);
    const found = await rowsOf(engine, textOf(release, 'reads.sql'));
    // What was replaced before the first row came is other than what was replaced in between.
    const replaced = ['SELECT * FROM BY_PAGE;', 'SELECT * FROM LARGE;'];
    for (const sql of replaced) expect(found[sql]).not.toEqual([]);
    const others = Object.entries(found).filter(([sql]) => !replaced.includes(sql));
    expect(Object.fromEntries(others)).toMatchObject(
      Object.fromEntries(Object.entries(expected.service).filter(([sql]) => !replaced.includes(sql))),
    );
  });
});

test('commands of versions 1 and 2, which have no plans, are replayed', async () => {
  const [release] = RELEASES;
  const log = await logWith(textOf('commands-1-2', 'command-topic.jsonl'), release!);
  engine = await openService(null, systemClock, {}, [], log);
  expect(engine.failedStatements).toEqual([]);
  expect(running()).toHaveLength(engine.queries.size);
  expect(engine.queries.size).toBeGreaterThanOrEqual(20);
  await feedAll(release!);
  const { service } = JSON.parse(textOf(release!, 'expected.json')) as {
    service: Record<string, readonly string[]>;
  };
  const found = await rowsOf(engine, textOf(release!, 'reads.sql'));
  expect(found['SELECT * FROM SESSIONS;']).toEqual(service['SELECT * FROM SESSIONS;']);
  expect(found['SELECT * FROM COUNTS;']).toEqual(service['SELECT * FROM COUNTS;']);
});
