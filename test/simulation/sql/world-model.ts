import { type Cell, type Cells, COLUMNS, LATE_MS, type TopicName, type World } from './world.ts';

/**
 * What queries over a world give: loops over its records in the order in which one reader of all partitions by time
 * would see them, tables first at equal times. Nothing here is the engine's.
 */

/** A row on its way, its columns named `S.ID`. */
export interface Flowing {
  readonly row: Cells;
  readonly time: number;
  readonly turn: number;
  readonly late: boolean;
  readonly phase: number;
  /** It is open what it met on its way. */
  readonly isOpen?: boolean;
}

/** Lines that a result has, and lines that it may have: where it is open whether somebody waited. */
export interface Expected {
  readonly must: readonly string[];
  readonly may: readonly string[];
  /** Lines that begin so are not looked at; '' is all of them. */
  readonly open: readonly string[];
}

export interface Term {
  readonly sql: string;
  readonly of: (row: Cells) => Cell;
}

export function lineOf(cells: readonly Cell[]): string {
  return JSON.stringify(cells);
}

/** The start of the lines of these keys. */
export function prefixOf(cells: readonly Cell[]): string {
  return JSON.stringify(cells).slice(0, -1);
}

function cellsOf(topic: TopicName, key: number, value: Cells): Cells {
  return {
    [`${topic}.K`]: key,
    ...Object.fromEntries(COLUMNS.map((name) => [`${topic}.${name}`, value[name]!])),
  };
}

export function noCells(topic: TopicName): Cells {
  return Object.fromEntries(['K', ...COLUMNS].map((name) => [`${topic}.${name}`, null]));
}

/** The rows of a stream, in the order of their turns. */
export function rowsOf(world: World, topic: TopicName): readonly Flowing[] {
  return world.records
    .filter((each) => each.topic === topic && each.wrong === null)
    .map(({ key, value, time, turn, late, phase }) => ({
      row: cellsOf(topic, key, value!),
      time,
      turn,
      late,
      phase,
    }))
    .toSorted((a, b) => a.turn - b.turn);
}

/** The rows of a table after all records whose turn is not after `turn`. */
export function tableAt(world: World, topic: TopicName, turn = Infinity): ReadonlyMap<Cell, Cells> {
  const rows = new Map<Cell, Cells>();
  for (const { topic: of, key, value, wrong, turn: own } of world.records) {
    if (of !== topic || wrong !== null || own > turn) continue;
    if (value === null) rows.delete(key);
    else rows.set(key, cellsOf(topic, key, value));
  }
  return rows;
}

/**
 * Each row with that of a table, as the table was then. A row that comes after a later one of its partition need not do
 * so in the partition of its new key, where it `isRepartitioned`: it may meet an earlier row of the table.
 */
export function lookUp(
  world: World,
  rows: readonly Flowing[],
  table: TopicName,
  key: Term,
  { isLeft, isRepartitioned }: { readonly isLeft: boolean; readonly isRepartitioned: boolean },
): readonly Flowing[] {
  return rows.flatMap((each) => {
    const id = key.of(each.row);
    const at = (turn: number): Cells | undefined =>
      id === null ? undefined : tableAt(world, table, turn).get(id);
    const found = at(each.turn);
    const own = each.late ? each.time + LATE_MS : each.time;
    const changes = world.records.some(
      (other) => other.topic === table && other.key === id && other.turn > own && other.turn <= each.turn,
    );
    const isOpen = each.isOpen === true || (isRepartitioned && changes);
    if (found === undefined && !isLeft && !isOpen) return [];
    return [{ ...each, isOpen, row: { ...each.row, ...(found ?? noCells(table)) } }];
  });
}

export interface ModelWindow {
  readonly kind: 'TUMBLING' | 'HOPPING' | 'SESSION';
  readonly sizeMs: number;
  readonly advanceMs: number;
  /** Null: what is the default. */
  readonly graceMs: number | null;
  /** Only final results are told. */
  readonly isFinal: boolean;
}

interface Group {
  readonly key: readonly Cell[];
  readonly start: number;
  end: number;
  readonly rows: Flowing[];
}

const DAY_MS = 86_400_000;

const graceOf = ({ graceMs, sizeMs, isFinal }: ModelWindow): number =>
  graceMs ?? (isFinal ? 0 : DAY_MS - sizeMs);

