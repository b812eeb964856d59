import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runTests } from '../../../src/test-runner/run-tests.ts';
import { systemClock } from '../../../src/common/clock.ts';
import type { CaseResult } from '../../../src/test-runner/case.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-cases-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

async function run(
  cases: readonly object[],
  optimizer = true,
): Promise<{ results: readonly CaseResult[]; lines: readonly string[]; ok: boolean }> {
  writeFileSync(join(directory, 'cases.json'), JSON.stringify({ tests: cases }));
  const report = join(directory, 'report');
  const lines: string[] = [];
  const ok = await runTests({
    paths: [directory],
    report,
    optimizer,
    clock: systemClock,
    write: (text) => lines.push(text),
  });
  return { ok, lines, results: JSON.parse(readFileSync(report, 'utf8')) as CaseResult[] };
}

const LETTERS = "CREATE STREAM S (K STRING KEY, V STRING) WITH (KAFKA_TOPIC='in', VALUE_FORMAT='JSON');";
const COPY = 'CREATE STREAM COPY AS SELECT * FROM S;';
const input = (value: string): object => ({ topic: 'in', key: 'k', value: { V: value } });
const output = (value: string, topic = 'COPY'): object => ({ topic, key: 'k', value: { V: value } });

test.each([true, false])('what is expected is found, optimizer %s', async (optimizer) => {
  const { results, lines, ok } = await run(
    [{ name: 'copied', statements: [LETTERS, COPY], inputs: [input('a')], outputs: [output('a')] }],
    optimizer,
  );
  expect(results.map(({ status }) => status)).toEqual(['passed']);
  expect(lines).toEqual(['1 passed, 0 failed, 0 skipped\n']);
  expect(ok).toBe(true);
});

test('a wrong value, a missing record, one too many, a wrong key, header, timestamp and window each fail', async () => {
  const base = { statements: [LETTERS, COPY], inputs: [input('a'), input('b')] };
  const { results, lines, ok } = await run([
    { name: 'value', ...base, outputs: [output('a'), output('x')] },
    { name: 'missing', ...base, outputs: [output('a'), output('b'), output('c')] },
    { name: 'too many', ...base, outputs: [output('a')] },
    { name: 'key', ...base, outputs: [{ ...output('a'), key: 'l' }, output('b')] },
    {
      name: 'header',
      ...base,
      outputs: [{ ...output('a'), headers: [{ KEY: 'h', VALUE: '' }] }, output('b')],
    },
    { name: 'timestamp', ...base, outputs: [{ ...output('a'), timestamp: 1 }, output('b')] },
    {
      name: 'window',
      ...base,
      outputs: [{ ...output('a'), window: { start: 0, end: 1, type: 'time' } }, output('b')],
    },
  ]);
  expect(results.map(({ name, reason }) => [name, reason])).toEqual([
    ['value', 'topic COPY, record 1: value V: expected "x", found "b"'],
    ['missing', 'topic COPY: expected 3 records, found 2'],
    ['too many', 'topic COPY: expected 1 records, found 2; the next is "k" = {"V":"b"}'],
    ['key', 'topic COPY, record 0: key expected "l", found "k"'],
    ['header', 'topic COPY, record 0: expected headers [h=], found []'],
    ['timestamp', 'topic COPY, record 0: expected timestamp 1, found 0'],
    ['window', 'topic COPY, record 0: the key has no window'],
  ]);
  expect(lines[0]).toBe(`${join(directory, 'cases.json')}: value: ${results[0]!.reason}\n`);
  expect(lines.at(-1)).toBe('0 passed, 7 failed, 0 skipped\n');
  expect(ok).toBe(false);
});

