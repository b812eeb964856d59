import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAX_NESTING } from '../../../grammar/limits.ts';
import { SqlError } from '../../../src/common/error.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { parseStatements } from '../../../src/sql/parser/parse.ts';
import { printStatement } from '../../../src/sql/parser/print-statement.ts';
import { type Chain, CHAIN_SOURCE, CHAINS, NESTED } from '../../harness/chains.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

/** More than ever fitted on the stack. */
const TERMS = 2_000;

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
  await execute(
    engine,
    `CREATE STREAM S ${CHAIN_SOURCE};
     CREATE TABLE T AS SELECT K, LATEST_BY_OFFSET(A) AS A, LATEST_BY_OFFSET(B) AS B, LATEST_BY_OFFSET(S) AS S,
       LATEST_BY_OFFSET(X) AS X, LATEST_BY_OFFSET(L) AS L FROM S GROUP BY K;
     INSERT INTO S (K, A, B, S, X, L) VALUES ('k', 2, TRUE, 's', 1.5, ARRAY[1, 2]);`,
  );
  await engine.drain();
});
afterAll(() => engine.close());

/** A chain in each place of a statement where an expression may stand. */
function places({ type }: Chain, expression: string): Readonly<Record<string, string>> {
  const condition =
    type === 'boolean' ? expression : `${expression} ${type === 'number' ? '<> -1' : "<> ''"}`;
  const constant = expression
    .replaceAll(/\bA\b/g, '1')
    .replaceAll(/\bB\b/g, 'TRUE')
    .replaceAll(/\bX\b/g, '1E0')
    .replaceAll(/\b[SK]\b/g, "'s'");
  const target = { number: 'X', boolean: 'B', string: 'S' }[type];
  return {
    SELECT: `SELECT ${expression} AS R FROM S EMIT CHANGES LIMIT 1;`,
    EXPLAIN: `EXPLAIN SELECT ${expression} AS R FROM S EMIT CHANGES;`,
    WHERE: `EXPLAIN SELECT A FROM S WHERE ${condition} EMIT CHANGES;`,
    'GROUP BY': `EXPLAIN SELECT ${expression} AS R, COUNT(*) AS N FROM S GROUP BY ${expression} EMIT CHANGES;`,
    HAVING: `EXPLAIN SELECT K, COUNT(*) AS N FROM S GROUP BY K, A, B, S, X HAVING ${condition} EMIT CHANGES;`,
    'PARTITION BY': `EXPLAIN SELECT * FROM S PARTITION BY ${expression} EMIT CHANGES;`,
    CASE: `EXPLAIN SELECT CASE WHEN ${condition} THEN ${expression} ELSE NULL END AS R FROM S EMIT CHANGES;`,
    'an aggregate': `EXPLAIN SELECT K, COLLECT_LIST(${expression}) AS R FROM S GROUP BY K EMIT CHANGES;`,
    'JOIN … ON': `EXPLAIN SELECT * FROM S JOIN T ON CAST(${expression.replaceAll(/\b[ABKXS]\b/g, 'S.$&')} AS STRING) = T.K EMIT CHANGES;`,
    'a query on what is there': `SELECT K FROM T WHERE ${condition};`,
    VALUES: `INSERT INTO S (K, ${target}) VALUES ('k', ${constant});`,
    'a persistent query': `CREATE STREAM P AS SELECT K, ${expression} AS R FROM S; DROP STREAM P;`,
  };
}

/** What data or types forbid, whatever the length. */
const REFUSED = /DECIMAL has at most|division by zero|each side of ON must use columns/;

test.for(CHAINS)('a chain of any length may stand wherever an expression may: $name', async (chain) => {
  for (const [place, sql] of Object.entries(places(chain, chain.sql(TERMS)))) {
    try {
      await execute(engine, sql);
    } catch (error) {
      if (!(error instanceof SqlError) || !REFUSED.test(error.message))
        throw new Error(place, { cause: error });
    }
  }
});

test.for(CHAINS)('what is printed of a chain is read again: $name', ({ sql }) => {
  const [parsed] = parseStatements(`SELECT ${sql(TERMS)} AS R FROM S;`);
  const printed = printStatement(parsed!.statement);
  expect(printStatement(parseStatements(`${printed};`)[0]!.statement)).toBe(printed);
});

test('statements of any length are read again at the next start', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-chains-'));
  try {
    let durable = await openEngine(directory);
    await execute(durable, `CREATE STREAM S ${CHAIN_SOURCE};`);
    for (const [i, { sql }] of CHAINS.entries())
      await execute(durable, `CREATE STREAM C${i} AS SELECT K, ${sql(2_800)} AS R FROM S;`);
    for (const [i, { sql }] of NESTED.entries())
      await execute(durable, `CREATE STREAM N${i} AS SELECT K, ${sql(MAX_NESTING)} AS R FROM S;`);
    await durable.close();
    durable = await openEngine(directory);
    const { entity } = await execute(durable, 'SHOW QUERIES;');
    if (entity?.['@type'] !== 'queries') throw new Error(entity?.['@type']);
    expect(entity.queries.map(({ state }) => state)).toEqual([...CHAINS, ...NESTED].map(() => 'RUNNING'));
    await durable.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a type does not grow without end from one statement to the next', async () => {
  const grow = async (): Promise<void> => {
    await execute(
      engine,
      `CREATE STREAM G0 AS SELECT K, ${'ARRAY['.repeat(60)}A${']'.repeat(60)} AS R FROM S;`,
    );
    await execute(
      engine,
      `CREATE STREAM G1 AS SELECT K, ${'ARRAY['.repeat(60)}R${']'.repeat(60)} AS R FROM G0;`,
    );
  };
  await expect(grow()).rejects.toMatchObject({ code: 'ML_LIMIT', span: expect.anything() as unknown });
  await execute(engine, `CREATE TYPE DEEP AS ${'ARRAY<'.repeat(90)}INT${'>'.repeat(90)};`);
  await expect(
    execute(engine, `CREATE TYPE DEEPER AS ${'ARRAY<'.repeat(20)}DEEP${'>'.repeat(20)};`),
  ).rejects.toMatchObject({ code: 'ML_LIMIT', span: expect.anything() as unknown });
});
