import { expect, test } from 'vitest';
import { allFunctions } from '../../../../src/functions/registry.ts';
import { analyze, errorOf } from './analyze.ts';

const SOURCE = `CREATE STREAM T (S STRING, I INT, X DOUBLE, TS TIMESTAMP, DT DATE, TM TIME, B BYTES, A ARRAY<INT>)
  WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');`;

function select(expression: string): string {
  return `${SOURCE} SELECT ${expression} AS C FROM T EMIT CHANGES;`;
}

/** Calls that give null whatever the row is, and the literal that is to blame. */
const CASES: readonly (readonly [expression: string, at: string])[] = [
  ['DATEADD(MONTHS, 1, DT)', 'MONTHS'],
  ['DATESUB(YEAR, 1, DT)', 'YEAR'],
  ['TIMEADD(WEEKS, 1, TM)', 'WEEKS'],
  ['TIMESUB(MONTH, 1, TM)', 'MONTH'],
  ['TIMESTAMPADD(YEARS, I, TS)', 'YEARS'],
  ['TIMESTAMPSUB(WEEK, I, TS)', 'WEEK'],
  ["CONVERT_TZ(TS, 'UTC', 'Mars/Base')", "'Mars/Base'"],
  ["CONVERT_TZ(TS, '+25:00', 'UTC')", "'+25:00'"],
  ["FORMAT_TIMESTAMP(TS, 'yyyy-bb')", "'yyyy-bb'"],
  ["FORMAT_TIMESTAMP(TS, 'yyyy', 'Nowhere')", "'Nowhere'"],
  ["FORMAT_DATE(DT, 'HH')", "'HH'"],
  ["FORMAT_TIME(TM, 'yyyy')", "'yyyy'"],
  ["PARSE_TIMESTAMP(S, '''')", "''''"],
  ["PARSE_TIMESTAMP(S, 'yyyy', 'Nowhere')", "'Nowhere'"],
  ["PARSE_DATE(S, 'yyyy-bb')", "'yyyy-bb'"],
  ["PARSE_TIME(S, 'yyyy')", "'yyyy'"],
  ["DATETOSTRING(I, 'HH')", "'HH'"],
  ["STRINGTODATE(S, 'yyyy-bb')", "'yyyy-bb'"],
  ["STRINGTOTIMESTAMP(S, 'yyyy-bb')", "'yyyy-bb'"],
  ["STRINGTOTIMESTAMP(S, 'yyyy', 'Nowhere')", "'Nowhere'"],
  ["TIMESTAMPTOSTRING(I, 'bb')", "'bb'"],
  ["TIMESTAMPTOSTRING(I, 'yyyy', 'Nowhere')", "'Nowhere'"],
  ["REGEXP_EXTRACT('(', S)", "'('"],
  ["REGEXP_EXTRACT('(a)', S, -1)", '-1'],
  ["REGEXP_EXTRACT_ALL('a**', S)", "'a**'"],
  ["REGEXP_REPLACE(S, '[', 'x')", "'['"],
  ["REGEXP_SPLIT_TO_ARRAY(S, ')')", "')'"],
  ["FROM_BYTES(B, 'utf9')", "'utf9'"],
  ["TO_BYTES(S, 'utf9')", "'utf9'"],
  ["INT_FROM_BYTES(B, 'MIDDLE')", "'MIDDLE'"],
  ["BIGINT_FROM_BYTES(B, 'MIDDLE')", "'MIDDLE'"],
  ["DOUBLE_FROM_BYTES(B, 'MIDDLE')", "'MIDDLE'"],
  ["EXTRACTJSONFIELD(S, 'a.b')", "'a.b'"],
  ["EXTRACTJSONFIELD(S, '$.a[')", "'$.a['"],
  ["GEO_DISTANCE(X, X, X, X, 'ells')", "'ells'"],
  ['GEO_DISTANCE(91, X, X, X)', '91'],
  ['GEO_DISTANCE(X, X, X, -181.5)', '-181.5'],
  ["MASK(S, 'XX', 'x', 'n', '-')", "'XX'"],
  ['MASK_LEFT(S, -1)', '-1'],
  ['MASK_RIGHT(S, -1)', '-1'],
  ['MASK_KEEP_LEFT(S, -1)', '-1'],
  ["MASK_KEEP_RIGHT(S, 1, 'X', 'x', 'n', '--')", "'--'"],
  ['GENERATE_SERIES(1, I, 0)', '0'],
  ["LPAD(S, 100000000, ' ')", '100000000'],
  ["RPAD(S, 100000000, ' ')", '100000000'],
  // What is cast is a literal, and no cast of it has a value.
  ["CAST('abc' AS INT)", "CAST('abc' AS INT)"],
  ["CAST('noon' AS TIMESTAMP)", "CAST('noon' AS TIMESTAMP)"],
  ['CAST(123.4 AS DECIMAL(2, 1))', 'CAST(123.4 AS DECIMAL(2, 1))'],
  // The same within other expressions and as an argument of a table function.
  ["COALESCE(FORMAT_DATE(DT, 'HH'), 'x')", "'HH'"],
  ['EXPLODE(GENERATE_SERIES(1, I, 0))', '0'],
  ['TRANSFORM(A, Q => TIMESTAMPADD(MONTHS, Q, TS))', 'MONTHS'],
];

test.each(CASES)('%s is refused at %s', (expression, at) => {
  expect(errorOf(select(expression))).toMatchObject({ code: 'ML_DATA', at });
});

test('every function whose literals are checked has its case', () => {
  const without = allFunctions
    .filter((fn) =>
      fn.signatures.some(({ parameters }) => parameters.some(({ check }) => check !== undefined)),
    )
    .map(({ name }) => name)
    .filter((name) => !CASES.some(([expression]) => expression.startsWith(`${name}(`)));
  expect(without).toEqual([]);
});

// What a column brings may be anything; and ksqlDB's own cases have null for these literals.
test.each([
  'FORMAT_TIMESTAMP(TS, S)',
  "REGEXP_EXTRACT(S, 'a')",
  'REGEXP_EXTRACT(NULL, S)',
  "ENCODE(S, 'base64', 'none')",
  "EXTRACTJSONFIELD(S, '$.a[-1]')",
  "CAST('12' AS INT)",
])('%s is taken', (expression) => {
  expect(analyze(select(expression)).plan).toBeDefined();
});

test('INSERT VALUES too', () => {
  expect(
    errorOf(`${SOURCE} INSERT INTO T (S) VALUES (FORMAT_TIMESTAMP(FROM_UNIXTIME(1), 'bb'));`),
  ).toMatchObject({ code: 'ML_DATA', at: "'bb'" });
});
