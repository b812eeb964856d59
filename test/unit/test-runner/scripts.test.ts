import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readScript } from '../../../src/test-runner/read-script.ts';
import { runTests } from '../../../src/test-runner/run-tests.ts';
import { printJson } from '../../../src/types/json-node.ts';
import { systemClock } from '../../../src/common/clock.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-scripts-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

/** What is said about the script, optimized; null when it holds. */
async function reasonOf(script: string): Promise<string | null> {
  const file = join(directory, 'script.test.sql');
  writeFileSync(file, script);
  const lines: string[] = [];
  await runTests({
    paths: [directory],
    optimizer: true,
    clock: systemClock,
    write: (text) => lines.push(text),
  });
  return lines.length === 1
    ? null
    : lines[0]!
        .slice(`${file}: script`.length)
        .replace(/^.*?: /, '')
        .trim();
}

const STREAM = `statement ok
CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
CREATE STREAM COPY AS SELECT * FROM S;
produce s
a {"V": 1} @5
`;

test('records are read with their windows and timestamps', () => {
  const [step] = readScript('expect t\n1 {"A": [1, 2]} @5\n"a b" [0..10] null\n{"X": 1} x,y\n[1,2] 7 @-1\n');
  expect(step).toMatchObject({ kind: 'expect', topic: 't', line: 1 });
  const records = step?.kind === 'expect' ? step.records : [];
  expect(
    records.map((each) => [printJson(each.key), printJson(each.value), each.window, each.timestamp]),
  ).toEqual([
    ['1', '{"A":[1,2]}', null, 5],
    ['"a b"', 'null', { start: 0, end: 10, kind: 'time' }, null],
    ['{"X":1}', '"x,y"', null, null],
    ['[1,2]', '7', null, -1],
  ]);
});

test('a line that begins no step is named', () => {
  expect(() => readScript('# a comment\n\nstatment ok\nSELECT 1;\n')).toThrow(
    'line 3: statment ok begins no step',
  );
});

test('a file that is no script is a test that fails', async () => {
  expect(await reasonOf('nonsense\n')).toContain('line 1: nonsense begins no step');
});

test('a query needs its divider', () => {
  expect(() => readScript('query\nSELECT 1;\n')).toThrow('line 1: ---- must stand');
});

test('steps that hold', async () => {
  expect(
    await reasonOf(`${STREAM}
expect COPY
a {"V": 1} @5
produce s
b {"V": 2}
expect COPY
b {"V": 2} @0
statement error ML_NAME_UNKNOWN
SELECT NOPE FROM S EMIT CHANGES;
query
SELECT V FROM COPY EMIT CHANGES LIMIT 2;
----
{"V":1}
{"V":2}
`),
  ).toBeNull();
});

test.each([
  ['expect COPY\na {"V": 2}\n', 'line 6: topic COPY, record 0: value V: expected 2, found 1'],
  ['expect COPY\na {"V": 1} @6\n', 'line 6: topic COPY, record 0: expected timestamp 6, found 5'],
  ['expect COPY\n', 'line 6: topic COPY: expected 0 records, found 1; the next is "a" = {"V":1}'],
  ['statement ok\nSELECT NOPE FROM S EMIT CHANGES;\n', 'line 6: ML_NAME_UNKNOWN'],
  [
    'statement error ML_TYPE\nSELECT NOPE FROM S EMIT CHANGES;\n',
    'line 6: expected an error with ML_TYPE, found ML_NAME_UNKNOWN',
  ],
  [
    'statement error ML_TYPE\nCREATE STREAM T AS SELECT * FROM S;\n',
    'line 6: expected an error with ML_TYPE, but it was accepted',
  ],
  [
    'query\nSELECT V FROM COPY EMIT CHANGES LIMIT 1;\n----\n{"V":2}\n',
    'line 6: expected {"V":2}, found {"V":1}',
  ],
  ['expect-rule no-such-rule\n', 'line 6: rule no-such-rule was not used on CSAS_COPY_0'],
  ['explain\nSELECT V FROM S EMIT CHANGES;\n----\nnothing\n', 'line 6: expected nothing, found output [V]'],
])('what does not hold is named with its line: %s', async (steps, reason) => {
  expect(await reasonOf(`${STREAM}${steps}`)).toContain(reason);
});
