import { createInterface } from 'node:readline';
import { type OracleCase, runOracleCase } from './oracle-cases.ts';

/** Reads cases, a line each, and answers each with its outputs or an error, a line each, in order. */
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === '') continue;
  const test = JSON.parse(line) as OracleCase;
  let answer: object;
  try {
    answer = { id: test.id, outputs: await runOracleCase(test) };
  } catch (error) {
    const trace = process.env['ORACLE_TRACE'] === undefined ? undefined : (error as Error).stack;
    answer = { id: test.id, error: trace ?? String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
