import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openLike } from '../../../../src/sql/expressions/like.ts';

/** The pattern as the regular expression that defines it. */
function reference(pattern: string): RegExp {
  const text = Array.from(pattern).map((c) =>
    c === '%' ? '.*' : c === '_' ? '.' : c.replace(/[\\^$.*+?()[\]{}|/-]/, String.raw`\$&`),
  );
  return new RegExp(`^${text.join('')}$`, 'su');
}

test('agrees with the regular expression, line breaks and all', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '%', '_', '\n'), maxLength: 8 });
  fc.assert(
    fc.property(text, pattern, (t, p) => {
      expect(openLike(p, null)(t)).toBe(reference(p).test(t));
    }),
    { numRuns: 3000 },
  );
});

test('a pair of surrogates is one character, and an escaped wildcard is itself', () => {
  expect(openLike('_', null)('😀')).toBe(true);
  expect(openLike('__', null)('😀')).toBe(false);
  expect(openLike('50!%', '!')('50%')).toBe(true);
  expect(openLike('50!%', '!')('500')).toBe(false);
  expect(openLike('a.c', null)('abc')).toBe(false);
});

test('many wildcards over a long text are quick', () => {
  expect(openLike(`${'%a'.repeat(200)}%b`, null)('a'.repeat(20_000))).toBe(false);
});
