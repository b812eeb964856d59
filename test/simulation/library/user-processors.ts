import { short, textOf, type Value } from './case-functions.ts';

/**
 * Processors as users write them, against as much of the library's contexts and stores as they use: the model has
 * contexts and stores of its own.
 */

export interface UserHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

export interface UserRecord {
  readonly key: string | null;
  readonly value: Value | null;
  readonly timestamp: number;
  readonly headers: readonly UserHeader[];
}

export interface Forwarded {
  readonly key: string | null;
  readonly value: Value | null;
  readonly timestamp?: number;
  readonly headers?: readonly UserHeader[];
}

interface StoredRow<K> {
  readonly key: K;
  readonly value: string;
  readonly timestamp: number;
}

interface WindowOf {
  readonly key: string;
  readonly window: { readonly start: number; readonly end: number };
}

export interface KeyValueRows {
  get(key: string): string | null;
  put(key: string, value: string | null, timestamp?: number): void;
  putIfAbsent(key: string, value: string): string | null;
  delete(key: string): string | null;
  all(): StoredRow<string>[];
  reverseAll(): StoredRow<string>[];
  range(from: string | null, to: string | null): StoredRow<string>[];
}

export interface WindowRows {
  get(key: string, start: number): string | null;
  put(key: string, value: string | null, start: number): void;
  fetch(key: string, from: number, to: number): StoredRow<WindowOf>[];
  reverseFetch(key: string, from: number, to: number): StoredRow<WindowOf>[];
  fetchAll(from: number, to: number): StoredRow<WindowOf>[];
}

export interface SessionRows {
  put(key: string, start: number, end: number, value: string | null): void;
  fetch(key: string, from?: number, to?: number): StoredRow<WindowOf>[];
  fetchAll(from: number, to: number): StoredRow<WindowOf>[];
}

export interface VersionRows {
  get(key: string, asOf?: number): { readonly value: string; readonly timestamp: number } | null;
  put(key: string, value: string | null, timestamp: number): boolean;
  versions(
    key: string,
    from?: number,
    to?: number,
  ): { readonly value: string; readonly timestamp: number; readonly validTo: number | null }[];
}

export interface UserContext {
  store(): unknown;
  forward(record: Forwarded): void;
  streamTime(): number;
  /** `topic/partition/offset` of the record in flight. */
  position(): string;
  schedule(callback: (now: number) => void): void;
}

export type Process = (record: UserRecord) => void;

export type ProcessorKind = keyof typeof PROCESSORS;

export const WINDOW_MS = 20;
/** Of the stores of windows and of sessions. */
export const RETENTION_MS = 60;
export const GAP_MS = 8;

/** What kind of store each needs; those with `schedules` have a punctuation. */
export const PROCESSORS = {
  dedupe: { store: 'key-value', schedules: true, keepsKey: false, open: dedupe },
  batch: { store: 'key-value', schedules: true, keepsKey: false, open: batch },
  tally: { store: 'key-value', schedules: false, keepsKey: true, open: tally },
  neighbours: { store: 'key-value', schedules: false, keepsKey: true, open: neighbours },
  recent: { store: 'window', schedules: false, keepsKey: true, open: recent },
  sessions: { store: 'session', schedules: false, keepsKey: true, open: sessions },
  versions: { store: 'versioned', schedules: false, keepsKey: true, open: versions },
  position: { store: null, schedules: false, keepsKey: true, open: position },
  fan: { store: null, schedules: false, keepsKey: false, open: fan },
} as const;

const header = (key: string, value: string | null): UserHeader => ({
  key,
  value: value === null ? null : Buffer.from(value),
});

/** Lets the first of a key through; forgets what is old, and tells. */
function dedupe(context: UserContext): Process {
  const seen = context.store() as KeyValueRows;
  context.schedule((now) => {
    for (const { key, value, timestamp } of seen.all()) {
      if (timestamp >= now - 30) continue;
      seen.delete(key);
      context.forward({ key, value: short(`forgot ${value}`) });
    }
  });
  return (record) => {
    if (record.key === null) return context.forward(record);
    const before = seen.putIfAbsent(record.key, textOf(record.value));
    if (before === null) context.forward({ key: record.key, value: record.value });
    return undefined;
  };
}