test('a rejection passes only when the last statement is what is rejected', async () => {
  const expectedException = { type: 'any' };
  const { results } = await run([
    { name: 'last', statements: [LETTERS, 'CREATE STREAM X AS SELECT NOPE FROM S;'], expectedException },
    { name: 'last, syntax', statements: [LETTERS, 'CREATE STREAM X AS AS;'], expectedException },
    { name: 'first', statements: ['CREATE STREAM X AS SELECT * FROM NOPE;', LETTERS], expectedException },
    { name: 'first, syntax', statements: ['CREATE STREAM AS;', LETTERS], expectedException },
    { name: 'none', statements: [LETTERS, COPY], expectedException },
    { name: 'unexpected', statements: [LETTERS, 'CREATE STREAM X AS SELECT NOPE FROM S;'] },
  ]);
  expect(results.map(({ status }) => status)).toEqual([
    'passed',
    'passed',
    'failed',
    'failed',
    'failed',
    'failed',
  ]);
  expect(results[4]!.reason).toBe('expected a rejection, but everything was accepted');
});

test('queries run one after another over the whole input, in the order of their creation', async () => {
  const { results } = await run([
    {
      name: 'chain',
      statements: [
        LETTERS,
        COPY,
        'CREATE STREAM BOTH AS SELECT * FROM S;',
        'INSERT INTO BOTH SELECT * FROM COPY;',
        'CREATE STREAM LAST AS SELECT * FROM BOTH;',
      ],
      inputs: [input('a'), input('b')],
      outputs: ['a', 'b', 'a', 'b'].flatMap((value) => [output(value, 'BOTH'), output(value, 'LAST')]),
    },
  ]);
  expect(results[0]!.reason).toBeNull();
});

test('a topic that is fed and written to holds its inputs, then what was written', async () => {
  const { results } = await run([
    {
      name: 'both',
      statements: [
        LETTERS,
        LETTERS.replace('STREAM S', 'STREAM T').replace("'in'", "'more'"),
        'INSERT INTO S SELECT * FROM T;',
      ],
      inputs: [{ ...input('a'), topic: 'more' }, input('b')],
      outputs: [output('b', 'in'), output('a', 'in')],
    },
  ]);
  expect(results[0]!.reason).toBeNull();
});

test('records of several topics are fed in the order of the case, each through the whole topology', async () => {
  const table =
    "CREATE TABLE T (K STRING PRIMARY KEY, W STRING) WITH (KAFKA_TOPIC='table', VALUE_FORMAT='JSON');";
  const row = (value: string): object => ({ topic: 'table', key: 'k', value: { W: value } });
  const { results } = await run([
    {
      name: 'join',
      topics: [
        { name: 'in', partitions: 4 },
        { name: 'table', partitions: 4 },
      ],
      statements: [LETTERS, table, 'CREATE STREAM J AS SELECT S.K K, V, W FROM S JOIN T ON S.K = T.K;'],
      inputs: [input('early'), row('one'), input('a'), row('two'), input('b')],
      outputs: [
        { topic: 'J', key: 'k', value: { V: 'a', W: 'one' } },
        { topic: 'J', key: 'k', value: { V: 'b', W: 'two' } },
      ],
    },
  ]);
  expect(results[0]!.reason).toBeNull();
});

test('windowed keys are written and read with their windows', async () => {
  const statements = [
    LETTERS,
    'CREATE TABLE C AS SELECT K, COUNT(*) N FROM S WINDOW TUMBLING (SIZE 10 MILLISECONDS) GROUP BY K;',
  ];
  const outputs = (end: number): object[] => [
    { topic: 'C', key: 'k', value: { N: 1 }, timestamp: 12, window: { start: 10, end, type: 'time' } },
  ];
  const inputs = [{ ...input('a'), timestamp: 12 }];
  const { results } = await run([
    { name: 'right', statements, inputs, outputs: outputs(20) },
    { name: 'wrong', statements, inputs, outputs: outputs(21) },
  ]);
  expect(results.map(({ reason }) => reason)).toEqual([
    null,
    'topic C, record 0: expected time window 10..21, found time window 10..20',
  ]);
});

