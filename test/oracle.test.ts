import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type OracleCase, type OracleOutputs, runOracleCase } from './harness/oracle-cases.ts';

/** Real Kafka Streams on the same random topologies and inputs: its README says what a case is. */
const ORACLE = fileURLToPath(new URL('../../shared/oracle', import.meta.url));
const SEED = '42';
const CASES = '100';

function reasonToSkip(): string | null {
  if (!existsSync(`${ORACLE}/oracle`)) return 'the folder ../shared/oracle is not there';
  for (const [command, version] of [
    ['java', '-version'],
    ['mvn', '-version'],
    ['python3', '--version'],
  ] as const)
    if (spawnSync(command, [version]).status !== 0) return `${command} is not installed`;
  return null;
}

const reason = reasonToSkip();
if (reason !== null) console.warn(`the Kafka Streams oracle is skipped: ${reason}`);

test.skipIf(reason !== null)(
  `Kafka Streams gives the same rows, in the same order, for ${CASES} random topologies (seed ${SEED})`,
  { timeout: 180_000 },
  async () => {
    const generated = spawnSync(`${ORACLE}/generate`, [SEED, CASES], { maxBuffer: 1 << 28 });
    expect(generated.status, 'the generator of cases runs').toBe(0);
    const answered = spawnSync(`${ORACLE}/oracle`, [], { input: generated.stdout, maxBuffer: 1 << 28 });
    expect(answered.status, 'Kafka Streams runs').toBe(0);
    const cases = lines<OracleCase>(generated.stdout);
    const wanted = lines<{ id: number; outputs: OracleOutputs }>(answered.stdout);
    expect(wanted).toHaveLength(cases.length);
    for (const [i, each] of cases.entries()) {
      const outputs = await runOracleCase(each);
      expect(outputs, `case ${each.id}: ${JSON.stringify(each.ops)}`).toEqual(wanted[i]!.outputs);
    }
  },
);

function lines<T>(text: Buffer): T[] {
  return text
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as T);
}
