import { expect, test } from 'vitest';
import { completionsOf } from '../../../../src/cli/run/completion.ts';

test('names come before keywords, whatever the case, and each once', () => {
  expect(completionsOf('select * from str', ['STREET', 'orders', 'STREAM'])).toEqual([
    ['STREET ', 'STREAM ', 'STREAMS '],
    'str',
  ]);
  expect(completionsOf('SELECT * FROM ORD', ['orders'])).toEqual([['orders '], 'ORD']);
});

test('nothing to complete gives nothing', () => {
  expect(completionsOf('', ['A'])).toEqual([[], '']);
  expect(completionsOf('SELECT ', ['A'])).toEqual([[], '']);
  expect(completionsOf('SELECT zzz', ['A'])).toEqual([[], 'zzz']);
});
