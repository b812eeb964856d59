import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CaseResult } from '../../../src/test-runner/case.ts';
import { matchResponses } from '../../../src/test-runner/match-responses.ts';
import { runTests } from '../../../src/test-runner/run-tests.ts';
import { systemClock } from '../../../src/common/clock.ts';
import { type JsonNode, parseJson } from '../../../src/types/json-node.ts';
import { startServer } from '../../../src/server/server.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-rest-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

async function run(cases: readonly object[], withServer = true): Promise<readonly CaseResult[]> {
  writeFileSync(join(directory, 'cases.json'), JSON.stringify({ tests: cases }));
  const report = join(directory, 'report');
  await runTests({
    paths: [directory],
    report,
    optimizer: true,
    clock: systemClock,
    ...(withServer
      ? { serve: (engine) => startServer({ engine, host: '127.0.0.1', port: 0, version: 'test' }) }
      : {}),
    write: () => undefined,
  });
  return JSON.parse(readFileSync(report, 'utf8')) as CaseResult[];
}

const STATEMENTS = [
  "CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='in', VALUE_FORMAT='JSON');",
  'CREATE TABLE T AS SELECT K, COUNT(*) N FROM S GROUP BY K;',
  "SELECT * FROM T WHERE K = 'a';",
];
const INPUTS = [
  { topic: 'in', key: 'a', value: { V: 1 } },
  { topic: 'in', key: 'a', value: { V: 2 } },
];
const ADMIN = [
  { admin: { '@type': 'currentStatus' } },
  { admin: { '@type': 'currentStatus', statementText: '{STATEMENT}' } },
];
const answer = (...columns: unknown[]): object => ({
  query: [{ header: { schema: '`K` STRING KEY, `N` BIGINT' } }, { row: { columns } }],
});

test('a pull query sees what the inputs came to', async () => {
  const results = await run([
    { name: 'right', statements: STATEMENTS, inputs: INPUTS, responses: [...ADMIN, answer('a', 2)] },
    { name: 'wrong', statements: STATEMENTS, inputs: INPUTS, responses: [...ADMIN, answer('a', 1)] },
    {
      name: 'outputs',
      statements: STATEMENTS.slice(0, 2),
      inputs: INPUTS,
      responses: ADMIN,
      outputs: [
        { topic: 'T', key: 'a', value: { N: 1 } },
        { topic: 'T', key: 'a', value: { N: 3 } },
      ],
    },
  ]);
  expect(results.map(({ reason }) => reason)).toEqual([
    null,
    'response 2: expected a row ["a",1] among ["a",2]',
    'topic T, record 1: value N: expected 3, found 2',
  ]);
});

test('a rejection is judged by status and kind', async () => {
  const expectedError = (kind: string, status = 400): object => ({
    type: `x.${kind}`,
    message: 'any',
    status,
  });
  const statements = [STATEMENTS[0], 'SELECT NOPE FROM S;'];
  const results = await run([
    { name: 'right', statements, expectedError: expectedError('KsqlStatementErrorMessage') },
    { name: 'kind', statements, expectedError: expectedError('KsqlErrorMessage') },
    { name: 'any kind', statements, expectedError: { message: 'no' } },
    { name: 'status', statements, expectedError: expectedError('KsqlStatementErrorMessage', 404) },
    { name: 'none', statements: STATEMENTS, expectedError: expectedError('KsqlStatementErrorMessage') },
    { name: 'unexpected', statements, responses: [] },
  ]);
  expect(results.map(({ status }) => status)).toEqual([
    'passed',
    'failed',
    'passed',
    'failed',
    'failed',
    'failed',
  ]);
});

test('a push query may run before the inputs come', async () => {
  const [result] = await run([
    {
      name: 'push',
      statements: [STATEMENTS[0], 'SELECT V FROM S EMIT CHANGES LIMIT 2;'],
      properties: { 'auto.offset.reset': 'latest' },
      inputConditions: { waitForActivePushQuery: true },
      inputs: INPUTS,
      responses: [
        ADMIN[0],
        {
          query: [
            { header: { schema: '`V` INTEGER' } },
            { row: { columns: [1] } },
            { row: { columns: [2] } },
            { finalMessage: 'Limit Reached' },
          ],
        },
      ],
    },
  ]);
  expect(result?.reason).toBeNull();
});

