import { expect, test } from 'vitest';
import { execute, openEngine } from '../../harness/open-engine.ts';

const SOURCES = `
  CREATE STREAM ONE (K STRING KEY, V INT) WITH (KAFKA_TOPIC='one', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='two', PARTITIONS=2, VALUE_FORMAT='JSON');`;

test.each([
  [
    "CREATE STREAM C WITH (KAFKA_TOPIC='one') AS SELECT K, V FROM S;",
    "CREATE STREAM C WITH (KAFKA_TOPIC='one', PARTITIONS=1) AS SELECT K, V FROM S;",
  ],
  [
    "CREATE STREAM C (K STRING KEY) WITH (KAFKA_TOPIC='one', VALUE_FORMAT='JSON', PARTITIONS=3);",
    "CREATE STREAM C (K STRING KEY) WITH (KAFKA_TOPIC='one', VALUE_FORMAT='JSON', PARTITIONS=1);",
  ],
])('who wants another number of partitions than a topic has is told what takes it: %s', async (sql, told) => {
  const engine = await openEngine();
  await execute(engine, SOURCES);
  await expect(execute(engine, sql)).rejects.toMatchObject({
    code: 'ML_TOPIC',
    hint: 'PARTITIONS=1 in the WITH clause takes the topic as it is',
  });
  await execute(engine, told);
  expect(engine.catalog.has('C')).toBe(true);
  await engine.close();
});
