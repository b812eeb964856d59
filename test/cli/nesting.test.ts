import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MAX_NESTING } from '../../grammar/limits.ts';
import { CHAIN_SOURCE, CHAINS, NESTED } from '../harness/chains.ts';
import { Millrace } from '../harness/millrace.ts';

/** Two thirds of what Node gives, in KB. */
const STACK = 650;

test('what is read fits on the stack, wherever it goes from there: also on a smaller stack', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-nesting-'));
  try {
    const statements = [
      `CREATE STREAM S ${CHAIN_SOURCE};`,
      "INSERT INTO S (K, A, B, S, X, L) VALUES ('k', 2, TRUE, 's', 1.5, ARRAY[1, 2]);",
    ];
    for (const [i, { sql }] of NESTED.entries()) {
      const expression = sql(MAX_NESTING);
      statements.push(`CREATE STREAM N${i} AS SELECT K, ${expression} AS R FROM S;`);
      statements.push(`EXPLAIN SELECT K FROM S WHERE (${sql(MAX_NESTING - 2)}) IS NOT NULL EMIT CHANGES;`);
      statements.push(`SELECT * FROM N${i} EMIT CHANGES LIMIT 1;`);
    }
    for (const { sql } of CHAINS.filter(({ name }) =>
      ['A + A', 'OR', 'S ||', 'failing ||', 'NOT'].includes(name),
    ))
      statements.push(`SELECT ${sql(5_000)} AS R FROM S EMIT CHANGES LIMIT 1;`);
    const script = join(directory, 'nested.sql');
    writeFileSync(script, statements.join('\n'));
    // Node refuses this option in NODE_OPTIONS.
    const through = ['sh', '-c', `node=$1; shift; exec "$node" --stack-size=${STACK} "$@"`, 'sh'];
    const run = new Millrace(['run', script], { through });
    const { code, stderr } = await run.finished;
    expect(stderr).toBe('');
    expect(code).toBe(0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
