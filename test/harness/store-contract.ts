import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { LATEST, MISS, NOT_PUT } from '../../src/state/store.ts';
import type {
  KeyValueStore,
  SessionStore,
  StateBackend,
  TaskState,
  VersionedStore,
  WindowStore,
} from '../../src/state/store.ts';
import { openStateBackend } from '../../src/state/task-state.ts';
import { textValues } from './text-values.ts';

/**
 * The contract of task state, as a random walk beside a model that is a sorted array of rows. Operations run as a
 * task runs them: a record at a time, undone, loaded and run again when a read misses.
 */

/** A small deterministic generator (mulberry32): numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface ContractOptions {
  readonly seed: number;
  readonly steps: number;
  /**
   * overlay: nothing is ever written. database: everything is persisted and evicted again and again, so that reads
   * go through want, MISS, undo and load. waiting: the same, but reads wait for the database. mixed: flush, evict,
   * persist, restart and restore at random points.
   */
  readonly mode: 'overlay' | 'database' | 'waiting' | 'mixed';
}

interface Row {
  key: Buffer;
  time: number;
  second: number;
  value: string;
  timestamp: number;
}

const KEYS: readonly Buffer[] = [
  Buffer.alloc(0),
  Buffer.from([0]),
  Buffer.from([0, 0]),
  Buffer.from([0xff]),
  Buffer.from([0xff, 0xff]),
  Buffer.from('a'),
  Buffer.from('ab'),
  Buffer.from('abc'),
  Buffer.from([0x61, 0, 0, 0, 0, 0, 0, 0, 0]),
  Buffer.from([0x61, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
  Buffer.from('b'),
  Buffer.from('a key that is somewhat longer than the others are, so that it is copied in one go'),
  ...Array.from({ length: 20 }, (_, i) => Buffer.from(`k${i}`)),
];

const RETENTION_MS = 150_000;

/** Rows sorted by (time, key, second) of a windowed store, or by key of a key-value store. */
class Model {
  rows: Row[] = [];
  observedTime = -1;
  nextSecond = 0;

  put(key: Buffer, time: number, second: number, value: string | null, timestamp: number): void {
    this.observedTime = Math.max(this.observedTime, time);
    if (time < this.observedTime - RETENTION_MS) return;
    const at = this.rows.findIndex(
      (row) => row.key.equals(key) && row.time === time && row.second === second,
    );
    if (at >= 0) this.rows.splice(at, 1);
    if (value !== null) this.rows.push({ key, time, second, value, timestamp });
  }

  visible(): Row[] {
    return this.rows
      .filter((row) => row.time >= this.observedTime - RETENTION_MS)
      .sort((a, b) => a.time - b.time || Buffer.compare(a.key, b.key) || a.second - b.second);
  }

  copy(): Model {
    const copy = new Model();
    copy.rows = [...this.rows];
    copy.observedTime = this.observedTime;
    copy.nextSecond = this.nextSecond;
    return copy;
  }
}

interface Version {
  readonly time: number;
  /** Null: the key is removed from then on. */
  readonly value: string | null;
}

/** Every version ever put, by key. */
class VersionedModel {
  versions = new Map<string, readonly Version[]>();
  observedTime = -1;

  of(key: Buffer): readonly Version[] {
    return this.versions.get(key.toString('hex')) ?? [];
  }

  put(key: Buffer, time: number, value: string | null): number {
    this.observedTime = Math.max(this.observedTime, time);
    if (time < this.observedTime - RETENTION_MS) return NOT_PUT;
    const others = this.of(key).filter((version) => version.time !== time);
    const next = others.find((version) => version.time > time);
    this.versions.set(
      key.toString('hex'),
      [...others, { time, value }].sort((a, b) => a.time - b.time),
    );
    return next?.time ?? LATEST;
  }

  asOf(key: Buffer, time: number): readonly [value: string, from: number, to: number] | null {
    const versions = this.of(key);
    const at = versions.findLastIndex((version) => version.time <= time);
    const version = versions[at];
    if (version === undefined || version.value === null) return null;
    if (at < versions.length - 1 && time < this.observedTime - RETENTION_MS) return null;
    return [version.value, version.time, versions[at + 1]?.time ?? Infinity];
  }

  between(key: Buffer, from: number, to: number): (readonly [value: string, from: number, to: number])[] {
    const versions = this.of(key);
    return versions.flatMap(({ time, value }, i) => {
      const until = versions[i + 1]?.time ?? Infinity;
      const seen = time <= to && until > from && until > this.observedTime - RETENTION_MS;
      return value !== null && seen ? [[value, time, until] as const] : [];
    });
  }

  copy(): VersionedModel {
    const copy = new VersionedModel();
    copy.versions = new Map(this.versions);
    copy.observedTime = this.observedTime;
    return copy;
  }
}

type Models = { kv: Model; window: Model; joins: Model; session: Model; versioned: VersionedModel };
const NAMES = ['kv', 'window', 'joins', 'session', 'versioned'] as const;

interface Opened {
  state: TaskState;
  kv: KeyValueStore;
  window: WindowStore;
  joins: WindowStore;
  session: SessionStore;
  versioned: VersionedStore;
}

interface Change {
  name: (typeof NAMES)[number];
  key: Buffer;
  value: Buffer | null;
  timestamp: number;
}

export async function runStoreContract(options: ContractOptions): Promise<{ misses: number }> {
  const random = seededRandom(options.seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const directory = options.mode === 'overlay' ? null : await mkdtemp(join(tmpdir(), 'millrace-contract-'));
  let misses = 0;
  const waiting = options.mode === 'waiting';
  const cold = waiting || options.mode === 'database';
  let resident = !cold;
  let opened = await open(backend(resident), directory);
  let models = emptyModels();
  let drained = copyModels(models);
  let persisted: { meta: string | null; models: Models } = { meta: null, models: copyModels(models) };
  /** Changelog records since the last persist: what a restore after a restart must replay. */
  let tail: Change[] = [];
  let clock = -100_000;
  let metas = 0;

  /** Runs a record as a task does. `reads` are compared with the model; `puts` are applied to both. */
  const record = async (run: (stores: Opened) => unknown, expected: unknown): Promise<void> => {
    for (let attempt = 0; ; attempt++) {
      if (attempt > 50) throw new Error('a read never finds what was loaded');
      if (waiting) {
        await opened.state.allowWaiting();
        opened.state.waits = true;
      } else opened.state.beginRecord();
      try {
        expect(run(opened)).toEqual(expected);
        return;
      } catch (signal) {
        if (signal !== MISS) throw signal;
        misses++;
        opened.state.undoRecord();
        await opened.state.load();
      }
    }
  };

  const drain = (): void => {
    for (const name of NAMES)
      opened.state.drainChangelog(
        opened[name],
        (key, keyStart, keyEnd, value, valueStart, valueEnd, timestamp) =>
          tail.push({
            name,
            key: Buffer.from(key.subarray(keyStart, keyEnd)),
            value: valueStart < 0 ? null : Buffer.from(value.subarray(valueStart, valueEnd)),
            timestamp,
          }),
      );
    drained = copyModels(models);
  };

  const persist = async (): Promise<void> => {
    const meta = `meta ${++metas}`;
    const at = copyModels(drained);
    const ready = opened.state.persist(meta);
    tail = [];
    await ready;
    persisted = { meta, models: at };
  };

  const restart = async (): Promise<void> => {
    await opened.state.close();
    resident = options.mode === 'mixed' && random() < 0.5;
    opened = await open(backend(resident), directory);
    expect(opened.state.meta).toBe(persisted.meta);
    if (random() < 0.5) {
      // A crash between commit and persist: the tail of the changelog brings the rest.
      for (const { name, key, value, timestamp } of tail)
        opened.state.restore(
          opened[name],
          key,
          0,
          key.length,
          value ?? Buffer.alloc(0),
          value === null ? -1 : 0,
          value === null ? -1 : value.length,
          timestamp,
        );
      models = copyModels(drained);
    } else {
      models = copyModels(persisted.models);
      tail = [];
    }
    drained = copyModels(models);
  };

  const timeNear = (): number => {
    const roll = random();
    if (roll < 0.1) return clock - RETENTION_MS - 1 + Math.floor(random() * 3);
    if (roll < 0.4) return clock - Math.floor(random() * RETENTION_MS);
    return clock;
  };

  try {
    for (let step = 0; step < options.steps; step++) {
      if (random() < 0.3) clock += Math.floor(random() * (random() < 0.05 ? 120_000 : 4_000));
      const key = pick(KEYS);
      const padded = Buffer.concat([Buffer.from('<<'), key, Buffer.from('>>')]);
      const end = 2 + key.length;
      const value = random() < 0.2 ? null : `v${step}`;
      const time = timeNear();
      const from = time - Math.floor(random() * 60_000);
      const next = copyModels(models);
      const roll = random();
      const versionedRoll = random();
      if (random() < 0.5) {
        const name = pick(NAMES);
        opened.state.want(opened[name], padded, 2, end, from, time);
        // Far apart, of the same key: what lies between must not count as read.
        if (random() < 0.5)
          opened.state.want(opened[name], padded, 2, end, clock - RETENTION_MS, clock - RETENTION_MS + 5);
        if (random() < 0.3) await opened.state.load();
      }
      if (versionedRoll < 0.2) {
        // Versions are not older than the epoch.
        const at = time + 300_000;
        const asOf = versionedRoll < 0.05 ? from + 300_000 : at - 1;
        const written = next.versioned.put(key, at, value);
        const before = models.versioned;
        const put = versionedRoll < 0.15;
        if (!put) next.versioned = before.copy();
        const reverse = versionedRoll > 0.1;
        // A put must find out for itself what follows it.
        const blind = versionedRoll < 0.04;
        const between = before.between(key, asOf - 20_000, asOf);
        if (reverse) between.reverse();
        await record(
          ({ versioned }) => {
            if (blind) return [versioned.put(padded, 2, end, value, at)];
            const newest = versioned.find(padded, 2, end);
            const valid = versioned.findAsOf(padded, 2, end, asOf);
            const version = (slot: number): unknown =>
              slot < 0
                ? null
                : [versioned.valueAt(slot), versioned.timestampAt(slot), versioned.validToAt(slot)];
            const seen: unknown[] = [version(newest), version(valid)];
            versioned.versions(padded, 2, end, asOf - 20_000, asOf, reverse, (v, first, to) => {
              seen.push([v, first, to]);
            });
            if (put) seen.push(versioned.put(padded, 2, end, value, at));
            return seen;
          },
          blind
            ? [written]
            : [before.asOf(key, Infinity), before.asOf(key, asOf), ...between, ...(put ? [written] : [])],
        );
      } else if (roll < 0.25) {
        const row = models.kv.rows.find((other) => other.key.equals(key));
        next.kv.put(key, 0, 0, value, step);
        await record(
          ({ kv }) => {
            const slot = kv.find(padded, 2, end);
            const found = slot < 0 ? null : [kv.valueAt(slot), kv.timestampAt(slot)];
            kv.put(padded, 2, end, 'overwritten at once', 1);
            kv.put(padded, 2, end, value, step);
            return found;
          },
          row === undefined ? null : [row.value, row.timestamp],
        );
      } else if (roll < 0.32) {
        let [low, high] = [pick(KEYS), pick(KEYS)];
        if (Buffer.compare(low, high) > 0) [low, high] = [high, low];
        const reverse = random() < 0.5;
        const lower = random() < 0.2 ? null : low;
        const upper = random() < 0.2 ? null : high;
        const limit = Math.floor(random() * 30) + 1;
        const expected = models.kv.rows
          .filter(
            (row) =>
              (lower === null || Buffer.compare(row.key, lower) >= 0) &&
              (upper === null || Buffer.compare(row.key, upper) < 0),
          )
          .sort((a, b) => Buffer.compare(a.key, b.key));
        if (reverse) expected.reverse();
        await record(
          ({ kv }) => {
            const seen: string[] = [];
            kv.range(lower, upper, reverse, (k, s, e, v) => {
              seen.push(`${Buffer.from(k.subarray(s, e)).toString('hex')}=${String(v)}`);
              // A walk within the walk must not disturb it.
              kv.range(null, null, !reverse, () => false);
              return seen.length < limit;
            });
            return seen;
          },
          expected.slice(0, limit).map((row) => `${row.key.toString('hex')}=${row.value}`),
        );
      } else if (roll < 0.55) {
        const visible = models.window.visible().find((row) => row.key.equals(key) && row.time === time);
        next.window.put(key, time, 0, value, step);
        await record(
          ({ window }) => {
            const slot = window.find(padded, 2, end, time);
            const found = slot < 0 ? null : [window.valueAt(slot), window.timestampAt(slot)];
            window.put(padded, 2, end, time, value, step);
            return found;
          },
          visible === undefined ? null : [visible.value, visible.timestamp],
        );
      } else if (roll < 0.72) {
        const name = random() < 0.5 ? 'window' : 'joins';
        const reverse = random() < 0.3;
        const expected = models[name]
          .visible()
          .filter((row) => row.key.equals(key) && row.time >= from && row.time <= time)
          .map((row) => [row.time, row.value, row.timestamp]);
        if (reverse) expected.reverse();
        const put = name === 'joins' && random() < 0.8;
        if (put && value !== null) next.joins.put(key, time, next.joins.nextSecond++, value, step);
        await record(
          (stores) => {
            if (put) stores.joins.put(padded, 2, end, time, value, step);
            const seen: unknown[] = [];
            stores[name].fetch(padded, 2, end, from, time, reverse, (t, v, ts) => {
              if (!(put && ts === step)) seen.push([t, v, ts]);
            });
            return seen;
          },
          put && value !== null
            ? expected.filter(([t]) => (t as number) >= next.joins.observedTime - RETENTION_MS)
            : expected,
        );
      } else if (roll < 0.92) {
        // Sessions: find what overlaps, remove it while walking, put the merged one.
        const gap = 5_000;
        const overlapping = models.session
          .visible()
          .filter((row) => row.key.equals(key) && row.time >= time - gap && row.second <= time + gap);
        let start = time;
        let last = time;
        for (const row of overlapping) {
          start = Math.min(start, row.second);
          last = Math.max(last, row.time);
          next.session.put(key, row.time, row.second, null, step);
        }
        next.session.put(key, last, start, value, step);
        await record(
          ({ session }) => {
            const seen: unknown[] = [];
            let first = time;
            let until = time;
            session.fetch(padded, 2, end, time - gap, time + gap, (s, e, v, ts) => {
              seen.push([s, e, v, ts]);
              first = Math.min(first, s);
              until = Math.max(until, e);
              session.put(padded, 2, end, s, e, null, step);
            });
            session.put(padded, 2, end, first, until, value, step);
            return seen;
          },
          overlapping.map((row) => [row.second, row.time, row.value, row.timestamp]),
        );
      } else {
        const name = pick(['window', 'joins', 'session'] as const);
        const limit = 1 + Math.floor(random() * 40);
        const expected = models[name]
          .visible()
          .filter((row) => row.time >= from && row.time <= time)
          .slice(0, limit)
          .map((row) => [row.key.toString('hex'), row.time, row.value]);
        await record((stores) => {
          const seen: unknown[] = [];
          if (name === 'session')
            stores.session.fetchAll(from, time, (k, s, e, _start, last, v) => {
              seen.push([Buffer.from(k.subarray(s, e)).toString('hex'), last, v]);
              return seen.length < limit;
            });
          else
            stores[name].fetchAll(from, time, (k, s, e, windowStart, v) => {
              seen.push([Buffer.from(k.subarray(s, e)).toString('hex'), windowStart, v]);
              return seen.length < limit;
            });
          return seen;
        }, expected);
      }
      models = next;

      // A record that is undone leaves no trace, whatever it did.
      if (!waiting && !opened.state.resident && random() < 0.2) {
        opened.state.beginRecord();
        opened.kv.put(padded, 2, end, 'ghost', 1);
        opened.window.put(padded, 2, end, clock + 500_000, 'ghost', 1);
        opened.joins.put(padded, 2, end, clock + 500_000, 'ghost', 1);
        opened.joins.put(padded, 2, end, clock, 'ghost', 1);
        opened.session.put(padded, 2, end, clock, clock, null, 1);
        opened.session.put(padded, 2, end, clock + 1, clock + 2, 'ghost', 1);
        try {
          opened.versioned.put(padded, 2, end, null, clock + 300_000);
          opened.versioned.put(padded, 2, end, 'ghost', clock + 299_999);
          opened.versioned.put(padded, 2, end, 'ghost', clock + 800_000);
        } catch (signal) {
          if (signal !== MISS) throw signal;
        }
        opened.state.undoRecord();
      }
      for (const name of ['window', 'joins', 'session', 'versioned'] as const)
        expect(opened[name].observedTime).toBe(models[name].observedTime);

      if (random() < 0.1) drain();
      if (directory === null) continue;
      if (cold ? step % 7 === 6 : random() < 0.04) {
        if (cold) drain();
        const ready = persist();
        if (random() < 0.3 && !waiting) opened.state.beginRecord();
        await ready;
        if (cold) opened.state.evict(0);
      }
      if (options.mode === 'mixed' && random() < 0.05)
        opened.state.evict(random() < 0.5 ? 0 : opened.state.memoryBytes / 2);
      if (options.mode === 'mixed' && random() < 0.02) await restart();
    }
    return { misses };
  } finally {
    await opened.state.close();
    if (directory !== null) await rm(directory, { recursive: true, force: true });
  }
}

function backend(resident: boolean): StateBackend {
  return openStateBackend({ residentBytes: resident ? 1 << 30 : 0 });
}

async function open(from: StateBackend, directory: string | null): Promise<Opened> {
  const state = await from.openTaskState(directory);
  const common = { values: textValues, changelog: true, persistent: true };
  return {
    state,
    kv: state.openStore({ ...common, kind: 'key-value', name: 'kv' }),
    window: state.openStore({
      ...common,
      kind: 'window',
      name: 'window',
      retentionMs: RETENTION_MS,
      duplicates: false,
    }),
    joins: state.openStore({
      ...common,
      kind: 'window',
      name: 'joins',
      retentionMs: RETENTION_MS,
      duplicates: true,
    }),
    session: state.openStore({ ...common, kind: 'session', name: 'session', retentionMs: RETENTION_MS }),
    versioned: state.openStore({
      ...common,
      kind: 'versioned',
      name: 'versioned',
      historyRetentionMs: RETENTION_MS,
    }),
  };
}

function emptyModels(): Models {
  return {
    kv: new Model(),
    window: new Model(),
    joins: new Model(),
    session: new Model(),
    versioned: new VersionedModel(),
  };
}

function copyModels(models: Models): Models {
  return {
    kv: models.kv.copy(),
    window: models.window.copy(),
    joins: models.joins.copy(),
    session: models.session.copy(),
    versioned: models.versioned.copy(),
  };
}
