import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type OracleCase, runOracleCase } from './oracle-cases.ts';

const onDisk = process.argv.includes('--state-on-disk');

/** With its state in memory, or on disk and read from there. */
async function answer(test: OracleCase): Promise<object> {
  if (!onDisk) return await runOracleCase(test);
  const directory = mkdtempSync(join(tmpdir(), 'millrace-oracle-'));
  try {
    return await runOracleCase(test, directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Reads cases, a line each, and answers each with its outputs or an error, a line each, in order. */
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === '') continue;
  const test = JSON.parse(line) as OracleCase;
  let given: object;
  try {
    given = { id: test.id, outputs: await answer(test) };
  } catch (error) {
    const trace = process.env['ORACLE_TRACE'] === undefined ? undefined : (error as Error).stack;
    given = { id: test.id, error: trace ?? String(error) };
  }
  process.stdout.write(`${JSON.stringify(given)}\n`);
}
