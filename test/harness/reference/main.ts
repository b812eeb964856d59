/** Cases of the streams oracle on standard input, a line each; the interpreter's outputs on standard output. */
import { readFileSync, writeSync } from 'node:fs';
import { interpretCase } from './interpret-case.ts';
import type { OracleCase } from './oracle-case.ts';

const lines: string[] = [];
for (const line of readFileSync(0, 'utf8').split('\n')) {
  if (line.trim() === '') continue;
  const given = JSON.parse(line) as OracleCase;
  try {
    lines.push(JSON.stringify({ id: given.id, outputs: interpretCase(given) }));
  } catch (error) {
    lines.push(JSON.stringify({ id: given.id, error: (error as Error).stack }));
  }
}
writeSync(1, `${lines.join('\n')}\n`);
