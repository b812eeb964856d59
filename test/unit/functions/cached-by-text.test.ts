import { expect, test } from 'vitest';
import { cachedByText } from '../../../src/functions/cached-by-text.ts';

function counted(): { of: (text: string) => { text: string }; asked: string[] } {
  const asked: string[] = [];
  const of = cachedByText((text) => {
    asked.push(text);
    if (text === 'bad') throw new TypeError('no');
    return { text };
  });
  return { of, asked };
}

test('a text is opened once, and again after it failed', () => {
  const { of, asked } = counted();
  expect(of('a')).toBe(of('a'));
  expect(of('b')).toEqual({ text: 'b' });
  for (let i = 0; i < 2; i++) expect(() => of('bad')).toThrow('no');
  expect(asked).toEqual(['a', 'b', 'bad', 'bad']);
});

test('texts without end are not all remembered', () => {
  const { of, asked } = counted();
  for (let i = 0; i < 1000; i++) of(String(i));
  of('0');
  expect(asked).toHaveLength(1000);
  of('one more');
  of('0');
  expect(asked.slice(1000)).toEqual(['one more', '0']);
});
