import { expect } from 'vitest';
import { readCases } from '../../src/test-runner/read-cases.ts';
import { runCase } from '../../src/test-runner/run-case.ts';
import { systemClock } from '../../src/common/clock.ts';

/** A case as its JSON file would have it; rows are topic, key, value, and whatever else a record has. */
export interface ExpectedCase {
  readonly statements: readonly string[];
  readonly properties?: Readonly<Record<string, string>>;
  readonly inputs?: readonly Row[];
  readonly outputs?: readonly Row[];
  /** What the catalog has to say, `schema` as in `A INT KEY, B STRING`; window types and sizes stand in `keyFormat`. */
  readonly sources?: readonly {
    name: string;
    type: 'stream' | 'table';
    schema: string;
    keyFormat?: object;
  }[];
  /** Topics that there have to be afterwards; those that a query makes for itself by ksqlDB's names, optimized only. */
  readonly topics?: readonly { name: string; partitions?: number }[];
  /** The last statement is rejected. */
  readonly rejected?: boolean;
}

export type Row = readonly [topic: string, key: unknown, value: unknown, more?: object];

/** Runs a case as `millrace test` would, with the optimizer and without it. Numbers lose their text: 1.50 is 1.5. */
export async function expectCase(expected: ExpectedCase): Promise<void> {
  const { statements, properties, inputs, outputs, sources, topics, rejected } = expected;
  const record = ([topic, key, value, more]: Row): object => ({ topic, key, value, ...more });
  const json = JSON.stringify({
    tests: [
      {
        name: 'case',
        statements,
        properties,
        inputs: (inputs ?? []).map(record),
        outputs: (outputs ?? []).map(record),
        post: { sources: sources ?? [], topics: { topics: topics ?? [] } },
        ...(rejected === true ? { expectedException: {} } : {}),
      },
    ],
  });
  const [test] = readCases('case', json);
  for (const optimizer of [true, false]) {
    const signal = AbortSignal.timeout(20_000);
    expect(await runCase(test!, { optimizer, clock: systemClock, signal }), `optimizer ${optimizer}`).toBe(
      null,
    );
  }
}
