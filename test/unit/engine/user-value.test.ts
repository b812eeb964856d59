import { expect, test } from 'vitest';
import { DataError } from '../../../src/common/error.ts';
import { fromUser } from '../../../src/engine/user-functions/user-value.ts';
import type { SqlType } from '../../../src/types/sql-type.ts';

const DATE: SqlType = { kind: 'date' };
const TIME: SqlType = { kind: 'time' };

test.each([
  ['a TIME before midnight', TIME, -1],
  ['a TIME after the day', TIME, 86_400_000],
  ['a TIME between milliseconds', TIME, 0.5],
  ['a DATE beyond 32 bits', DATE, 2 ** 31],
  ['a DATE between days', DATE, 0.5],
])('%s is refused', (_name, type, value) => {
  expect(() => fromUser(type, value)).toThrow(DataError);
});

test('the last TIME and DATE that there are', () => {
  expect(fromUser(TIME, 86_399_999)).toBe(86_399_999);
  expect(fromUser(DATE, -(2 ** 31))).toBe(-(2 ** 31));
});

test('a field is what the object has itself', () => {
  const type: SqlType = {
    kind: 'struct',
    fields: [
      { name: 'constructor', type: { kind: 'string' } },
      { name: 'A', type: { kind: 'integer' } },
    ],
  };
  expect(fromUser(type, { A: 1 })).toEqual([null, 1]);
});

test('a long text that was returned instead is not repeated in the error', () => {
  let message = '';
  try {
    fromUser({ kind: 'integer' }, 'x'.repeat(1_000_000));
  } catch (error) {
    ({ message } = error as DataError);
  }
  expect(message).toMatch(/^a INTEGER was to be returned, not string x+…$/);
  expect(message.length).toBeLessThan(200);
});
