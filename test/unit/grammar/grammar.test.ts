import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SqlParser } from '../../../grammar/grammar.ts';
import type { StatementCstNode } from '../../../grammar/cst.d.ts';
import { KEYWORDS, createLexer, isReserved, tokenize } from '../../../grammar/tokens.ts';
import type { Statement } from '../../../src/sql/parser/ast.ts';
import { createAstBuilder } from '../../../src/sql/parser/build-ast.ts';
import { PartBuilder } from '../../../src/sql/parser/build-parts.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

test('Chevrotain finds no fault in the tokens and rules that production does not validate', () => {
  expect(() => createLexer(true)).not.toThrow();
  expect(() => new SqlParser({ validate: true })).not.toThrow();
});

test('the AST builder has a method for every rule', () => {
  expect(() => createAstBuilder(new SqlParser()).validateVisitor()).not.toThrow();
});

test('an alternative that the grammar has and the AST builder has not is built as no other one', () => {
  const place = { startOffset: 0, endOffset: 3 };
  const word = { ...place, image: 'SHOW' };
  const planted = (rule: string, ...words: string[]) => ({
    name: 'statement',
    location: place,
    children: {
      [rule]: [
        {
          name: rule,
          location: place,
          children: {
            identifier: [{ name: 'identifier', location: place, children: { Identifier: [word] } }],
            ...Object.fromEntries(words.map((each) => [each, [word]])),
          },
        },
      ],
    },
  });
  const build = (node: unknown): unknown =>
    createAstBuilder(new SqlParser()).buildStatement(node as StatementCstNode, 0);
  expect(build(planted('showStatement', 'SHOW', 'VARIABLES'))).toMatchObject({ kind: 'showVariables' });
  for (const rule of ['show', 'describe', 'drop', 'alter', 'create', 'insert', 'control', 'assert'])
    expect(() => build(planted(`${rule}Statement`, 'SHOW', 'VERSION')), rule).toThrow(
      /^nothing builds a statement of .*VERSION/,
    );
  expect(() => build(planted('versionStatement', 'SHOW'))).toThrow(
    'nothing builds a statement of versionStatement',
  );
});

test('a word of a rule that tells its alternatives apart and is not built does not compile', () => {
  interface ShowChildren {
    readonly SHOW: readonly unknown[];
    readonly TYPES?: readonly unknown[];
    readonly VERSION?: readonly unknown[];
  }
  class Planted extends PartBuilder {
    show(children: ShowChildren): Statement {
      const span = { start: 0, end: 4 };
      // @ts-expect-error VERSION is missing.
      return this.oneOf<ShowChildren, 'SHOW'>(children, { TYPES: () => ({ kind: 'showTypes', span }) });
    }
  }
  expect(new Planted().show({ SHOW: [], TYPES: [] }).kind).toBe('showTypes');
});

test('grammar/cst.d.ts is what the generator writes of the grammar', () => {
  const fresh = execFileSync('node', ['scripts/generate-cst.js', '--print'], { cwd: root, encoding: 'utf8' });
  expect(readFileSync(`${root}grammar/cst.d.ts`, 'utf8'), 'run node scripts/generate-cst.js').toBe(fresh);
});

test('keywords are found in any case and only as whole words', () => {
  const types = tokenize('select SeLeCt selects `select` "select"').tokens.map(
    (token) => token.tokenType.name,
  );
  expect(types).toEqual(['SELECT', 'SELECT', 'BareIdentifier', 'QuotedIdentifier', 'QuotedIdentifier']);
});

test('numbers, names that begin with digits, and dots are told apart', () => {
  const types = (text: string): string[] => tokenize(text).tokens.map((token) => token.tokenType.name);
  expect(types('1 1.5 .5 5. 1e3 1.5E-3 .5e1')).toEqual([
    'IntegerLiteral',
    'DecimalLiteral',
    'DecimalLiteral',
    'DecimalLiteral',
    'FloatLiteral',
    'FloatLiteral',
    'FloatLiteral',
  ]);
  expect(types('7days 1e3x a.1x')).toEqual([
    'DigitIdentifier',
    'DigitIdentifier',
    'BareIdentifier',
    'Dot',
    'DigitIdentifier',
  ]);
});

test.for([
  ['quotes', "'", 'UnterminatedString'],
  ['backticks', '`', 'UnterminatedIdentifier'],
])('a text of nothing but %s is one token, whatever its length', ([, quote, unterminated]) => {
  const types = (length: number): string[] =>
    tokenize(quote!.repeat(length)).tokens.map((token) => token.tokenType.name);
  expect(types(8_000_001)).toEqual([unterminated]);
  expect(types(8_000_000)).toHaveLength(1);
});

test('a comment of nothing but stars is read, whatever its length', () => {
  expect(tokenize(`/*${'a*'.repeat(4_000_000)}/ a`).tokens).toHaveLength(1);
});

test('an unterminated string costs time in proportion to its length', () => {
  const { tokens } = tokenize(`'${"a''".repeat(100_000)}`);
  expect(tokens.map((token) => token.tokenType.name)).toEqual(['UnterminatedString']);
});

test('the words that streams are full of are not reserved', () => {
  const common = [
    'KEY',
    'ID',
    'TYPE',
    'SOURCE',
    'TOPIC',
    'PARTITION',
    'HEADERS',
    'SIZE',
    'TIME',
    'SET',
    'LIST',
  ];
  for (const word of common) expect(isReserved(KEYWORDS.get(word)!), word).toBe(false);
  for (const word of ['SELECT', 'FROM', 'WHERE', 'GROUP']) expect(isReserved(KEYWORDS.get(word)!)).toBe(true);
});
