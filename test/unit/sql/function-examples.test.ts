import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestEngine } from '../../../src/test-runner/open-test-engine.ts';
import { systemClock } from '../../../src/common/clock.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { newSession } from '../../../src/engine/session.ts';
import { builtinFunctions } from '../../../src/functions/registry.ts';
import type { Example, SqlFunction } from '../../../src/functions/function.ts';
import { analyzeAs, analyzeExpression } from '../../../src/sql/analyzer/analyze-expression.ts';
import { evaluateConstant } from '../../../src/sql/expressions/compile.ts';
import { parseExpression, parseStatements } from '../../../src/sql/parser/parse.ts';
import { openEquality } from '../../../src/types/compare-values.ts';
import { printValue } from '../../../src/types/print-value.ts';
import type { SqlType } from '../../../src/types/sql-type.ts';
import type { Row, SqlValue } from '../../../src/types/value.ts';
import { constantContext, evaluation } from '../../harness/constant-context.ts';

/** The examples that DESCRIBE FUNCTION shows are true: each call gives the result beside it. */

/** Examples by name; `results` are the rows of a table function, or the one result. */
function examplesOf(kind: SqlFunction['kind']): {
  sql: string;
  results: readonly string[];
  given: Example[2];
}[] {
  return [...builtinFunctions.values()]
    .filter((fn) => fn.kind === kind)
    .flatMap((fn) => fn.examples)
    .map(([sql, result, given]) => ({ sql, results: [result].flat(), given }));
}

function expectValue(type: SqlType, found: SqlValue, result: string): void {
  const wanted = evaluateConstant(
    analyzeAs(parseExpression(result), type, constantContext),
    builtinFunctions,
    evaluation,
  );
  expect(openEquality(type)(found, wanted), `found ${printValue(type, found)}, not ${result}`).toBe(true);
}

let engine: Engine;
let topics = 0;
beforeAll(async () => {
  engine = await openTestEngine(systemClock, {});
});
afterAll(() => engine.close());

/** The type and the values of column R of the query's first rows, with the keys of these rows. */
async function rowsOf(
  columns: string,
  rows: readonly string[],
  query: (source: string) => string,
): Promise<{ type: SqlType; rows: Row[] }> {
  const source = `T${topics++}`;
  const inserts = rows.map((row) => `INSERT INTO ${source} VALUES (${row});`).join('');
  const statements = parseStatements(
    `CREATE STREAM ${source} (${columns}) WITH (KAFKA_TOPIC='${source}', VALUE_FORMAT='JSON', PARTITIONS=1);
     ${inserts} ${query(source)};`,
  );
  const session = newSession();
  for (const statement of statements) {
    const result = await engine.execute(statement, session);
    if (result.kind !== 'rows') continue;
    const found: Row[] = [];
    for (let batch = await result.rows.next(); batch !== null; batch = await result.rows.next())
      found.push(...batch.rows);
    return { type: result.rows.columns[1]!.type, rows: found };
  }
  throw new Error('there was no query');
}

test.each(examplesOf('scalar'))('$sql is $results', ({ sql, results }) => {
  const expression = analyzeExpression(parseExpression(sql), constantContext);
  expectValue(expression.type, evaluateConstant(expression, builtinFunctions, evaluation), results[0]!);
});

test.each(examplesOf('aggregate'))('$sql is $results', async ({ sql, results, given }) => {
  const { type, rows } = await rowsOf(
    `G STRING KEY, ${given!.columns}`,
    given!.rows.map((row) => `'g', ${row}`),
    (source) => `SELECT G, ${sql} AS R FROM ${source} GROUP BY G EMIT CHANGES LIMIT ${given!.rows.length}`,
  );
  expectValue(type, rows.at(-1)![1]!, results[0]!);
});

test.each(examplesOf('table'))('$sql gives $results', async ({ sql, results }) => {
  // The first row of a second record tells where the rows of the first one end.
  const { type, rows } = await rowsOf(
    'G STRING KEY, X INTEGER',
    ["'first', 1", "'second', 1"],
    (source) => `SELECT G, ${sql} AS R FROM ${source} EMIT CHANGES LIMIT ${results.length + 1}`,
  );
  expect(rows.map((row) => row[0])).toEqual([...Array<string>(results.length).fill('first'), 'second']);
  results.forEach((each, i) => expectValue(type, rows[i]![1]!, each));
});
