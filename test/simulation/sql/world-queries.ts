import type { SeededRandom } from '../../harness/random.ts';
import {
  aggregate,
  COUNT_ALL,
  type Expected,
  finalOf,
  type Flowing,
  groupRows,
  lineOf,
  lookUp,
  type ModelAggregate,
  type ModelWindow,
  noCells,
  prefixOf,
  rowsOf,
  tableAt,
  type Term,
} from './world-model.ts';
import type { Cells, TopicName, World } from './world.ts';

export type QueryKind =
  | 'route'
  | 'group'
  | 'chain'
  | 'lookup'
  | 'lookup group'
  | 'pairs'
  | 'tables'
  | 'foreign key'
  | 'foreign key group'
  | 'table group'
  | 'cycle';

/** A query of a world, with what it gives. `@` stands for its name. */
export interface WorldQuery {
  readonly kind: QueryKind;
  /** What must be there before it. */
  readonly before: readonly string[];
  /** The statement without its CREATE STREAM @ AS. */
  readonly sink: 'STREAM' | 'TABLE';
  /** `extra`: one more item of the projection; empty for none. `filter`: one more condition. */
  readonly select: (extra: string, filter: string) => string;
  /** An item that a replacement may add. */
  readonly extra: string | null;
  /** A condition that a replacement may add, and who passes. */
  readonly filter: Term | null;
  /** How a table is read; null: by the records of its topic. */
  readonly pull: string | null;
  /** The columns of the value that make up a line, where the topic is read. */
  readonly columns: readonly string[];
  /** So many of them say whose row it is, of which the last counts; null: all count. */
  readonly keySize: number | null;
  readonly reads: readonly TopicName[];
  /** Behind a topic of the query's own, or a re-keyed one. */
  readonly isRepartitioned: boolean;
  readonly window: ModelWindow | null;
  readonly expected: (world: World, filteredFrom: number) => Expected;
}

const SECOND = 1000;
const HOUR = 3600 * SECOND;

const column = (topic: TopicName, name: string): Term => ({
  sql: `${topic}.${name}`,
  of: (row) => row[`${topic}.${name}`]!,
});

const exactly = (must: readonly string[]): Expected => ({ must, may: [], open: [] });

interface Parts {
  readonly kind: QueryKind;
  readonly from: string;
  readonly rows: (world: World) => readonly Flowing[];
  readonly reads: readonly TopicName[];
  readonly keys: readonly Term[];
  readonly where: Term | null;
  readonly isRepartitioned: boolean;
  /** Whether late rows follow one of the same group. */
  readonly lateIsLate: boolean;
  readonly mayBeWindowed: boolean;
  readonly aggregates: readonly ModelAggregate[];
  readonly before?: readonly string[];
}

export class QueryGenerator {
  readonly #random: SeededRandom;
  readonly #world: World;
  readonly #roundsMax: number;

  /** `roundsMax`: how often rows of a cycle go round. */
  constructor(random: SeededRandom, world: World, roundsMax: number) {
    this.#random = random;
    this.#world = world;
    this.#roundsMax = roundsMax;
  }

  next(): WorldQuery {
    const random = this.#random;
    return random.pick([
      () => this.#route(),
      () => this.#group(),
      () => this.#group(),
      () => this.#group(),
      () => this.#chain(),
      () => this.#lookup(),
      () => this.#lookup(),
      () => this.#lookupGroup(),
      () => this.#pairs(),
      () => this.#pairs(),
      () => this.#tables(),
      () => this.#foreignKey(),
      () => this.#foreignKey(),
      () => this.#foreignKeyGroup(),
      () => this.#tableGroup(),
      () => this.#cycle(),
    ])();
  }

