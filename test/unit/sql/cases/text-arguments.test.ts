import { expect, test } from 'vitest';
import { builtinFunctions } from '../../../../src/functions/registry.ts';
import { resolveScalar } from '../../../../src/functions/resolve.ts';
import { isReadFromText } from '../../../../src/types/implicit-cast.ts';
import { array, INTEGER, STRING, type SqlType } from '../../../../src/types/sql-type.ts';
import { expectCase } from '../../../harness/expect-case.ts';
import { errorOf } from '../analyzer/analyze.ts';

const TEXTS =
  "CREATE STREAM TEXTS (K INT KEY, TS STRING, D STRING, T STRING, B STRING) WITH (KAFKA_TOPIC='texts', VALUE_FORMAT='JSON');";

test('columns of text are read as times and bytes where a function takes those', () =>
  expectCase({
    statements: [
      TEXTS,
      `CREATE STREAM READ AS SELECT K,
         FORMAT_TIMESTAMP(TS, 'yyyy') AS A, UNIX_TIMESTAMP(TS) AS B, UNIX_DATE(D) AS C, FORMAT_DATE(D, 'dd') AS D,
         FORMAT_TIME(T, 'HH') AS E, TIMESTAMPADD(DAYS, 1, TS) AS F, DATEADD(DAYS, 1, D) AS G,
         CONVERT_TZ(TS, 'UTC', '+01:00') AS H, FROM_BYTES(B, 'utf8') AS I,
         TRANSFORM(ARRAY[D], X => UNIX_DATE(X)) AS J, COALESCE(UNIX_DATE(D), -1) AS L
       FROM TEXTS;`,
    ],
    inputs: [
      ['texts', 1, { TS: '2020-01-02T03:04:05', D: '1970-01-11', T: '12:30', B: 'YWJj' }],
      ['texts', 2, { TS: 'noon', D: 'noon', T: 'noon', B: '?' }],
    ],
    outputs: [
      [
        'READ',
        1,
        {
          A: '2020',
          B: 1577934245000,
          C: 10,
          D: '11',
          E: '12',
          F: 1578020645000,
          G: 11,
          H: 1577937845000,
          I: 'abc',
          J: [10],
          L: 10,
        },
      ],
      [
        'READ',
        2,
        // What cannot be read is null and told; a call within a call is null alone.
        {
          A: null,
          B: null,
          C: null,
          D: null,
          E: null,
          F: null,
          G: null,
          H: null,
          I: null,
          J: null,
          L: -1,
        },
      ],
    ],
  }));

test('every scalar function with such a parameter takes text there', () => {
  const refused: string[] = [];
  for (const fn of builtinFunctions.values()) {
    if (fn.kind !== 'scalar') continue;
    for (const { parameters } of fn.signatures) {
      if (!parameters.some(({ type }) => isReadFromText(type))) continue;
      if (parameters.every(({ type }) => type.kind === 'bytes')) continue;
      const args = parameters.map(({ type }) => {
        if (type.kind === 'interval-unit') return { kind: 'interval-unit' as const };
        if (isReadFromText(type)) return STRING;
        return type.kind === 'generic' ? INTEGER : type.kind === 'array' ? array(INTEGER) : (type as SqlType);
      });
      try {
        resolveScalar(fn, args);
      } catch (error) {
        refused.push(`${fn.name}: ${String(error)}`);
      }
    }
  }
  expect(refused).toEqual([]);
});

test('an argument of an aggregate is not read', () => {
  const sql = `${TEXTS} SELECT K, COUNT(*), EARLIEST_BY_OFFSET(UNIX_DATE(D)), SUM(D) FROM TEXTS GROUP BY K EMIT CHANGES;`;
  expect(errorOf(sql).at).toBe('SUM(D)');
});
