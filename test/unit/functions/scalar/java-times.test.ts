import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DataError } from '../../../../src/common/error.ts';
import { DATE, STRING, TIME, TIMESTAMP, type SqlType } from '../../../../src/types/sql-type.ts';
import { call, type Given } from '../call.ts';

/**
 * What Java 17 (java.time, and FastDateFormat for PARSE_DATE) printed and read for random patterns, times and texts, some
 * of them spoilt: [function, pattern, input, zone or '', result, or null where Java refused].
 */
type Case = readonly [
  name: string,
  pattern: string,
  input: string | number,
  zone: string,
  result: string | number | null,
];

const FILE = new URL('../../../fixtures/java-times.json', import.meta.url);
const cases = JSON.parse(readFileSync(FILE, 'utf8')) as Case[];
const TYPES: Readonly<Record<string, SqlType>> = {
  FORMAT_TIMESTAMP: TIMESTAMP,
  FORMAT_DATE: DATE,
  FORMAT_TIME: TIME,
};

test.each(cases)('%s %s of %s %s is %s', (name, pattern, input, zone, result) => {
  const text = (value: string): Given => [STRING, value];
  const given: Given[] = [[TYPES[name] ?? STRING, input], text(pattern)];
  if (zone !== '') given.push(text(zone));
  if (result === null) expect(() => call(name, ...given)).toThrow(DataError);
  else expect(call(name, ...given)).toBe(result);
});
