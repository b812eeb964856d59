import { compareKeys } from './flow.ts';
import { TableRows, TimedRows } from './rows.ts';
import {
  type KeyValueRows,
  type SessionRows,
  type VersionRows,
  RETENTION_MS,
  WINDOW_MS,
  type WindowRows,
} from '../user-processors.ts';

/** A store as one of the processors that share it sees it. `now` is the time of the record, or punctuation, that it has. */
export type OpenUserStore = (now: () => number) => unknown;

export function openUserStore(kind: string | null): OpenUserStore {
  if (kind === 'key-value') {
    const rows: Texts = new Map();
    return (now) => keyValueRows(rows, now);
  }
  const opened = kind === 'window' ? windowRows() : kind === 'session' ? sessionRows() : null;
  const store = kind === 'versioned' ? versionRows() : opened;
  return () => store;
}

type Texts = Map<string, { readonly value: string; readonly timestamp: number }>;

function keyValueRows(rows: Texts, now: () => number): KeyValueRows {
  const all = (): { key: string; value: string; timestamp: number }[] =>
    [...rows].map(([key, row]) => ({ key, ...row })).sort((a, b) => compareKeys(a.key, b.key));
  const store: KeyValueRows = {
    get: (key) => rows.get(key)?.value ?? null,
    put(key, value, timestamp = now()) {
      if (value === null) rows.delete(key);
      else rows.set(key, { value, timestamp });
    },
    putIfAbsent(key, value) {
      const before = store.get(key);
      if (before === null) store.put(key, value);
      return before;
    },
    delete(key) {
      const before = store.get(key);
      rows.delete(key);
      return before;
    },
    all,
    reverseAll: () => all().reverse(),
    range: (from, to) =>
      all().filter(
        ({ key }) =>
          (from === null || compareKeys(key, from) >= 0) && (to === null || compareKeys(key, to) <= 0),
      ),
  };
  return store;
}

function windowRows(): WindowRows {
  const rows = new TimedRows(RETENTION_MS);
  const view = (found: ReturnType<TimedRows['seen']>): ReturnType<WindowRows['fetch']> =>
    found.map(({ key, start, value, ts }) => ({
      key: { key, window: { start, end: start + WINDOW_MS } },
      value: value as string,
      timestamp: ts,
    }));
  return {
    get: (key, start) => (rows.of(key, start, start)[0]?.value ?? null) as string | null,
    put(key, value, start) {
      if (value === null) rows.remove({ key, start, time: start });
      else rows.put({ key, start, time: start, value, ts: start });
    },
    fetch: (key, from, to) => view(rows.of(key, from, to)),
    reverseFetch: (key, from, to) => view(rows.of(key, from, to).reverse()),
    fetchAll: (from, to) => view(rows.seen(from, to)),
  };
}

function sessionRows(): SessionRows {
  const rows = new TimedRows(RETENTION_MS);
  const view = (found: ReturnType<TimedRows['seen']>): ReturnType<SessionRows['fetch']> =>
    found.map(({ key, start, time, value }) => ({
      key: { key, window: { start, end: time } },
      value: value as string,
      timestamp: time,
    }));
  return {
    put(key, start, end, value) {
      if (value === null) rows.remove({ key, start, time: end });
      else rows.put({ key, start, time: end, value, ts: end });
    },
    fetch: (key, from = 0, to = Infinity) =>
      view(rows.of(key, from, Infinity).filter((row) => row.start <= to)),
    fetchAll: (from, to) =>
      view(rows.seen(from, to).sort((a, b) => a.time - b.time || compareKeys(a.key, b.key))),
  };
}

function versionRows(): VersionRows & { readonly rows: TableRows } {
  const rows = new TableRows(30);
  return {
    rows,
    get(key, asOf = Infinity) {
      const row = rows.getAsOf(key, asOf);
      return row === null ? null : { value: row.value as string, timestamp: row.ts };
    },
    put: (key, value, timestamp) => rows.put(key, value, timestamp) !== 'refused',
    versions: (key) => rows.versions(key) as ReturnType<VersionRows['versions']>,
  };
}
