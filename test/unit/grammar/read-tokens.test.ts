import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_NESTING, MAX_TOKENS } from '../../../grammar/limits.ts';
import { type TokenFault, TokenReader } from '../../../grammar/read-tokens.ts';
import type { IToken } from '../../../grammar/token-types.ts';
import { Semicolon, tokenize } from '../../../grammar/tokens.ts';

class Refusal extends Error {
  readonly fault: TokenFault;

  constructor(fault: TokenFault) {
    super(fault.kind);
    this.fault = fault;
  }
}

function refuse(fault: TokenFault): never {
  throw new Refusal(fault);
}

function readAll(text: string): IToken[] {
  const reader = new TokenReader(text);
  const all: IToken[] = [];
  for (let own = reader.statement(refuse); own !== null; own = reader.statement(refuse))
    for (const token of own) all.push(token);
  return all;
}

function faultOf(text: string): TokenFault {
  try {
    readAll(text);
  } catch (error) {
    if (error instanceof Refusal) return error.fault;
    throw error;
  }
  throw new Error('no fault');
}

const shown = (tokens: readonly IToken[]): string[] =>
  tokens.map((token) => `${token.tokenType.name} ${token.startOffset}-${token.endOffset} ${token.image}`);

/** Around the end of the first piece of 65,536 characters, whatever stands there is cut in two. */
test('a text that is read in pieces gives the tokens that it gives as a whole', () => {
  const words = fc.array(
    fc.constantFrom(
      'a1',
      "'it''s; x'",
      '`b``;`',
      '"q"',
      '12.50',
      '1e3',
      '->',
      '<=',
      '||',
      '-- c;\n',
      '/* d; ** */',
      '$$ x;y $$',
      '$t$ $$ $t$',
      '${v}',
      ';',
      '(',
      ')',
      '\n\t ',
    ),
    { minLength: 20, maxLength: 60 },
  );
  fc.assert(
    fc.property(words, fc.integer({ min: 0, max: 60 }), (after, back) => {
      const text = `${'a '.repeat(32_768 - back)}${after.join(' ')}`;
      expect(shown(readAll(text))).toEqual(shown(tokenize(text).tokens));
    }),
    { numRuns: 15 },
  );
});

test('tokens and comments that are longer than a piece are read whole', () => {
  for (const long of [
    `'${'x'.repeat(200_000)}'`,
    `-- ${'x'.repeat(200_000)}\na`,
    `/*${'*'.repeat(200_000)}*/ a`,
    `${' '.repeat(300_000)}a`,
  ])
    expect(shown(readAll(`a ${long} b;`))).toEqual(shown(tokenize(`a ${long} b;`).tokens));
});

test('statements come one at a time, and what is behind them is not looked at before', () => {
  const reader = new TokenReader("SHOW TYPES; ; 'open");
  expect(reader.statement(refuse)!.at(-1)!.tokenType).toBe(Semicolon);
  expect(reader.statement(refuse)).toHaveLength(1);
  expect(() => reader.statement(refuse)).toThrow('unterminated');
});

test('semicolons that end nothing are not kept', () => {
  const tokens = readAll(`${';'.repeat(4_000_000)} SHOW TYPES;`);
  expect(shown(tokens.slice(-3)).join(' ')).toMatch(/^SHOW 4000001-.* SHOW TYPES .* Semicolon/);
  expect(tokens.length).toBeLessThan(10);
});

test('faults have their place', () => {
  expect(faultOf(`${'a '.repeat(40_000)}\u0001 b`)).toEqual({ kind: 'stray', offset: 80_000 });
  expect(faultOf(`${'a '.repeat(40_000)}'b`)).toMatchObject({
    kind: 'unterminated',
    token: { startOffset: 80_000 },
  });
  expect(faultOf('('.repeat(4_000_000))).toMatchObject({
    kind: 'nesting',
    token: { startOffset: MAX_NESTING + 8 },
  });
  expect(faultOf('['.repeat(4_000_000))).toMatchObject({ kind: 'nesting' });
  expect(faultOf('a '.repeat(MAX_TOKENS + 100_000))).toMatchObject({
    kind: 'length',
    token: { startOffset: 2 * MAX_TOKENS },
  });
});