export interface Grouping {
  readonly groups: readonly Group[];
  /** Starts of lines of groups of which it is open what is in them. */
  readonly open: readonly string[];
}

/** `lateIsLate`: a late row comes after one of the same group, so that it is dropped for sure. */
export function groupRows(
  rows: readonly Flowing[],
  keys: readonly Term[],
  window: ModelWindow | null,
  lateIsLate: boolean,
): Grouping {
  const byKey = new Map<string, { key: readonly Cell[]; rows: Flowing[] }>();
  for (const each of rows) {
    const key = keys.map(({ of }) => of(each.row));
    if (key.includes(null)) continue;
    const known = byKey.get(lineOf(key));
    if (known === undefined) byKey.set(lineOf(key), { key, rows: [each] });
    else known.rows.push(each);
  }
  const groups: Group[] = [];
  const open: string[] = [];
  for (const { key, rows: own } of byKey.values()) {
    if (window === null) groups.push({ key, start: 0, end: 0, rows: own });
    else if (window.kind === 'SESSION') addSessions(key, own, window, lateIsLate, groups, open);
    else addWindows(key, own, window, lateIsLate, groups, open);
  }
  return { groups, open };
}

function addSessions(
  key: readonly Cell[],
  rows: readonly Flowing[],
  window: ModelWindow,
  lateIsLate: boolean,
  groups: Group[],
  open: string[],
): void {
  const { sizeMs: gap } = window;
  const isKept = ({ time, turn }: Flowing): boolean => time >= turn - graceOf(window) - gap;
  if (rows.some((each) => !isKept(each) && !(each.late && lateIsLate))) {
    open.push(prefixOf(key));
    return;
  }
  let last: Group | null = null;
  for (const each of rows.filter(isKept).toSorted((a, b) => a.time - b.time))
    if (last === null || each.time - last.end > gap) {
      last = { key, start: each.time, end: each.time, rows: [each] };
      groups.push(last);
    } else {
      last.end = each.time;
      last.rows.push(each);
    }
}

function addWindows(
  key: readonly Cell[],
  rows: readonly Flowing[],
  window: ModelWindow,
  lateIsLate: boolean,
  groups: Group[],
  open: string[],
): void {
  const { sizeMs, advanceMs } = window;
  const own = new Map<number, Group>();
  for (const each of rows) {
    const first = Math.ceil((each.time - sizeMs + 1) / advanceMs) * advanceMs;
    for (let start = first; start <= each.time; start += advanceMs) {
      const end = start + sizeMs;
      if (end + graceOf(window) > each.turn) {
        const known = own.get(start);
        if (known === undefined) own.set(start, { key, start, end, rows: [each] });
        else known.rows.push(each);
      } else if (!each.late || !lateIsLate) open.push(prefixOf([...key, start, end]));
    }
  }
  groups.push(...own.values());
}

/**
 * Which windows EMIT FINAL has told: those that a later row of their key has closed; not those that no row of all
 * could close; of the others it is open.
 */
export function finalOf(
  { key, end }: Group,
  rows: readonly Flowing[],
  keys: readonly Term[],
  window: ModelWindow,
): 'told' | 'open' | 'not told' {
  const closed = rows.filter(({ time }) => time >= end + graceOf(window));
  if (closed.length === 0) return 'not told';
  const id = lineOf(key);
  return closed.some(({ row }) => lineOf(keys.map(({ of }) => of(row))) === id) ? 'told' : 'open';
}

export interface ModelAggregate {
  readonly sql: string;
  readonly of: (rows: readonly Cells[]) => Cell;
}

export function aggregate(name: 'COUNT' | 'SUM' | 'MIN' | 'MAX', term: Term): ModelAggregate {
  return {
    sql: `${name}(${term.sql})`,
    of(rows) {
      const values = rows.map((row) => term.of(row)).filter((each) => each !== null) as number[];
      if (name === 'COUNT') return values.length;
      if (name === 'SUM') return values.reduce((sum, each) => sum + each, 0);
      if (values.length === 0) return null;
      return name === 'MIN' ? Math.min(...values) : Math.max(...values);
    },
  };
}

export const COUNT_ALL: ModelAggregate = { sql: 'COUNT(*)', of: (rows) => rows.length };
