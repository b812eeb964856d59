import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { VersionedStore } from '../../../../src/state/store.ts';
import { openStateBackend } from '../../../../src/state/task-state.ts';
import { openStoreView } from '../../../../src/streams/stores/open-store-view.ts';
import type { Version, VersionedStoreView } from '../../../../src/streams/stores/state-store-view.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { textValues } from '../../../harness/text-values.ts';

type Found = readonly [value: string, timestamp: number, validTo: number | null] | null;
type Row = readonly [value: string, timestamp: number] | null;

/**
 * What Kafka Streams 4.1's RocksDB versioned store answered to random operations:
 * `put` key value time, then what it returned (-1: the newest; below that: too late; else valid to), if recorded;
 * `delete` key time found; `get` key found; `asOf` key time found; `versions` key from to, by time.
 */
type Step =
  | ['put', string, string | null, number, number?]
  | ['delete', string, number, Row]
  | ['get', string, Row]
  | ['asOf', string, number, Row]
  | ['versions', string, number, number, Found[]];

const runs = JSON.parse(
  readFileSync(new URL('../../../fixtures/versioned-store.json', import.meta.url), 'utf8'),
) as { readonly historyRetentionMs: number; readonly steps: readonly Step[] }[];

async function open(historyRetentionMs: number) {
  const state = await openStateBackend().openTaskState(null);
  const store: VersionedStore = state.openStore({
    kind: 'versioned',
    name: 'versions',
    values: textValues,
    changelog: true,
    persistent: false,
    historyRetentionMs,
  });
  const view = openStoreView(store, Serdes.string) as VersionedStoreView<string, string>;
  const drained: [key: string, value: string | null, timestamp: number][] = [];
  const drain = (): typeof drained => {
    drained.length = 0;
    state.drainChangelog(store, (key, keyStart, keyEnd, value, start, end, timestamp) => {
      const text = (bytes: Uint8Array, from: number, to: number): string =>
        Buffer.from(bytes.subarray(from, to)).toString();
      drained.push([text(key, keyStart, keyEnd), start < 0 ? null : text(value, start, end), timestamp]);
    });
    return drained;
  };
  return { state, store, view, drain };
}

const found = (version: Version<string> | null): Found =>
  version === null ? null : [version.value, version.timestamp, version.validTo];

const row = (version: Version<string> | null): Row =>
  version === null ? null : [version.value, version.timestamp];

describe('versioned store', () => {
  test.each(runs.map((run, i) => [i, run] as const))(
    'answers as Kafka Streams did, run %i',
    async (_, { historyRetentionMs, steps }) => {
      const { state, store, view, drain } = await open(historyRetentionMs);
      for (const [i, step] of steps.entries()) {
        const [kind, name] = step;
        const key = Buffer.from(name);
        const where = `step ${i}: ${JSON.stringify(step)}`;
        if (i % 7 === 0) drain();
        switch (kind) {
          case 'put': {
            const validTo = store.put(key, 0, key.length, step[2], step[3]);
            if (step[4] !== undefined) expect(Math.max(validTo, -2), where).toBe(Math.max(step[4], -2));
            break;
          }
          case 'delete':
            expect(row(view.delete(name, step[2])), where).toEqual(step[3]);
            break;
          case 'get':
            expect(row(view.get(name)), where).toEqual(step[2]);
            break;
          case 'asOf':
            expect(row(view.get(name, step[2])), where).toEqual(step[3]);
            break;
          case 'versions':
            expect(view.versions(name, step[2], step[3]).map(found), where).toEqual(step[4]);
        }
      }
      await state.close();
    },
  );

  test('the changelog gets each version, and of each key the newest last', async () => {
    const { view, drain, state } = await open(1000);
    view.put('k', 'c', 30);
    view.put('j', 'x', 5);
    view.put('k', 'a', 10);
    view.delete('k', 20);
    expect(drain()).toEqual([
      ['k', 'a', 10],
      ['k', null, 20],
      ['k', 'c', 30],
      ['j', 'x', 5],
    ]);
    view.put('k', 'b', 15);
    expect(drain()).toEqual([
      ['k', 'b', 15],
      ['k', 'c', 30],
    ]);
    await state.close();
  });

  test('a restore from what compaction leaves finds the newest version however old it is', async () => {
    const { view, store, state, drain } = await open(1000);
    const bytes = (text: string): Buffer => Buffer.from(text);
    const restore = (key: string, value: string | null, timestamp: number): void =>
      state.restore(
        store,
        bytes(key),
        0,
        key.length,
        bytes(value ?? ''),
        value === null ? -1 : 0,
        value?.length ?? -1,
        timestamp,
      );
    restore('new', 'n', 100_000);
    restore('old', 'a', 10);
    restore('old', 'b', 20);
    restore('old', 'lost', 15);
    restore('new', 'm', 99_500);
    expect(found(view.get('old'))).toEqual(['b', 20, null]);
    expect(view.versions('new').map(found)).toEqual([
      ['m', 99_500, 100_000],
      ['n', 100_000, null],
    ]);
    // What came from the changelog is not written there again.
    expect(drain()).toEqual([]);
    await state.close();
  });

  test('versions that nobody can ask for any more leave memory, and no trace in the changelog', async () => {
    const { view, store, state, drain } = await open(100);
    for (let time = 0; time < 10_000; time++) view.put('k', `${time}`, time);
    // Within one commit some come and go.
    expect(drain()).toHaveLength(101);
    expect(state.memoryBytes).toBeLessThan(110 * 1000);
    expect(view.versions('k')).toHaveLength(101);
    // A key that is put no more loses its history too, but not its newest version.
    view.put('other', 'x', 1_000_000);
    drain();
    expect(drain()).toEqual([]);
    expect(view.versions('k').map(found)).toEqual([['9999', 9999, null]]);
    expect(found(view.get('k'))).toEqual(['9999', 9999, null]);
    const one = state.memoryBytes;
    expect(one).toBeLessThan(1000);
    // A removal is forgotten with its history.
    view.delete('k', 1_000_001);
    view.put('other', 'y', 2_000_000);
    drain();
    drain();
    expect(state.memoryBytes).toBeLessThan(one);
    expect(store.put(Buffer.from('k'), 0, 1, 'late', 1_999_899)).toBe(-2);
  });

  test('a removal reaches the changelog even when its time has passed before the commit', async () => {
    const { view, state, drain } = await open(100);
    view.put('k', 'a', 10);
    drain();
    view.delete('k', 20);
    view.put('other', 'x', 1_000_000);
    expect(drain()).toEqual([
      ['k', null, 20],
      ['other', 'x', 1_000_000],
    ]);
    await state.close();
  });
});
