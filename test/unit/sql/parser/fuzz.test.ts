import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALL_TOKENS, KEYWORDS } from '../../../../grammar/tokens.ts';
import { SqlError, renderSqlError } from '../../../../src/common/error.ts';
import { parseStatements } from '../../../../src/sql/parser/parse.ts';
import { printStatement } from '../../../../src/sql/parser/print-statement.ts';
import { splitStatements } from '../../../../src/sql/parser/split-statements.ts';
import { arbitraryStatement } from '../../../harness/arbitrary-ast.ts';

/** `FUZZ_RUNS=143` makes it a million texts (`npm run fuzz:grammar`); `FUZZ_SEED` repeats a run. */
const TIMES = Number(process.env['FUZZ_RUNS'] ?? 1);
const SEED = process.env['FUZZ_SEED'];
const seed = SEED === undefined ? {} : { seed: Number(SEED) };
const timeout = 60_000 + 3000 * TIMES;

/** Whatever the text: it parses, or there is an SqlError that points into it and can be shown. */
function survives(text: string): void {
  splitStatements(text);
  try {
    parseStatements(text);
  } catch (error) {
    expect(error).toBeInstanceOf(SqlError);
    const { span, message } = error as SqlError;
    expect(span, message).toBeDefined();
    expect(span!.start).toBeGreaterThanOrEqual(0);
    expect(span!.end).toBeGreaterThanOrEqual(span!.start);
    expect(span!.end).toBeLessThanOrEqual(text.length);
    expect(message.length).toBeLessThan(300);
    renderSqlError(error as SqlError, text);
  }
}

const words = [
  ...KEYWORDS.keys(),
  'a',
  '`b`',
  '1',
  '1.5',
  '1e3',
  "'s'",
  '${v}',
  '$$',
  "'",
  '"',
  '/*',
  '*/',
  '--',
  '\n',
  '§',
];
const signs = ALL_TOKENS.map((type) => type.PATTERN).filter((pattern) => typeof pattern === 'string');
const word = fc.constantFrom(...words, ...signs);

test('no sequence of words breaks the parser', { timeout }, () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (parts) => survives(`${parts.join(' ')};`)),
    { numRuns: 3000 * TIMES, ...seed },
  );
});

test('no mutation of a statement breaks the parser', { timeout }, () => {
  const mutation = fc.tuple(fc.nat(), fc.nat({ max: 4 }), word);
  fc.assert(
    fc.property(
      arbitraryStatement,
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      (statement, mutations) => {
        let text = `${printStatement(statement)};`;
        for (const [where, removed, added] of mutations) {
          const at = where % (text.length + 1);
          text = text.slice(0, at) + added + text.slice(at + removed);
        }
        survives(text);
      },
    ),
    { numRuns: 3000 * TIMES, ...seed },
  );
});

test('no text at all breaks the parser', { timeout }, () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), survives), { numRuns: 1000 * TIMES, ...seed });
});
