import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generateLibraryCase } from './generate-library-case.ts';
import type { Step } from './case.ts';
import { partitionOf } from './model/murmur2.ts';
import { placeInputs, runModel } from './model/model.ts';
import { runLibrarySeeds } from './run-library-seeds.ts';

test('the engine agrees with the model over crashes, errors and restarts', { timeout: 120_000 }, async () => {
  const { failures, totals, shares } = await runLibrarySeeds(1, 30);
  expect(failures).toEqual([]);
  // Where nothing happens nothing is proved.
  expect(totals.crashes).toBeGreaterThan(15);
  expect(totals.rows).toBeGreaterThan(1000);
  for (const feature of ['process', 'cogroup', 'suppressTime', 'versioned', 'headers', 'state on disk'])
    expect(shares[feature], feature).toBeGreaterThan(2);
});

/** A case of one stream that goes through as it is, and the steps that take its records one by one. */
function passedThrough(): { given: ReturnType<typeof generateLibraryCase>; steps: Step[] } {
  const { inputs } = generateLibraryCase(1);
  const given = {
    seed: 0,
    reuseTopics: false,
    topics: [
      { name: 'in0', partitions: 2 },
      { name: 'out0', partitions: 2 },
    ],
    ops: [
      { id: 'n0', op: 'stream', topic: 'in0', type: 'text' as const },
      { id: 'n1', op: 'to', in: 'n0', topic: 'out0', type: 'text' as const },
    ],
    inputs: inputs.map((each) => ({ ...each, topic: 'in0', key: each.key ?? 'k' })),
  };
  const placed = placeInputs(given).get('in0')!;
  const steps = placed.flatMap((records, partition) =>
    records.map((_, offset) => ({ topic: 'in0', partition, offset })),
  );
  return { given, steps };
}

test('a record that is lost, or comes twice, is noticed', () => {
  const { given, steps } = passedThrough();
  const whole = runModel(given, steps);
  expect(whole.get('out0')!.flat()).toHaveLength(given.inputs.length);
  expect(runModel(given, steps.slice(1))).not.toEqual(whole);
  expect(runModel(given, [steps[0]!, ...steps])).not.toEqual(whole);
});

/** Hashes as Kafka's own tests have them. */
test.each([
  ['21', -973_932_308],
  ['foobar', -790_332_482],
  ['a-little-bit-long-string', -985_981_536],
  ['a-little-bit-longer-string', -1_486_304_829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
  ['abc', 479_470_107],
])('the model puts the key %s where Kafka puts it', (key, hash) => {
  expect(partitionOf(key, 1_000_003)).toBe((hash & 0x7fff_ffff) % 1_000_003);
});

test('the model imports nothing of the engine', () => {
  const directory = join(import.meta.dirname, 'model');
  const files = [
    ...readdirSync(directory).map((name) => join(directory, name)),
    ...['case.ts', 'case-functions.ts', 'user-processors.ts'].map((name) => join(import.meta.dirname, name)),
  ];
  for (const file of files) expect(readFileSync(file, 'utf8'), file).not.toMatch(/from '.*\/src\//);
});