  #stream(): TopicName {
    return this.#random.pick(['S', 'S', 'R'] as const);
  }

  #isKeyed(topic: TopicName): boolean {
    return !this.#world.scattered.has(topic);
  }

  /** Whether rows of the same key meet. */
  #meet(a: TopicName, b: TopicName): boolean {
    const { partitions } = this.#world;
    return this.#isKeyed(a) && this.#isKeyed(b) && partitions[a] === partitions[b];
  }

  #condition(topic: TopicName): Term {
    const random = this.#random;
    const least = random.integer(-10, 10);
    const other = random.integer(0, 4);
    const [v, h, g] = [column(topic, 'V'), column(topic, 'H'), column(topic, 'G')];
    const pick = random.pick(['V', 'H', 'G'] as const);
    if (pick === 'V')
      return {
        sql: `${v.sql} > ${least}`,
        of: (row) => Number(v.of(row) !== null && Number(v.of(row)) > least),
      };
    if (pick === 'H')
      return { sql: `${h.sql} <> ${other}`, of: (row) => Number(h.of(row) !== null && h.of(row) !== other) };
    return { sql: `${g.sql} IS NOT NULL`, of: (row) => Number(g.of(row) !== null) };
  }

  #where(topic: TopicName): Term | null {
    return this.#random.chance(0.35) ? this.#condition(topic) : null;
  }

  #key(topic: TopicName): Term {
    const random = this.#random;
    const name = random.pick(['G', 'H', 'F']);
    const plain = column(topic, name);
    if (name === 'G' || random.chance(0.8)) return plain;
    const added = random.integer(1, 3);
    return {
      sql: `${plain.sql} + ${added}`,
      of: (row) => (plain.of(row) === null ? null : Number(plain.of(row)) + added),
    };
  }

  #aggregates(topic: TopicName, canUndo: boolean): readonly ModelAggregate[] {
    const random = this.#random;
    const found = random.chance(0.7) ? [COUNT_ALL] : [];
    const names = canUndo ? (['COUNT', 'SUM'] as const) : (['COUNT', 'SUM', 'MIN', 'MAX'] as const);
    for (let left = random.integer(found.length === 0 ? 1 : 0, 2); left > 0; left--)
      found.push(aggregate(random.pick(names), column(topic, random.pick(['V', 'V', 'H', 'F']))));
    return found;
  }

  #window(): ModelWindow {
    const random = this.#random;
    const kind = random.pick(['TUMBLING', 'TUMBLING', 'HOPPING', 'SESSION'] as const);
    const sizeMs = random.pick([500, 10 * SECOND, 1800 * SECOND, HOUR]);
    const graces = this.#world.jitterMs > 0 && kind === 'SESSION' ? [10 * SECOND] : [0, SECOND, 10 * SECOND];
    return {
      kind,
      sizeMs,
      advanceMs: kind === 'HOPPING' ? sizeMs / 2 : sizeMs,
      graceMs: random.chance(0.7) ? random.pick(graces) : null,
      isFinal: kind !== 'SESSION' && random.chance(0.25),
    };
  }

  #route(): WorldQuery {
    const random = this.#random;
    const topic = this.#stream();
    const by = random.chance(0.6) ? this.#key(topic) : null;
    const where = this.#where(topic);
    const filter = by === null ? this.#condition(topic) : null;
    const key = by ?? column(topic, 'K');
    const conditions = (more: string): string => {
      const all = [where?.sql ?? '', more].filter((each) => each !== '');
      return all.length === 0 ? '' : ` WHERE ${all.join(' AND ')}`;
    };
    return {
      kind: 'route',
      before: [],
      sink: 'STREAM',
      select: (extra, more) =>
        `SELECT ${key.sql} AS KK, ${topic}.ID AS A, ${topic}.V AS B${extra} FROM ${topic}${conditions(more)}${by === null ? '' : ` PARTITION BY ${by.sql}`} EMIT CHANGES`,
      extra: `${topic}.ID + 1 AS EXTRA`,
      filter,
      pull: null,
      columns: ['A', 'B'],
      keySize: null,
      reads: [topic],
      isRepartitioned: by !== null,
      window: null,
      expected: (world, from) =>
        exactly(
          rowsOf(world, topic)
            .filter(
              ({ row, phase }) =>
                passes(where, row) && (filter === null || phase < from || passes(filter, row)),
            )
            .map(({ row }) => lineOf([row[`${topic}.ID`]!, row[`${topic}.V`]!])),
        ),
    };
  }

  #group(): WorldQuery {
    const random = this.#random;
    const topic = this.#stream();
    const byKey = this.#isKeyed(topic) && random.chance(0.25);
    const keys = byKey ? [column(topic, 'K')] : [this.#key(topic)];
    if (!byKey && random.chance(0.2)) keys.push(column(topic, 'K'));
    return this.#grouping({
      kind: 'group',
      from: topic,
      rows: (world) => rowsOf(world, topic),
      reads: [topic],
      keys,
      where: this.#where(topic),
      isRepartitioned: !byKey,
      lateIsLate: true,
      mayBeWindowed: true,
      aggregates: this.#aggregates(topic, false),
    });
  }

  /** Groups of a stream that another query has re-keyed. */
  #chain(): WorldQuery {
    const topic = this.#stream();
    const by = this.#random.pick(['G', 'H', 'F']);
    const where = this.#where(topic);
    return this.#grouping({
      kind: 'chain',
      before: [
        `CREATE STREAM @_P AS SELECT ${topic}.${by} AS ${by}, ${topic}.V AS V, ${topic}.ID AS ID FROM ${topic}${where === null ? '' : ` WHERE ${where.sql}`} PARTITION BY ${topic}.${by} EMIT CHANGES;`,
      ],
      from: '@_P P',
      rows: (world) =>
        rowsOf(world, topic)
          .filter(({ row }) => passes(where, row))
          .map((each) => ({
            ...each,
            row: { 'P.K': each.row[`${topic}.${by}`]!, 'P.V': each.row[`${topic}.V`]! },
          })),
      reads: [topic],
      keys: [{ sql: `P.${by}`, of: (row) => row['P.K']! }],
      where: null,
      isRepartitioned: true,
      lateIsLate: true,
      mayBeWindowed: true,
      aggregates: [COUNT_ALL, aggregate('SUM', { sql: 'P.V', of: (row) => row['P.V']! })],
    });
  }

  /** Null: the numbers of partitions differ. */
  #lookedUp(topic: TopicName): {
    readonly from: string;
    readonly tables: readonly TopicName[];
    readonly key: Term;
    readonly rows: (world: World) => readonly Flowing[];
    readonly isRepartitioned: boolean;
  } | null {
    const random = this.#random;
    const { partitions } = this.#world;
    const drawn: readonly TopicName[] = random.pick([['T'], ['U'], ['T', 'U']] as const);
    const tables = drawn.filter((table) => partitions[table] === partitions[topic]);
    if (tables.length === 0) return null;
    const byKey = tables.every((table) => this.#meet(topic, table)) && random.chance(0.4);
    const key = column(topic, byKey ? 'K' : random.pick(['F', 'H']));
    const steps = tables.map((table) => ({ table, isLeft: random.chance(0.5) }));
    return {
      from: `${topic} ${steps.map(({ table, isLeft }) => `${isLeft ? 'LEFT ' : ''}JOIN ${table} ON ${key.sql} = ${table}.K`).join(' ')}`,
      tables,
      key,
      rows: (world) =>
        steps.reduce(
          (rows, { table, isLeft }) => lookUp(world, rows, table, key, { isLeft, isRepartitioned: !byKey }),
          rowsOf(world, topic),
        ),
      isRepartitioned: !byKey,
    };
  }

  #lookup(): WorldQuery {
    const topic = this.#stream();
    const lookedUp = this.#lookedUp(topic);
    if (lookedUp === null) return this.#group();
    const { from, tables, key, rows, isRepartitioned } = lookedUp;
    const where = this.#where(topic);
    const shown = [column(topic, 'ID'), ...tables.map((table) => column(table, 'ID'))];
    const names = shown.map((_, i) => `A${i}`);
    return {
      kind: 'lookup',
      before: [],
      sink: 'STREAM',
      select: (extra) =>
        `SELECT ${key.sql} AS KK, ${shown.map(({ sql }, i) => `${sql} AS A${i}`).join(', ')}${extra} FROM ${from}${where === null ? '' : ` WHERE ${where.sql}`} EMIT CHANGES`,
      extra: `${topic}.ID + 1 AS EXTRA`,
      filter: null,
      pull: null,
      columns: names,
      keySize: null,
      reads: [topic, ...tables],
      isRepartitioned,
      window: null,
      expected(world) {
        const passed = rows(world).filter(({ row }) => passes(where, row));
        return {
          must: passed
            .filter((each) => each.isOpen !== true)
            .map(({ row }) => lineOf(shown.map(({ of }) => of(row)))),
          may: [],
          open: passed.filter((each) => each.isOpen === true).map(({ row }) => prefixOf([shown[0]!.of(row)])),
        };
      },
    };
  }

  #lookupGroup(): WorldQuery {
    const topic = this.#stream();
    const lookedUp = this.#lookedUp(topic);
    if (lookedUp === null) return this.#group();
    const { from, tables, rows } = lookedUp;
    const ofTable = this.#random.chance(0.5);
    return this.#grouping({
      kind: 'lookup group',
      from,
      rows,
      reads: [topic, ...tables],
      keys: [this.#key(ofTable ? tables[0]! : topic)],
      where: this.#where(topic),
      isRepartitioned: true,
      lateIsLate: false,
      mayBeWindowed: true,
      aggregates: this.#aggregates(topic, false),
    });
  }

  #pairs(): WorldQuery {
    const random = this.#random;
    if (this.#world.partitions['S'] !== this.#world.partitions['R']) return this.#route();
    const byKey = this.#meet('S', 'R') && random.chance(0.3);
    const name = byKey ? 'K' : random.pick(['G', 'H', 'F']);
    const isLeft = random.chance(0.3);
    const beforeMs = random.pick([0, SECOND, 60 * SECOND, HOUR]);
    const graces = this.#world.jitterMs > 0 ? [10 * SECOND] : [0, SECOND, 10 * SECOND];
    const graceMs = random.chance(0.7) ? random.pick(graces) : null;
    const where = random.chance(0.3) ? this.#condition('S') : null;
    const grace = graceMs === null ? '' : ` GRACE PERIOD ${graceMs} MILLISECONDS`;
    return {
      kind: 'pairs',
      before: [],
      sink: 'STREAM',
      select: (extra) =>
        `SELECT S.${name} AS KK, S.ID AS A, R.ID AS B${extra} FROM S ${isLeft ? 'LEFT ' : ''}JOIN R WITHIN ${beforeMs} MILLISECONDS${grace} ON S.${name} = R.${name}${where === null ? '' : ` WHERE ${where.sql}`} EMIT CHANGES`,
      extra: 'S.ID + 1 AS EXTRA',
      filter: null,
      pull: null,
      columns: ['A', 'B'],
      keySize: null,
      reads: ['S', 'R'],
      isRepartitioned: !byKey,
      window: { kind: 'TUMBLING', sizeMs: beforeMs, advanceMs: beforeMs, graceMs, isFinal: false },
      expected: (world) => {
        const [must, may]: [string[], string[]] = [[], []];
        const right = rowsOf(world, 'R');
        for (const left of rowsOf(world, 'S').filter(({ row }) => passes(where, row))) {
          const key = left.row[`S.${name}`]!;
          const found = right.filter(
            (each) =>
              key !== null && each.row[`R.${name}`] === key && Math.abs(each.time - left.time) <= beforeMs,
          );
          for (const each of found)
            (left.late || each.late ? may : must).push(lineOf([left.row['S.ID']!, each.row['R.ID']!]));
          // Without a grace period a row without a partner goes on at once, though one may come.
          if (isLeft && (graceMs === null || found.every(({ late }) => left.late || late)))
            may.push(lineOf([left.row['S.ID']!, null]));
        }
        return { must, may, open: [] };
      },
    };
  }

  #tables(): WorldQuery {
    const random = this.#random;
    if (!this.#meet('T', 'U')) return this.#foreignKey();
    const isLeft = random.chance(0.5);
    const where = this.#where('T');
    return {
      kind: 'tables',
      before: [],
      sink: 'TABLE',
      select: (extra) =>
        `SELECT T.K AS KK, T.ID AS A, U.ID AS B${extra} FROM T ${isLeft ? 'LEFT ' : ''}JOIN U ON T.K = U.K${where === null ? '' : ` WHERE ${where.sql}`} EMIT CHANGES`,
      extra: 'T.ID + 1 AS EXTRA',
      filter: null,
      pull: 'SELECT KK, A, B FROM @;',
      columns: [],
      keySize: null,
      reads: ['T', 'U'],
      isRepartitioned: false,
      window: null,
      expected: (world) =>
        exactly(
          joinTables(world, column('T', 'K'), isLeft)
            .filter((row) => passes(where, row))
            .map((row) => lineOf([row['T.K']!, row['T.ID']!, row['U.ID']!])),
        ),
    };
  }

  #foreignKey(): WorldQuery {
    const random = this.#random;
    const isLeft = random.chance(0.5);
    const on = column('T', random.pick(['F', 'H']));
    const where = this.#where('T');
    return {
      kind: 'foreign key',
      before: [],
      sink: 'TABLE',
      select: (extra) =>
        `SELECT T.K AS KK, T.ID AS A, U.ID AS B${extra} FROM T ${isLeft ? 'LEFT ' : ''}JOIN U ON ${on.sql} = U.K${where === null ? '' : ` WHERE ${where.sql}`} EMIT CHANGES`,
      extra: 'T.ID + 1 AS EXTRA',
      filter: null,
      pull: 'SELECT KK, A, B FROM @;',
      columns: [],
      keySize: null,
      reads: ['T', 'U'],
      isRepartitioned: true,
      window: null,
      expected: (world) =>
        exactly(
          joinTables(world, on, isLeft)
            .filter((row) => passes(where, row))
            .map((row) => lineOf([row['T.K']!, row['T.ID']!, row['U.ID']!])),
        ),
    };
  }

  #foreignKeyGroup(): WorldQuery {
    const random = this.#random;
    const isLeft = random.chance(0.5);
    const on = column('T', random.pick(['F', 'H']));
    return this.#grouping({
      kind: 'foreign key group',
      from: `T ${isLeft ? 'LEFT ' : ''}JOIN U ON ${on.sql} = U.K`,
      rows: (world) => joinTables(world, on, isLeft).map(settled),
      reads: ['T', 'U'],
      keys: [this.#key(random.pick(['T', 'U'] as const))],
      where: this.#where('T'),
      isRepartitioned: true,
      lateIsLate: false,
      mayBeWindowed: false,
      aggregates: [COUNT_ALL, ...this.#aggregates(random.pick(['T', 'U'] as const), true)],
    });
  }

  #tableGroup(): WorldQuery {
    const topic = this.#random.pick(['T', 'U'] as const);
    return this.#grouping({
      kind: 'table group',
      from: topic,
      rows: (world) => [...tableAt(world, topic).values()].map(settled),
      reads: [topic],
      keys: [this.#key(topic)],
      where: this.#where(topic),
      isRepartitioned: true,
      lateIsLate: false,
      mayBeWindowed: false,
      aggregates: [COUNT_ALL, ...this.#aggregates(topic, true)],
    });
  }

  /** Rows go round, each time with a greater number, until it is large enough. */
  #cycle(): WorldQuery {
    const random = this.#random;
    const topic = this.#stream();
    const rounds = random.integer(1, this.#roundsMax);
    const again = random.chance(0.5)
      ? [`INSERT INTO @_C SELECT K, ID, N + 1 AS N, G FROM @_C WHERE N < ${rounds} EMIT CHANGES;`]
      : [
          `CREATE STREAM @_D AS SELECT K, ID, N + 1 AS N, G FROM @_C WHERE N < ${rounds} EMIT CHANGES;`,
          'INSERT INTO @_C SELECT K, ID, N, G FROM @_D EMIT CHANGES;',
        ];
    const byGroup = !this.#isKeyed(topic) || random.chance(0.5);
    return this.#grouping({
      kind: 'cycle',
      before: [
        `CREATE STREAM @_C AS SELECT ${topic}.K AS K, ${topic}.ID AS ID, 0 AS N, ${topic}.G AS G FROM ${topic} EMIT CHANGES;`,
        ...again,
      ],
      from: '@_C C',
      rows: (world) =>
        rowsOf(world, topic).flatMap((each) =>
          Array.from({ length: rounds + 1 }, (_, n) => ({
            ...each,
            row: { 'C.K': each.row[`${topic}.K`]!, 'C.G': each.row[`${topic}.G`]!, 'C.N': n },
          })),
        ),
      reads: [topic],
      keys: [byGroup ? { sql: 'C.G', of: (row) => row['C.G']! } : { sql: 'C.K', of: (row) => row['C.K']! }],
      where: null,
      isRepartitioned: byGroup,
      lateIsLate: false,
      mayBeWindowed: false,
      aggregates: [COUNT_ALL, aggregate('SUM', { sql: 'C.N', of: (row) => row['C.N']! })],
    });
  }

  #grouping(parts: Parts): WorldQuery {
    const random = this.#random;
    const { from, keys, where, aggregates, rows, lateIsLate, mayBeWindowed } = parts;
    // Where a window's bounds are no columns of a query, its table is pulled, which has no final results.
    const hasBounds = parts.reads.length === 1;
    const drawn = mayBeWindowed && random.chance(0.6) ? this.#window() : null;
    const window = drawn === null || hasBounds ? drawn : { ...drawn, isFinal: false };
    const isFinal = window?.isFinal === true;
    // A store forgets windows, its topic does not.
    const isStored = drawn === null || drawn.kind === 'SESSION' || (!drawn.isFinal && random.chance(0.5));
    const isPulled = isStored || !hasBounds;
    const least = aggregates.includes(COUNT_ALL) && random.chance(0.15) ? 1 : null;
    const having = least === null ? '' : ` HAVING COUNT(*) > ${least}`;
    const items = [
      ...keys.map(({ sql }, i) => `${sql} AS K${i}`),
      ...(!isPulled ? keys.map(({ sql }, i) => `AS_VALUE(${sql}) AS L${i}`) : []),
      ...(!isPulled ? ['WINDOWSTART AS WS', 'WINDOWEND AS WE'] : []),
      ...aggregates.map(({ sql }, i) => `${sql} AS X${i}`),
    ];
    const bounds = window === null ? [] : !isPulled ? ['WS', 'WE'] : ['WINDOWSTART', 'WINDOWEND'];
    const columns = [
      ...keys.map((_, i) => `${isPulled ? 'K' : 'L'}${i}`),
      ...bounds,
      ...aggregates.map((_, i) => `X${i}`),
    ];
    return {
      kind: parts.kind,
      before: parts.before ?? [],
      sink: 'TABLE',
      select: (extra) =>
        `SELECT ${items.join(', ')}${extra} FROM ${from}${windowText(window, isPulled)}${where === null ? '' : ` WHERE ${where.sql}`} GROUP BY ${keys.map(({ sql }) => sql).join(', ')}${having} EMIT ${isFinal ? 'FINAL' : 'CHANGES'}`,
      extra: `${aggregates[0]!.sql} AS EXTRA`,
      filter: null,
      pull: isPulled ? `SELECT ${columns.join(', ')} FROM @${mayBeWindowed ? '' : ' WHERE X0 > 0'};` : null,
      columns,
      keySize: isPulled || isFinal ? null : keys.length + 2,
      reads: parts.reads,
      isRepartitioned: parts.isRepartitioned,
      window,
      expected(world) {
        const passed = rows(world).filter(({ row }) => passes(where, row));
        if (passed.some((each) => each.isOpen === true)) return { must: [], may: [], open: [''] };
        const { groups, open } = groupRows(passed, keys, window, lateIsLate);
        const [must, may]: [string[], string[]] = [[], []];
        for (const group of groups) {
          const told = isFinal ? finalOf(group, passed, keys, window) : 'told';
          if (told === 'not told') continue;
          const values = aggregates.map(({ of }) => of(group.rows.map(({ row }) => row)));
          if (least !== null && group.rows.length <= least) continue;
          const place = window === null ? [] : [group.start, group.end];
          (told === 'told' ? must : may).push(lineOf([...group.key, ...place, ...values]));
        }
        return { must, may, open };
      },
    };
  }
}

