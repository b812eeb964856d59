import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../../src/log/log.ts';
import type { KeyValueStore, SessionStore, ValueCodec, WindowStore } from '../../../../src/state/store.ts';
import { openStateBackend } from '../../../../src/state/task-state.ts';
import { mapStream } from '../../../../src/streams/processors/map-values.ts';
import type { Processor, ProcessorContext } from '../../../../src/streams/topology/processor.ts';
import { StoreQueryError } from '../../../../src/streams/application/read-only-store.ts';
import type { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import { StoreQueries } from '../../../../src/streams/application/store-queries.ts';
import type { StreamsOptions } from '../../../../src/streams/instance/streams-options.ts';
import { stringSerde } from '../../../../src/streams/topology/serde.ts';
import { Topology } from '../../../../src/streams/topology/topology.ts';
import { produce } from '../../../harness/log-records.ts';
import { closeStreams, createStreams, drain, openStreams } from '../../../harness/open-streams.ts';

const texts: ValueCodec = {
  encode: (value, writer) => writer.writeText(value as string),
  decode: (buffer, start, end) => (buffer as Buffer).toString('utf8', start, end),
};

/** Every record goes into all three stores: the window starts at its time, the session lasts ten. */
function keeping(): Topology {
  const open = (): Processor => {
    let context: ProcessorContext;
    return {
      init: (each) => void (context = each),
      process(key, value, _old, time) {
        const { buffer, start, end } = key;
        (context.store('rows') as KeyValueStore).put(buffer, start, end, value, time);
        (context.store('windows') as WindowStore).put(buffer, start, end, time, value, time);
        (context.store('sessions') as SessionStore).put(buffer, start, end, time, time + 10, value, time);
      },
    };
  };
  const shared = { values: texts, changelog: true, persistent: true };
  return new Topology()
    .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
    .addProcessor({
      name: 'fail',
      parents: ['read'],
      open: mapStream((value) => {
        if (value === 'bug') throw new TypeError('a bug');
        return value;
      }),
    })
    .addProcessor({ name: 'keep', parents: ['fail'], open })
    .addStore({
      options: { kind: 'key-value', name: 'rows', ...shared },
      processors: ['keep'],
      keys: stringSerde,
    })
    .addStore({
      options: { kind: 'window', name: 'windows', retentionMs: 1e6, duplicates: false, ...shared },
      processors: ['keep'],
      keys: stringSerde,
    })
    .addStore({
      options: { kind: 'session', name: 'sessions', retentionMs: 1e6, ...shared },
      processors: ['keep'],
      keys: stringSerde,
    });
}

let log: Log;
let directory: string;

beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  directory = mkdtempSync(join(tmpdir(), 'millrace-queries-'));
  await log.admin.createTopic({ name: 'in', partitions: 3 });
});

afterEach(async () => {
  await closeStreams();
  await log.close();
  rmSync(directory, { recursive: true, force: true });
});

const open = (overrides: Partial<StreamsOptions> = {}): Promise<SteppedStreams> =>
  openStreams(keeping(), {
    log,
    state: openStateBackend({ residentBytes: 0 }),
    stateDirectory: directory,
    ...overrides,
  });

const at = (key: string, timestamp: number): { key: string; value: string; timestamp: number } => ({
  key,
  value: `${key}${timestamp}`,
  timestamp,
});
const byKey = <R extends { readonly key: string }>(rows: readonly R[]): R[] =>
  rows.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
const RECORDS = ['a', 'aa', 'ab', 'b', 'c', 'd'].flatMap((key) => [at(key, 10), at(key, 20), at(key, 35)]);

/** Views on state in memory, and on state that lies on disk. */
async function filled(): Promise<SteppedStreams[]> {
  await produce(log, 'in', RECORDS);
  const warm = await open();
  await drain(warm);
  const second = await open({ applicationId: 'cold' });
  await drain(second);
  await second.close();
  const cold = await open({ applicationId: 'cold' });
  expect(cold.tasks.some((task) => !task.state.resident)).toBe(true);
  return [warm, cold];
}