test('without a server such cases are skipped', async () => {
  const results = await run([{ name: 'n', statements: STATEMENTS, responses: [] }], false);
  expect(results).toMatchObject([{ status: 'skipped', reason: 'needs a server' }]);
});

test.each([
  ['{"a":1}', '{"a":1,"b":2}', true],
  ['{"a":{"b":"x"}}', '{"a":{"b":"x","c":1}}', true],
  ['{"id|starts_with":"CSAS_"}', '{"id":"CSAS_OUT_3"}', true],
  ['{"text":"{STATEMENT}"}', '{"text":"the statement"}', true],
  ['{"a":1.5}', '{"a":1.50}', true],
  ['{"a":1}', '{"b":1}', false],
  ['{"a":1}', '{"a":1.0}', false],
  ['{"a":[1,2]}', '{"a":[2,1]}', false],
  ['{"id|starts_with":"CTAS_"}', '{"id":"CSAS_OUT_3"}', false],
  ['{"text":"{STATEMENT}"}', '{"text":"another"}', false],
])('%s expected of %s', (expected, found, matches) => {
  const wanted = new Map<string, JsonNode>([['admin', parseJson(expected)]]);
  const reason = matchResponses([wanted], [{ kind: 'admin', node: parseJson(found) }], () => 'the statement');
  expect(reason === null).toBe(matches);
});

const STARTED_FIRST = { inputConditions: { waitForActivePushQuery: true } };
const LATEST = { properties: { 'auto.offset.reset': 'latest' } };
const COPIED = [STATEMENTS[0]!, 'CREATE STREAM COPY AS SELECT * FROM S;'];
const follows = (query: string, id: string, ...rows: readonly object[]): object => ({
  name: query,
  statements: [...COPIED, query],
  inputs: INPUTS,
  ...STARTED_FIRST,
  responses: [
    ...ADMIN,
    { query: [{ header: { 'queryId|starts_with': id } }, ...rows, { finalMessage: 'Limit Reached' }] },
  ],
});

test('what ksqlDB answers from a running query is named so; all else is transient', async () => {
  const row = (...columns: unknown[]): object => ({ row: { columns } });
  const results = await run([
    {
      ...follows('SELECT V FROM COPY EMIT CHANGES LIMIT 1;', 'SCALABLE_PUSH_QUERY_COPY_', row(1)),
      ...LATEST,
    },
    {
      ...follows('SELECT V FROM COPY WHERE V > 1 EMIT CHANGES LIMIT 1;', 'SCALABLE_PUSH_QUERY', row(2)),
      ...LATEST,
    },
    follows('SELECT V FROM COPY EMIT CHANGES LIMIT 1;', 'transient_COPY_', row(1)),
    { ...follows('SELECT V FROM S EMIT CHANGES LIMIT 1;', 'transient_S_', row(1)), ...LATEST },
    { ...follows('SELECT ROWOFFSET O FROM COPY EMIT CHANGES LIMIT 1;', 'transient_', row(0)), ...LATEST },
    { ...follows('SELECT COUNT(*) N FROM COPY EMIT CHANGES LIMIT 1;', 'transient_', row(1)), ...LATEST },
  ]);
  expect(results.map(({ reason }) => reason)).toEqual(results.map(() => null));
});

test('LIMIT 0 is answered with its header and its end', async () => {
  const results = await run([
    { ...follows('SELECT * FROM COPY EMIT CHANGES LIMIT 0;', 'SCALABLE_PUSH_QUERY'), ...LATEST },
    follows('SELECT * FROM S EMIT CHANGES LIMIT 0;', 'transient_S'),
  ]);
  expect(results.map(({ reason }) => reason)).toEqual([null, null]);
});