function passes(condition: Term | null, row: Cells): boolean {
  return condition === null || condition.of(row) === 1;
}

/** A row of a table, of which only counts that it is there. */
function settled(row: Cells): Flowing {
  return { row, time: 0, turn: 0, late: false, phase: 0 };
}

function joinTables(world: World, on: Term, isLeft: boolean): readonly Cells[] {
  const right = tableAt(world, 'U');
  return [...tableAt(world, 'T').values()].flatMap((row) => {
    const key = on.of(row);
    const found = key === null ? undefined : right.get(key);
    return found === undefined && !isLeft ? [] : [{ ...row, ...(found ?? noCells('U')) }];
  });
}

function windowText(window: ModelWindow | null, isKept: boolean): string {
  if (window === null) return '';
  const { kind, sizeMs, advanceMs, graceMs } = window;
  const size = kind === 'SESSION' ? `${sizeMs} MILLISECONDS` : `SIZE ${sizeMs} MILLISECONDS`;
  const advance = kind === 'HOPPING' ? `, ADVANCE BY ${advanceMs} MILLISECONDS` : '';
  const grace = graceMs === null ? '' : `, GRACE PERIOD ${graceMs} MILLISECONDS`;
  // The topic, too, forgets what is older than that in the time of the machine.
  const least = sizeMs + (graceMs ?? 24 * HOUR);
  const retention = `, RETENTION ${isKept ? 2000 * 24 * HOUR : least + HOUR} MILLISECONDS`;
  return ` WINDOW ${kind} (${size}${advance}${retention}${grace})`;
}

/** Whether a line is not looked at. */
export function isOpen(expected: Expected, line: string): boolean {
  return expected.open.some((start) => start === '' || line === `${start}]` || line.startsWith(`${start},`));
}