test('key-value stores: point reads, ranges, prefixes and everything, in memory and from disk', async () => {
  for (const streams of await filled()) {
    const rows = new StoreQueries(streams).keyValueStore<string, string>('rows');
    expect(await rows.get('ab')).toBe('ab35');
    expect(await rows.getRow('c')).toEqual({ key: 'c', value: 'c35', timestamp: 35 });
    expect(await rows.get('nobody')).toBeNull();
    const keys = async (found: Promise<{ key: string }[]>): Promise<string[]> =>
      byKey(await found).map(({ key }) => key);
    expect(await keys(rows.range('aa', 'b'))).toEqual(['aa', 'ab', 'b']);
    expect(await keys(rows.range(null, 'aa'))).toEqual(['a', 'aa']);
    expect(await keys(rows.range('c', null))).toEqual(['c', 'd']);
    expect(await keys(rows.prefixScan('a', stringSerde))).toEqual(['a', 'aa', 'ab']);
    expect(await keys(rows.all())).toEqual(['a', 'aa', 'ab', 'b', 'c', 'd']);
    expect(rows.approximateCount()).toBe(6);
    for (const partition of [0, 1, 2]) {
      const one = new StoreQueries(streams).keyValueStore<string, string>('rows', { partition });
      const forwards = (await one.all()).map(({ key }) => key);
      expect(forwards).toEqual(forwards.toSorted());
      expect((await one.reverseAll()).map(({ key }) => key)).toEqual(forwards.toReversed());
      expect((await one.reverseRange('a', 'c')).map(({ key }) => key)).toEqual(
        forwards.filter((key) => key <= 'c').toReversed(),
      );
    }
  }
});

test('window stores: one window, a key’s windows either way, everybody’s', async () => {
  for (const streams of await filled()) {
    const windows = new StoreQueries(streams).windowStore<string, string>('windows');
    expect(await windows.get('b', 20)).toBe('b20');
    expect(await windows.get('b', 21)).toBeNull();
    const b = [10, 20, 35].map((time) => ({
      key: 'b',
      windowStart: time,
      value: `b${time}`,
      timestamp: time,
    }));
    expect(await windows.fetch('b', 0, 100)).toEqual(b);
    expect(await windows.fetch('b', 10, 20)).toEqual(b.slice(0, 2));
    expect(await windows.backwardFetch('b', 11, 35)).toEqual([b[2], b[1]]);
    expect(byKey(await windows.fetchAll(20, 34)).map(({ value }) => value)).toEqual([
      'a20',
      'aa20',
      'ab20',
      'b20',
      'c20',
      'd20',
    ]);
  }
});

test('session stores: a key’s sessions that touch a time, everybody’s by end', async () => {
  for (const streams of await filled()) {
    const sessions = new StoreQueries(streams).sessionStore<string, string>('sessions');
    const values = async (found: Promise<{ value: string }[]>): Promise<string[]> =>
      (await found).map(({ value }) => value);
    expect(await values(sessions.fetch('c'))).toEqual(['c10', 'c20', 'c35']);
    expect(await sessions.fetch('c', 31, 40)).toEqual([
      { key: 'c', start: 35, end: 45, value: 'c35', timestamp: 35 },
    ]);
    expect(await values(sessions.fetch('c', 20, 34))).toEqual(['c10', 'c20']);
    expect(byKey(await sessions.fetchAll(30, 44)).map(({ value }) => value)).toEqual([
      'a20',
      'aa20',
      'ab20',
      'b20',
      'c20',
      'd20',
    ]);
  }
});

test('prefixes and ranges are those of the keys’ bytes', async () => {
  await produce(
    log,
    'in',
    ['', '\u{7f}', 'é', 'éa', '\u{10ffff}', '\u{10ffff}x'].map((key) => ({
      key: `k${key}`,
      value: 'x',
      timestamp: 0,
    })),
  );
  const streams = await open();
  await drain(streams);
  const rows = new StoreQueries(streams).keyValueStore<string, string>('rows');
  const all = (await rows.all()).map(({ key }) => key);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...all, 'k\u{10ffff}y', 'j', 'l'), async (prefix) => {
      const found = (await rows.prefixScan(prefix, stringSerde)).map(({ key }) => key);
      expect(found.toSorted()).toEqual(all.filter((key) => key.startsWith(prefix)).toSorted());
    }),
  );
  const bytes = {
    serialize: (value: Buffer, writer: { writeBytes(b: Buffer): void }) => writer.writeBytes(value),
    deserialize: () => Buffer.of(),
  };
  expect(await rows.prefixScan(Buffer.of(0xff, 0xff), bytes)).toEqual([]);
});