/** Gathers, and gives all out at each punctuation, the greatest key first. */
function batch(context: UserContext): Process {
  const held = context.store() as KeyValueRows;
  context.schedule((now) => {
    for (const { key, value, timestamp } of held.reverseAll()) {
      held.put(key, null);
      context.forward({ key, value, timestamp, headers: [header('held', String(now - timestamp))] });
      if (value.length % 2 === 0) context.forward({ key, value: 'even' });
    }
  });
  return ({ key, value }) => {
    if (key === null) return;
    const before = held.get(key);
    held.put(key, value === null ? null : short(`${before ?? ''};${textOf(value)}`));
  };
}

/** Counts the records of a key, in a header too; each third comes twice. */
function tally(context: UserContext): Process {
  const counts = context.store() as KeyValueRows;
  return (record) => {
    const { key, value, timestamp, headers } = record;
    if (key === null) return context.forward(record);
    const count = Number(counts.get(key) ?? 0) + 1;
    counts.put(key, String(count), count % 2 === 0 ? timestamp + 3 : undefined);
    context.forward({
      key,
      value: short(`${textOf(value)}#${count}`),
      headers: [...headers, header('n', String(count))],
    });
    if (count % 3 === 0) context.forward({ key, value, timestamp: timestamp + 7, headers: [] });
    return undefined;
  };
}

/** The rows around a key, in the order of the keys' bytes. */
function neighbours(context: UserContext): Process {
  const rows = context.store() as KeyValueRows;
  return ({ key, value }) => {
    if (key === null) return;
    rows.put(key, value === null ? null : textOf(value));
    const below = rows.range(null, key).map((row) => `${row.key}=${row.value}@${row.timestamp}`);
    const above = rows.range(key, null).map((row) => row.key);
    context.forward({ key, value: short(`${below.join()} ${above.join()}`), headers: [header(key, null)] });
  };
}

/** What came of late, of the key and of all. */
function recent(context: UserContext): Process {
  const rows = context.store() as WindowRows;
  return ({ key, value, timestamp }) => {
    if (key === null) return;
    const before = rows.get(key, timestamp);
    rows.put(key, value === null ? null : short(`${before ?? ''}${textOf(value)}`), timestamp);
    const from = Math.max(0, timestamp - WINDOW_MS);
    const mine = rows.fetch(key, from, timestamp).map((row) => `${row.key.window.start}${row.value}`);
    const last = rows.reverseFetch(key, 0, timestamp + WINDOW_MS)[0];
    const all = rows
      .fetchAll(from, timestamp + WINDOW_MS)
      .map((row) => `${row.key.key}@${row.key.window.start}-${row.key.window.end}`);
    context.forward({ key, value: short(`${mine.join()} ${last?.value} ${all.join()}`) });
  };
}

/** Sessions by hand. */
function sessions(context: UserContext): Process {
  const rows = context.store() as SessionRows;
  return ({ key, value, timestamp }) => {
    if (key === null) return;
    let [start, end, state] = [timestamp, timestamp, textOf(value)];
    for (const row of rows.fetch(key, Math.max(0, timestamp - GAP_MS), timestamp + GAP_MS)) {
      const { window } = row.key;
      start = Math.min(start, window.start);
      end = Math.max(end, window.end);
      state = short(`${row.value},${state}`);
      rows.put(key, window.start, window.end, null);
    }
    rows.put(key, start, end, state);
    const all = rows.fetchAll(0, 1_000_000).map((row) => `${row.key.key}${row.key.window.start}`);
    context.forward({ key, value: short(`${start}-${end} ${state} ${all.length} ${all.join()}`) });
  };
}

/** What was, what is, and all that is known. */
function versions(context: UserContext): Process {
  const rows = context.store() as VersionRows;
  return ({ key, value, timestamp }) => {
    if (key === null) return;
    const kept = rows.put(key, value === null ? null : textOf(value), timestamp);
    const was = rows.get(key, Math.max(0, timestamp - 5));
    const is = rows.get(key);
    const all = rows.versions(key).map((row) => `${row.timestamp}-${row.validTo}${row.value}`);
    context.forward({ key, value: short(`${kept} ${was?.value} ${is?.timestamp} ${all.join()}`) });
  };
}

/** Where a record comes from. */
function position(context: UserContext): Process {
  return (record) => {
    context.forward({
      ...record,
      value: record.value === null ? null : short(`${textOf(record.value)}@${context.streamTime()}`),
      headers: [...record.headers.slice(0, 1), header('at', context.position())],
    });
  };
}

/** Two records for one, under other keys. */
function fan(context: UserContext): Process {
  return (record) => {
    context.forward({ ...record, key: `a${record.key ?? ''}`, headers: [] });
    context.forward({ key: `b${record.key ?? ''}`, value: record.value, timestamp: record.timestamp + 1 });
  };
}
