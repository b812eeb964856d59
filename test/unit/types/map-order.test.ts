import { expect, test } from 'vitest';
import { hashOrder } from '../../../src/types/map-order.ts';
import type { SqlValue } from '../../../src/types/value.ts';

const keysOf = (...keys: SqlValue[]): SqlValue[] =>
  hashOrder(new Map(keys.map((key) => [key, 0]))).map(([key]) => key);

// The orders are those of Java's HashMap.
test('texts go by hash, those of one bucket as they came', () => {
  expect(keysOf('b', 'a')).toEqual(['a', 'b']);
  expect(keysOf('foo', 'bar', 'baz')).toEqual(['bar', 'baz', 'foo']);
  expect(keysOf('yes, thanks', 'nope', 'sure, yeah')).toEqual(['yes, thanks', 'sure, yeah', 'nope']);
  expect(keysOf('k1', 'k2', 'k3', 'k4')).toEqual(['k3', 'k4', 'k1', 'k2']);
  expect(keysOf('apple', 'banana', 'cherry', 'Aa', 'BB')).toEqual(['banana', 'Aa', 'BB', 'apple', 'cherry']);
  expect(keysOf('b', null, 'z')).toEqual([null, 'b', 'z']);
});

test('keys without a known hash stay in order', () => {
  expect(keysOf(2.5, 1.5)).toEqual([2.5, 1.5]);
});