test('what the catalog and the topics have to be is checked', async () => {
  const base = { statements: [LETTERS, COPY], inputs: [input('a')], outputs: [output('a')] };
  const source = (more: object): object => ({
    post: { sources: [{ name: 'COPY', type: 'stream', ...more }] },
  });
  const { results } = await run([
    {
      name: 'right',
      ...base,
      ...source({ schema: 'K STRING KEY, V STRING', keyFormat: { format: 'KAFKA' } }),
    },
    { name: 'schema', ...base, ...source({ schema: 'K STRING, V STRING' }) },
    { name: 'type', ...base, ...source({ type: 'table' }) },
    { name: 'format', ...base, ...source({ keyFormat: { format: 'JSON' } }) },
    { name: 'window', ...base, ...source({ keyFormat: { format: 'KAFKA', windowType: 'SESSION' } }) },
    { name: 'missing', ...base, post: { sources: [{ name: 'NOPE', type: 'stream' }] } },
    { name: 'topic', ...base, post: { topics: { topics: [{ name: 'COPY', partitions: 2 }] } } },
    { name: 'blacklist', ...base, post: { topics: { blacklist: '^CO' } } },
  ]);
  expect(results.map(({ name, status }) => [name, status])).toEqual([
    ['right', 'passed'],
    ['schema', 'failed'],
    ['type', 'failed'],
    ['format', 'failed'],
    ['window', 'failed'],
    ['missing', 'failed'],
    ['topic', 'failed'],
    ['blacklist', 'failed'],
  ]);
});

test('headers go along, through repartitioning and aggregation too', async () => {
  const headers = [
    { KEY: 'a', VALUE: 'IQ==' },
    { KEY: 'a', VALUE: null },
  ];
  const { results } = await run([
    {
      name: 'headers',
      statements: [LETTERS, COPY, 'CREATE TABLE COUNTS AS SELECT V, COUNT(*) N FROM S GROUP BY V;'],
      inputs: [{ ...input('x'), headers }, input('x')],
      outputs: [
        { ...output('x'), headers },
        output('x'),
        { topic: 'COUNTS', key: 'x', value: { N: 1 }, headers },
        { topic: 'COUNTS', key: 'x', value: { N: 2 } },
      ],
    },
  ]);
  expect(results[0]!.reason).toBeNull();
});

test('topics that nothing sizes have as many partitions as four that are asked for', async () => {
  const cities =
    "CREATE TABLE CITIES (C INT PRIMARY KEY, N STRING) WITH (KAFKA_TOPIC='c', VALUE_FORMAT='JSON');";
  const copy = (partitions: number): string =>
    `CREATE TABLE SPREAD WITH (PARTITIONS=${partitions}) AS SELECT C, N AS M FROM CITIES;`;
  const join = 'CREATE TABLE BOTH AS SELECT S.C, N, M FROM SPREAD S JOIN CITIES ON S.C = CITIES.C;';
  const { results } = await run([
    {
      name: 'four',
      statements: [cities, copy(4), join],
      inputs: [{ topic: 'c', key: 1, value: { N: 'Ulm' } }],
      outputs: [{ topic: 'BOTH', key: 1, value: { N: 'Ulm', M: 'Ulm' } }],
    },
    { name: 'three', statements: [cities, copy(3), join] },
  ]);
  expect(results.map(({ status }) => status)).toEqual(['passed', 'failed']);
  expect(results[1]!.reason).toContain('SPREAD has 3 partitions and CITIES has 4');
});

test('a topic that CREATE … AS makes has its partitions, also where a later statement declares it', async () => {
  const statements = [
    LETTERS.replace(');', ', PARTITIONS=2);'),
    "CREATE STREAM MADE WITH (KAFKA_TOPIC='made') AS SELECT * FROM S;",
    "CREATE STREAM DECLARED (K STRING KEY, V STRING) WITH (KAFKA_TOPIC='made', VALUE_FORMAT='JSON');",
    'CREATE STREAM COPY AS SELECT * FROM DECLARED;',
  ];
  const post = { topics: { topics: ['made', 'COPY'].map((name) => ({ name, partitions: 2 })) } };
  const { results } = await run([
    { name: 'made', statements, inputs: [input('a')], outputs: [output('a')], post },
  ]);
  expect(results[0]!.reason).toBeNull();
});
