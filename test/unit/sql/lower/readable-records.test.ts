import { expect, test } from 'vitest';
import { type PipelineRecord, runSql } from './sql-pipeline.ts';

// Which records cannot be read is said of the records, whatever a query makes of them.
const values = [
  '{"V":1,"N":"a"}',
  'garbage{{',
  '{"V":"x"}',
  '{"V":1}{}',
  '{"V":99999999999}',
  '{"V":1,"M":[1,"x"]}',
];
const UNREADABLE = [1, 2, 3, 4, 5];

const declare = (kind: string, name: string, key: string): string =>
  `CREATE ${kind} ${name} (K INT ${key}, V INT, N STRING, M ARRAY<INT>, D DECIMAL(4, 2))
     WITH (KAFKA_TOPIC='${name}', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');`;

const topic = (name: string): PipelineRecord[] =>
  values.map((value, i) => ({ topic: name, key: '\0\0\0\x01', value, partition: 0, timestamp: i }));

const streams =
  declare('STREAM', 'S', 'KEY') + declare('STREAM', 'O', 'KEY') + declare('TABLE', 'T', 'PRIMARY KEY');

test.each([
  ['a count', 'TABLE OUT AS SELECT K, COUNT(*) AS C FROM S GROUP BY K;'],
  ['a count of a column', 'TABLE OUT AS SELECT K, COUNT(V) AS C FROM S GROUP BY K;'],
  [
    'a windowed count',
    'TABLE OUT AS SELECT K, COUNT(*) AS C FROM S WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY K;',
  ],
  ['a count of groups', 'TABLE OUT AS SELECT N, COUNT(*) AS C FROM S GROUP BY N;'],
  ['all columns', 'STREAM OUT AS SELECT * FROM S;'],
  ['the key alone', 'STREAM OUT AS SELECT K, AS_VALUE(K) AS L FROM S WHERE K = 1;'],
  ['a constant', 'STREAM OUT AS SELECT K, 1 AS ONE FROM S;'],
  ['another key', 'STREAM OUT AS SELECT N, 1 AS ONE FROM S PARTITION BY N;'],
  ['a filter of one column', "STREAM OUT AS SELECT K, D FROM S WHERE N = 'a';"],
  ['a join', 'STREAM OUT AS SELECT S.K AS K, S.D AS D FROM S JOIN O WITHIN 1 HOUR ON S.K = O.K;'],
])('%s skips what cannot be read', async (_title, query) => {
  for (const optimized of [false, true]) {
    const { skipped } = await runSql(`${streams} CREATE ${query}`, topic('S'), { optimized });
    expect(skipped.map(({ reason, topic, offset }) => `${reason} ${topic} ${offset}`)).toEqual(
      UNREADABLE.map((offset) => `deserialization S ${offset}`),
    );
  }
});

test.each([
  ['a table', 'TABLE OUT AS SELECT K, 1 AS ONE FROM T;', 'T'],
  ['a count of a table', 'TABLE OUT AS SELECT N, COUNT(*) AS C FROM T GROUP BY N;', 'T'],
  ["a join's table", 'STREAM OUT AS SELECT S.K AS K, 1 AS ONE FROM S JOIN T ON S.K = T.K;', 'T'],
  ["a join's stream", 'STREAM OUT AS SELECT S.K AS K, T.D AS D FROM S JOIN T ON S.K = T.K;', 'S'],
])('%s skips what cannot be read', async (_title, query, side) => {
  for (const optimized of [false, true]) {
    const { skipped } = await runSql(`${streams} CREATE ${query}`, topic(side), { optimized });
    const unreadable = skipped.filter(({ reason }) => reason === 'deserialization');
    expect(unreadable.map(({ topic, offset }) => `${topic} ${offset}`)).toEqual(
      UNREADABLE.map((offset) => `${side} ${offset}`),
    );
  }
});

test('a push query skips what cannot be read', async () => {
  for (const optimized of [false, true]) {
    const { skipped, pushed } = await runSql(`${streams} SELECT K FROM S EMIT CHANGES;`, topic('S'), {
      optimized,
    });
    expect(skipped.map(({ offset }) => offset)).toEqual(UNREADABLE);
    expect(pushed).toHaveLength(1);
  }
});

test('which part of a record cannot be read is told, and nothing of one that is dropped for another reason', async () => {
  const statements = `${declare('STREAM', 'S', 'KEY')} CREATE STREAM OUT AS SELECT K, 10 / V AS W FROM S;`;
  const record = (key: string, value: string): PipelineRecord => ({
    topic: 'S',
    key,
    value,
    partition: 0,
    timestamp: 0,
  });
  const four = '\0\0\0\x01';
  const records = [record(four, '{"V":"x"}'), record('five!', '{"V":1}'), record(four, '{"V":0}')];
  const { skipped } = await runSql(statements, records, { optimized: true });
  expect(skipped.map(({ reason, unreadable }) => [reason, unreadable])).toEqual([
    ['deserialization', 'value'],
    ['deserialization', 'key'],
    ['evaluation', null],
  ]);
});
