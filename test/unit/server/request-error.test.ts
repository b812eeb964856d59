import { expect, test } from 'vitest';
import { errorBody, statementError } from '../../../src/server/request-error.ts';
import { parseStatements } from '../../../src/sql/parser/parse.ts';

test.for(['(', "'", '[', 'a ', '1', '`', 'CASE '])('an answer does not send megabytes back: %s', (part) => {
  const text = part.repeat(4_000_000 / part.length);
  let body: unknown;
  try {
    parseStatements(text);
  } catch (error) {
    body = errorBody(statementError(error, text, []));
  }
  expect(body).toMatchObject({
    '@type': 'statement_error',
    error_code: expect.any(Number) as unknown,
    message: expect.stringMatching(/\(line 1, column \d+\)/) as unknown,
    statementText: expect.stringContaining(' … ') as unknown,
  });
  expect(JSON.stringify(body).length).toBeLessThan(20_000);
});
