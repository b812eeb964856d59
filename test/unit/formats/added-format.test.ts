import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { runTests } from '../../../src/test-runner/run-tests.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

// A format is one literal and one line: KV is in the list here, and nothing else knows of it.

vi.mock(import('../../../src/formats/every-format.ts'), async (original) => {
  const [real, { kv }] = await Promise.all([original(), import('../../fixtures/kv-format.ts')]);
  return { ...real, FORMATS: [...real.FORMATS, kv, { ...kv, name: 'KV_SR', registered: true, guesses: [] }] };
});

let engine: Engine | null = null;
afterEach(() => engine?.close());

test('it is created, inserted into, queried, grouped, joined and printed', async () => {
  engine = await openEngine();
  await execute(
    engine,
    `CREATE STREAM S (K INT KEY, A STRING, B INT) WITH (KAFKA_TOPIC='s', FORMAT='KV', VALUE_SEPARATOR='|', PARTITIONS=1);
     CREATE TABLE T (A STRING PRIMARY KEY, N INT) WITH (KAFKA_TOPIC='t', FORMAT='KV', PARTITIONS=1);
     CREATE STREAM C AS SELECT K, UCASE(A) AS A, B + 1 AS B FROM S;
     CREATE STREAM J AS SELECT S.A AS A, K, N FROM S JOIN T ON S.A = T.A;
     CREATE TABLE G AS SELECT A, B, COUNT(*) AS N FROM S GROUP BY A, B;
     INSERT INTO T VALUES ('x y', 7);
     INSERT INTO S VALUES (1, 'x y', 2);
     INSERT INTO S VALUES (2, NULL, 3);`,
  );
  const rowsOf = async (sql: string) => (await execute(engine!, sql)).rows;
  expect(await rowsOf('SELECT * FROM C EMIT CHANGES LIMIT 2;')).toEqual([
    [1, 'X Y', 3],
    [2, null, 4],
  ]);
  expect(await rowsOf('SELECT A, K, N FROM J EMIT CHANGES LIMIT 1;')).toEqual([['x y', 1, 7]]);
  expect(await rowsOf('SELECT A, B, N FROM G EMIT CHANGES LIMIT 1;')).toEqual([['x y', 2, 1]]);
  const printed = async (topic: string) =>
    (await rowsOf(`PRINT ${topic} FROM BEGINNING LIMIT 1;`)).map(([line]) => line as string).join('\n');
  expect(await printed('C')).toMatch(/Value format: KAFKA_STRING or KV\n.*key: 1, value: A=X%20Y\|B=3,/);
  // Several key columns are a record, and its names are those of the columns.
  expect(await printed('G')).toMatch(/key: A=x%20y;B=2, value: N=1,/);
});

test('keys of a format with registered schemas are written in another before they meet', async () => {
  engine = await openEngine();
  const planOf = async (format: string) => {
    const source = `${format}_S`;
    await execute(
      engine!,
      `CREATE STREAM ${source} (K INT KEY, A STRING) WITH (KAFKA_TOPIC='${source}', FORMAT='${format}', PARTITIONS=1);`,
    );
    const { entity } = await execute(
      engine!,
      `EXPLAIN SELECT A, COUNT(*) FROM ${source} GROUP BY A EMIT CHANGES;`,
    );
    return JSON.stringify(entity);
  };
  expect(await planOf('KV')).toContain('key [A] KV unwrapped');
  expect(await planOf('KV_SR')).toContain('key [A] JSON unwrapped');
});

test('the test runner writes and reads its records', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-format-'));
  const lines: string[] = [];
  try {
    writeFileSync(
      join(directory, 'kv.test.sql'),
      `statement ok
CREATE TABLE T (K INT PRIMARY KEY, A STRING) WITH (KAFKA_TOPIC='t', FORMAT='KV', PARTITIONS=1);
CREATE TABLE U WITH (VALUE_FORMAT='JSON') AS SELECT * FROM T;
CREATE TABLE V AS SELECT K, UCASE(A) AS A FROM T;
statement error ML_FORMAT
CREATE STREAM BAD (K INT KEY, D DOUBLE) WITH (KAFKA_TOPIC='bad', FORMAT='KV', PARTITIONS=1);
produce t
1 A=a%20b @5
one A=c @6
1 - @7
expect U
1 {"A": "a b"} @5
1 null @7
expect V
1 A=A%20B @5
1 null @7
`,
    );
    const ok = await runTests({
      paths: [directory],
      optimizer: true,
      clock: systemClock,
      write: (text) => lines.push(text),
    });
    expect([ok, ...lines]).toEqual([true, '2 passed, 0 failed, 0 skipped\n']);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
