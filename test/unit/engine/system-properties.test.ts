import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import type { PropertyListing } from '../../../src/engine/result.ts';
import { newSession, type Session } from '../../../src/engine/session.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

const SOURCE =
  "CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);";

async function listed(
  engine: Engine,
  name: string,
  session: Session = newSession(),
): Promise<PropertyListing> {
  const { entity } = await execute(engine, 'SHOW PROPERTIES;', session);
  if (entity?.['@type'] !== 'properties') throw new Error('no properties');
  return entity.properties.find((each) => each.name === name)!;
}

test('ALTER SYSTEM holds for new queries of every session that does not set the property itself', async () => {
  const engine = await openEngine();
  await execute(engine, SOURCE);
  await execute(engine, 'CREATE STREAM BEFORE AS SELECT * FROM S;');
  await execute(engine, "ALTER SYSTEM 'ksql.streams.commit.interval.ms' = '250';");
  await execute(engine, 'CREATE STREAM AFTER AS SELECT * FROM S;');
  const session = newSession();
  await execute(engine, "SET 'commit.interval.ms' = '50'; CREATE STREAM OWN AS SELECT * FROM S;", session);
  const setting = (sink: string): string | undefined =>
    [...engine.queries.values()].find((query) => query.sink === sink)!.properties.get('commit.interval.ms');
  expect([setting('BEFORE'), setting('AFTER'), setting('OWN')]).toEqual([undefined, '250', '50']);
  expect(await listed(engine, 'commit.interval.ms')).toMatchObject({ scope: 'SYSTEM', value: '250' });
  expect(await listed(engine, 'commit.interval.ms', session)).toMatchObject({
    scope: 'SESSION',
    value: '50',
  });
  expect(await listed(engine, 'max.task.idle.ms')).toMatchObject({ scope: 'DEFAULT', value: '0' });
  await engine.close();
});

test('it decides what analysis and pull queries do, too', async () => {
  const engine = await openEngine();
  await execute(engine, `${SOURCE} CREATE TABLE T AS SELECT K, COUNT(*) N FROM S GROUP BY K;`);
  await execute(
    engine,
    "ALTER SYSTEM 'ksql.query.pull.table.scan.enabled' = 'false'; ALTER SYSTEM 'ksql.persistence.default.format.value' = 'JSON';",
  );
  await expect(execute(engine, 'SELECT * FROM T;')).rejects.toMatchObject({ code: 'ML_LIMIT' });
  await execute(engine, "CREATE STREAM PLAIN (K INT KEY, V INT) WITH (KAFKA_TOPIC='s');");
  await engine.close();
});

test.each([
  ["ALTER SYSTEM 'no.such.thing' = '1';", 'there is no property'],
  ["ALTER SYSTEM 'commit.interval.ms' = 'soon';", 'must be a whole number'],
])('%s is refused', async (sql, message) => {
  const engine = await openEngine();
  await expect(execute(engine, sql)).rejects.toMatchObject({
    code: 'ML_PROPERTY',
    message: expect.stringContaining(message) as string,
  });
  expect(engine.systemProperties.size).toBe(0);
  await engine.close();
});

test('it is there after a restart, and queries keep what held when they were created', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-system-'));
  try {
    const before = await openEngine(directory, { properties: new Map([['max.task.idle.ms', '7']]) });
    await execute(
      before,
      `${SOURCE} ALTER SYSTEM 'commit.interval.ms' = '250'; CREATE STREAM C AS SELECT * FROM S;
       ALTER SYSTEM 'commit.interval.ms' = '300';`,
    );
    await before.close();
    const after = await openEngine(directory);
    expect(await listed(after, 'commit.interval.ms')).toMatchObject({ scope: 'SYSTEM', value: '300' });
    expect(Object.fromEntries([...after.queries.values()][0]!.properties)).toEqual({
      'commit.interval.ms': '250',
      'max.task.idle.ms': '7',
    });
    await after.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