test('what cannot be read now says so; a paused or failed application shows what it has when asked to', async () => {
  const created = createStreams(keeping(), { log });
  expect(() => new StoreQueries(created).store('rows', { kind: 'key-value', stale: true })).toThrow(
    StoreQueryError,
  );
  await produce(log, 'in', RECORDS);
  const streams = await open();
  await drain(streams);
  expect(() => new StoreQueries(streams).store('nothing', { kind: 'key-value' })).toThrow(
    'the application has no store nothing',
  );
  expect(() => new StoreQueries(streams).store('windows', { kind: 'key-value' })).toThrow(
    'store windows is a window store',
  );
  expect(() => new StoreQueries(streams).store('rows', { kind: 'key-value', partition: 3 })).toThrow(
    'partition 3 of store rows is not here',
  );
  const strict = new StoreQueries(streams).keyValueStore<string, string>('rows');
  const stale = new StoreQueries(streams).keyValueStore<string, string>('rows', { stale: true });
  streams.pause();
  await expect(strict.get('a')).rejects.toThrow('store rows cannot be read while the application is paused');
  expect(await stale.get('a')).toBe('a35');
  streams.resume();
  expect(await strict.get('a')).toBe('a35');
  await streams.close();
  await expect(stale.get('a')).rejects.toThrow('while the application is stopped');
});

test('while state is restored, what is there already can be read', async () => {
  await produce(log, 'in', RECORDS);
  const first = await open();
  await drain(first);
  await first.close();
  rmSync(directory, { recursive: true, force: true });
  const seen: [string, number][] = [];
  const second = createStreams(keeping(), {
    log,
    onRestore: {
      ended: ({ store }) => {
        if (store.name !== 'rows') return;
        expect(() => new StoreQueries(second).store('rows', { kind: 'key-value' })).toThrow('is restoring');
        seen.push([
          second.state,
          new StoreQueries(second).store('rows', { kind: 'key-value', stale: true }).approximateCount(),
        ]);
      },
    },
  });
  await second.open();
  expect(seen.map(([state]) => state)).toEqual(seen.map(() => 'restoring'));
  expect(seen.at(-1)![1]).toBe(6);
});

test('a view outlives the restart of its application’s tasks', async () => {
  await produce(log, 'in', RECORDS);
  const errors: unknown[] = [];
  const streams = createStreams(keeping(), {
    log,
    onUncaughtError: (error) => (errors.push(error) === 1 ? 'replace' : 'stop'),
    restartMinMs: 1,
  });
  await streams.start();
  await streams.catchUp();
  const rows = new StoreQueries(streams).keyValueStore<string, string>('rows', { stale: true });
  const before = streams.tasks[0];
  await produce(log, 'in', [{ key: 'z', value: 'bug', timestamp: 1 }]);
  while (streams.state !== 'error') await new Promise((resolve) => setImmediate(resolve));
  expect(errors).toHaveLength(2);
  expect(streams.tasks[0]).not.toBe(before);
  expect(await rows.get('d')).toBe('d35');
});

test('a key’s partition is the one that its records are written to, and where it lives is known', async () => {
  await produce(log, 'in', RECORDS);
  const streams = await open();
  await drain(streams);
  for (const key of ['a', 'aa', 'ab', 'b', 'c', 'd']) {
    const { partition, local, store } = new StoreQueries(streams).keyMetadata('rows', key);
    expect({ local, store }).toEqual({ local: true, store: 'rows' });
    const there = new StoreQueries(streams).keyValueStore<string, string>('rows', { partition });
    expect(await there.get(key)).toBe(`${key}35`);
  }
  expect(new StoreQueries(streams).keyMetadata('rows', 'a', stringSerde, () => 2)).toEqual({
    store: 'rows',
    partition: 2,
    local: true,
  });
  expect(() => new StoreQueries(streams).keyMetadata('nothing', 'a')).toThrow(StoreQueryError);
});
