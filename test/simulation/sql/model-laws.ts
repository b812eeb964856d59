import type { SeededRandom } from '../../harness/random.ts';
import {
  type BatchEvent,
  callOf,
  COUNT_ALL,
  eventsOf,
  type Group,
  groupsOf,
  joinStreams,
  type ModelCall,
  type Pair,
  sumOfDecimal,
  tableOf,
  topOf,
  type Window,
} from './batch.ts';
import { difference, lastRows, lineOf, orderedDifference, runBoth, SEPARATOR } from './compare-results.ts';
import type { GeneratedInput, GeneratedType } from './generate-sql.ts';
import { itemOf, type Modelled, ModelGenerator, type ModelRow, passes } from './model-expression.ts';
import { modelText, type ModelValue } from './model-value.ts';
import type { SqlRunner } from './sql-runner.ts';

const KEYS: readonly GeneratedType[] = [
  'INT',
  'STRING',
  'BOOLEAN',
  'BIGINT',
  'DATE',
  'DECIMAL(6, 2)',
  'TIMESTAMP',
];

/** The streaming result is the batch result: queries whose rows `batch.ts` and `model-expression.ts` work out alone. */
export class ModelLaws {
  readonly #runner: SqlRunner;
  readonly #input: GeneratedInput;
  readonly #random: SeededRandom;

  constructor(runner: SqlRunner, input: GeneratedInput, random: SeededRandom) {
    this.#runner = runner;
    this.#input = input;
    this.#random = random;
  }

  /** A stream: projected, filtered, exploded, re-keyed. */
  async select(): Promise<string | null> {
    const { items, where, explode, partition } = this.#parts();
    const sql = `SELECT ${selectList(['ID', ...items.map(sqlOf), ...explode.map(({ sql: array }) => `EXPLODE(${array})`)])} FROM A${whereOf(where)}${partition === null ? '' : ` PARTITION BY ${partition.sql}`} EMIT CHANGES;`;
    const expected = eventsOf(this.#input.events[0]).flatMap(({ row }) =>
      row === null || !passes(where, row)
        ? []
        : exploded(explode, row).map((extra) =>
            textLine([row['ID']!, ...items.map((item) => itemOf(item, row)), ...extra]),
          ),
    );
    return this.#compare(sql, (lines) => orderedDifference(expected, lines));
  }

  /** Groups of a stream, in windows of every kind. */
  async windows(): Promise<string | null> {
    const random = this.#random;
    const { where } = this.#parts();
    const window = random.chance(0.85) ? this.#window() : null;
    const keys = this.#keys('');
    const calls = this.#calls('', window?.kind === 'SESSION');
    const final = window !== null && random.chance(0.35);
    const having = this.#having(calls);
    const sql = `${groupSelect('A', keys, calls, window)}${windowOf(window)}${whereOf(where)} GROUP BY ${keys.map(sqlOf).join(', ')}${having === null ? '' : ` HAVING ${having.sql}`} EMIT ${final ? 'FINAL' : 'CHANGES'};`;
    const rows = eventsOf(this.#input.events[0]).flatMap(({ row, timestamp }) =>
      row !== null && passes(where, row) ? [{ row, timestamp }] : [],
    );
    const groups = groupsOf(rows, keys, window, final);
    const expected = groupLines(groups, calls, window !== null, having);
    const keySize = keys.length + (window === null ? 0 : 2);
    return this.#compare(sql, (lines, last) => difference(expected, final ? lines : last(keySize)));
  }

  /** Groups of a table, whose rows come and go. */
  async tableGroups(): Promise<string | null> {
    const random = this.#random;
    const generator = this.#generator('');
    const where = random.chance(0.5) ? generator.predicate(2) : null;
    const keys = this.#keys('');
    const calls = [COUNT_ALL, ...this.#undoCalls('')];
    const sql = `${groupSelect('L', keys, calls, null)}${whereOf(where)} GROUP BY ${keys.map(sqlOf).join(', ')} EMIT CHANGES;`;
    const rows = [...tableOf(this.#input.left).values()].filter((row) => passes(where, row));
    const expected = groupLines(
      groupsOf(
        rows.map((row) => ({ row, timestamp: 0 })),
        keys,
        null,
        false,
      ),
      calls,
      false,
      null,
    );
    // A group that lost all its rows stays, with a count of zero.
    const isEmpty = (line: string): boolean => line.split(SEPARATOR)[keys.length] === '0';
    return this.#compare(sql, (_lines, last) =>
      difference(
        expected,
        last(keys.length).filter((line) => !isEmpty(line)),
      ),
    );
  }

  /** Two streams within a window. */
  async streamJoin(): Promise<string | null> {
    const random = this.#random;
    const drawn = random.pick(['JOIN', 'JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL OUTER JOIN'] as const);
    // A record that cannot be read takes part in the order of the two streams, on which rows without a partner depend.
    const kind = this.#input.isWrong ? 'JOIN' : drawn;
    const [left, right] = [this.#generator('A.'), this.#generator('B.')];
    // Re-keyed, the streams are read in an order that is open: rows without a partner depend on it.
    const byKey = kind !== 'JOIN' || random.chance(0.5);
    const type = random.pick(this.#input.columns.filter((each) => KEYS.includes(each.type))).type;
    const on = byKey
      ? ([column('A.ID'), column('B.ID')] as const)
      : ([reading(left, type, 'A.'), reading(right, type, 'B.')] as const);
    const items = [left.any(1), right.any(1)];
    const where = random.chance(0.4) ? random.pick([left, right]).predicate(2) : null;
    const isEven = kind !== 'JOIN' || random.chance(0.5);
    const beforeMs = random.pick([0, 500, 2000, 5000]);
    const afterMs = isEven ? beforeMs : random.pick([0, 1000, 4000]);
    const graceMs = random.chance(0.6) ? random.pick([8000, 10_000, 86_400_000]) : null;
    const within = isEven
      ? `${beforeMs} MILLISECONDS`
      : `(${beforeMs} MILLISECONDS, ${afterMs} MILLISECONDS)`;
    const grace = graceMs === null ? '' : ` GRACE PERIOD ${graceMs} MILLISECONDS`;
    const key = kind === 'FULL OUTER JOIN' ? ['ROWKEY'] : [];
    const sql = `SELECT ${selectList([...key, 'A.ID', 'B.ID', ...items.map(sqlOf)])} FROM A ${kind} B WITHIN ${within}${grace} ON ${on[0].sql} = ${on[1].sql}${whereOf(where)} EMIT CHANGES;`;
    const events = this.#input.events;
    const { pairs, padded } = joinStreams(eventsOf(events[0], 'A.'), eventsOf(events[1], 'B.'), {
      kind,
      beforeMs,
      afterMs,
      graceMs,
      leftKey: (row) => itemOf(on[0], row),
      rightKey: (row) => itemOf(on[1], row),
    });
    const lines = (of: readonly Pair[]): readonly string[] =>
      of.flatMap((pair) => {
        const row = this.#rowOfPair(pair);
        if (!passes(where, row)) return [];
        const any = row['A.ID'] ?? row['B.ID'] ?? null;
        // The first of the two is the key, which is there although its side is not.
        const shown = [
          ...(key.length === 0 ? [] : [any]),
          kind === 'RIGHT JOIN' ? any : row['A.ID']!,
          row['B.ID']!,
        ];
        return [textLine([...shown, ...items.map((item) => itemOf(item, row))])];
      });
    const mayWait = [...lines(padded)];
    return this.#compare(
      sql,
      (found) => {
        const left = [...found];
        const missing = lines(pairs).filter((line) => !take(left, line));
        const tooMany = left.filter((line) => !take(mayWait, line));
        return difference(missing, tooMany);
      },
      kind === 'JOIN' ? 'any' : 'optimized',
    );
  }

  /** A stream that looks up one table or two. */
  async lookup(): Promise<string | null> {
    const random = this.#random;
    const [own, left, right] = [this.#generator('A.'), this.#generator('L.'), this.#generator('R.')];
    const kinds = ['JOIN', 'LEFT JOIN'] as const;
    const steps = [
      {
        table: 'L',
        kind: random.pick(kinds),
        on: random.chance(0.5) ? column('A.ID') : reading(own, 'INT', 'A.'),
        rows: this.#input.left,
      },
      ...(random.chance(0.4)
        ? [
            {
              table: 'R',
              kind: random.pick(kinds),
              on: random.chance(0.5) ? column('A.ID') : reading(own, 'INT', 'A.'),
              rows: this.#input.right,
            },
          ]
        : []),
    ];
    const sides = steps.length === 1 ? [own, left] : [own, left, right];
    const items = sides.map((side) => side.any(2));
    const where = random.chance(0.6) ? random.pick(sides).predicate(2) : null;
    const sql = `SELECT ${selectList(['A.ID', ...steps.map(({ on }) => on.sql), ...items.map(sqlOf)])} FROM A ${steps.map(({ table, kind, on }) => `${kind} ${table} ON ${on.sql} = ${table}.ID`).join(' ')}${whereOf(where)} EMIT CHANGES;`;
    const expected = eventsOf(this.#input.events[0], 'A.').flatMap(({ row }) => {
      if (row === null) return [];
      let joined = row;
      for (const { table, kind, on, rows } of steps) {
        const key = itemOf(on, joined);
        const found = key === null ? undefined : tableOf(rows, `${table}.`).get(key as number);
        if (found === undefined && kind === 'JOIN') return [];
        joined = { ...joined, ...(found ?? this.#nulls(`${table}.`)) };
      }
      if (!passes(where, joined)) return [];
      return [
        textLine([
          joined['A.ID']!,
          ...steps.map(({ on }) => itemOf(on, joined)),
          ...items.map((item) => itemOf(item, joined)),
        ]),
      ];
    });
    return this.#compare(sql, (lines) => difference(expected, lines), steps.length > 1 ? 'any' : 'same');
  }

  /** Tables on their primary keys, up to three. */
  async tableJoin(): Promise<string | null> {
    const random = this.#random;
    const kind = random.pick(['JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL OUTER JOIN'] as const);
    const third =
      kind !== 'FULL OUTER JOIN' && random.chance(0.4) ? random.pick(['JOIN', 'LEFT JOIN'] as const) : null;
    const names = third === null ? ['L', 'R'] : ['L', 'R', 'Q'];
    const sides = names.map((name) => this.#generator(`${name}.`));
    const items = sides.map((side) => side.any(1));
    const where = random.chance(0.5) ? random.pick(sides).predicate(2) : null;
    const key = kind === 'FULL OUTER JOIN' ? 'ROWKEY' : kind === 'RIGHT JOIN' ? 'R.ID' : 'L.ID';
    const more = third === null ? '' : ` ${third} Q ON ${key} = Q.ID`;
    const sql = `SELECT ${selectList([key, ...items.map(sqlOf)])} FROM L ${kind} R ON L.ID = R.ID${more}${whereOf(where)} EMIT CHANGES;`;
    const [left, right, other] = [
      tableOf(this.#input.left, 'L.'),
      tableOf(this.#input.right, 'R.'),
      tableOf(this.#input.third, 'Q.'),
    ];
    const expected: string[] = [];
    for (let id = 0; id <= 5; id++) {
      const [l, r, q] = [left.get(id) ?? null, right.get(id) ?? null, other.get(id) ?? null];
      if (l === null && (r === null || kind === 'JOIN' || kind === 'LEFT JOIN')) continue;
      if (r === null && (kind === 'JOIN' || kind === 'RIGHT JOIN')) continue;
      if (third === 'JOIN' && q === null) continue;
      const row = { ...this.#nulls('L.'), ...this.#nulls('R.'), ...this.#nulls('Q.'), ...l, ...r, ...q };
      if (passes(where, row)) expected.push(textLine([id, ...items.map((item) => itemOf(item, row))]));
    }
    return this.#compare(sql, (_lines, last) => difference(expected, last(1)), 'any');
  }

  /** Groups of joined tables: each change of either side takes old rows out of their groups. */
  async joinedGroups(): Promise<string | null> {
    const random = this.#random;
    const kind = random.pick(['JOIN', 'LEFT JOIN', 'FULL OUTER JOIN'] as const);
    const isForeign = kind !== 'FULL OUTER JOIN' && random.chance(0.4);
    const [left, right] = [this.#generator('L.'), this.#generator('R.')];
    const on = isForeign ? reading(left, 'INT', 'L.') : column('L.ID');
    const key = random.pick([left, right]).of(random.pick(KEYS), 1);
    const calls = [COUNT_ALL, ...this.#undoCalls(random.pick(['L.', 'R.']))];
    const where = random.chance(0.4) ? random.pick([left, right]).predicate(2) : null;
    const named = [`${key.sql} AS K0`, ...calls.map(({ sql }, i) => `${sql} AS X${i}`)];
    const sql = `SELECT ${named.join(', ')} FROM L ${kind} R ON ${on.sql} = R.ID${whereOf(where)} GROUP BY ${key.sql} EMIT CHANGES;`;
    const lefts = tableOf(this.#input.left, 'L.');
    const rights = tableOf(this.#input.right, 'R.');
    const joined = [...lefts.values()].flatMap((row) => {
      const id = itemOf(on, row);
      const found = id === null ? undefined : rights.get(id as number);
      if (found === undefined && kind === 'JOIN') return [];
      return [{ ...row, ...(found ?? this.#nulls('R.')) }];
    });
    if (kind === 'FULL OUTER JOIN')
      for (const [id, row] of rights) if (!lefts.has(id)) joined.push({ ...this.#nulls('L.'), ...row });
    const rows = joined.filter((row) => passes(where, row)).map((row) => ({ row, timestamp: 0 }));
    const expected = groupLines(groupsOf(rows, [key], null, false), calls, false, null);
    const isEmpty = (line: string): boolean => line.split(SEPARATOR)[1] === '0';
    return this.#compare(
      sql,
      (_lines, last) =>
        difference(
          expected,
          last(1).filter((line) => !isEmpty(line)),
        ),
      'any',
    );
  }

  /** Groups in windows of what two streams, and a table, give together. */
  async joinedWindows(): Promise<string | null> {
    const random = this.#random;
    const own = this.#generator('A.');
    const isNested = random.chance(0.5);
    const beforeMs = random.pick([500, 2000, 5000]);
    const kind = random.pick(['JOIN', 'LEFT JOIN'] as const);
    const window = { ...this.#window(), graceMs: 86_400_000 };
    const key = own.of(random.pick(KEYS), 1);
    const calls = [COUNT_ALL, ...this.#undoCalls('L.')];
    const where = random.chance(0.4) ? this.#generator('L.').predicate(2) : null;
    const within = isNested ? ` JOIN B WITHIN ${beforeMs} MILLISECONDS ON A.ID = B.ID` : '';
    const sql = `${groupSelect(`A${within} ${kind} L ON A.ID = L.ID`, [key], calls, window)}${windowOf(window)}${whereOf(where)} GROUP BY ${key.sql} EMIT CHANGES;`;
    const events = eventsOf(this.#input.events[0], 'A.');
    const others = eventsOf(this.#input.events[1], 'B.');
    const timed = ({ row, timestamp }: BatchEvent): readonly { row: ModelRow; timestamp: number }[] => {
      if (row === null) return [];
      if (!isNested) return [{ row, timestamp }];
      return others.flatMap((other) =>
        other.row !== null &&
        other.key !== null &&
        other.key === row['A.ID'] &&
        Math.abs(other.timestamp - timestamp) <= beforeMs
          ? [{ row: { ...row, ...other.row }, timestamp: Math.max(timestamp, other.timestamp) }]
          : [],
      );
    };
    const table = tableOf(this.#input.left, 'L.');
    const rows = events.flatMap(timed).flatMap(({ row, timestamp }) => {
      const found = row['A.ID'] === null ? undefined : table.get(row['A.ID'] as number);
      if (found === undefined && kind === 'JOIN') return [];
      const joined = { ...row, ...(found ?? this.#nulls('L.')) };
      return passes(where, joined) ? [{ row: joined, timestamp }] : [];
    });
    const expected = groupLines(groupsOf(rows, [key], window, false), calls, true, null);
    // What a group is on the way depends on which of two streams comes first.
    const check = (rows: readonly string[]): string | null => difference(expected, rows);
    if (!isNested) return this.#compare(sql, (_lines, last) => check(last(3)), 'any');
    const plain = check(lastRows((await this.#runner.run(sql, false)).rows, 3));
    if (plain !== null) return `${sql} without the optimizer not what the rows give: ${plain}`;
    return this.#compare(sql, (_lines, last) => check(last(3)), 'optimized');
  }

  /** Two windowed tables: rows meet by key and window. */
  async windowedJoin(): Promise<string | null> {
    const random = this.#random;
    const kind = random.pick(['JOIN', 'LEFT JOIN', 'FULL OUTER JOIN'] as const);
    const window = this.#window();
    const names = [this.#runner.newName(), this.#runner.newName()];
    const statements = names.map(
      (name, i) =>
        `CREATE TABLE ${name} WITH (FORMAT='JSON') AS SELECT ID, COUNT(*) AS N FROM ${'AB'[i]}${windowOf(window)} GROUP BY ID;`,
    );
    const sides: ReadonlyMap<string, ModelValue>[] = [];
    for (const [i, statement] of statements.entries()) {
      await this.#runner.persist(statement, random.chance(0.5));
      const rows = eventsOf(this.#input.events[i]!).flatMap(({ row, timestamp }) =>
        row === null ? [] : [{ row, timestamp }],
      );
      const groups = groupsOf(rows, [column('ID')], window, false);
      sides.push(
        new Map(
          groups.map((group) => [
            textLine([...group.key, BigInt(group.start), BigInt(group.end)]),
            BigInt(group.rows.length),
          ]),
        ),
      );
    }
    const [left, right] = sides as [ReadonlyMap<string, ModelValue>, ReadonlyMap<string, ModelValue>];
    const [l, r] = names as [string, string];
    const key = kind === 'FULL OUTER JOIN' ? 'ROWKEY' : `${l}.ID`;
    const expected = [...new Set([...left.keys(), ...right.keys()])].flatMap((id) => {
      const [n, m] = [left.get(id) ?? null, right.get(id) ?? null];
      if (n === null && kind !== 'FULL OUTER JOIN') return [];
      if (m === null && kind === 'JOIN') return [];
      // Which side's bounds a row shows is not asked: with it they are the same, without it they are null.
      return [[id.split(SEPARATOR)[0]!, modelText(n), modelText(m)].join(SEPARATOR)];
    });
    const sql = `SELECT ${key}, ${l}.WINDOWSTART AS LS, ${l}.WINDOWEND AS LE, ${r}.WINDOWSTART AS RS, ${r}.WINDOWEND AS RE, ${l}.N AS LN, ${r}.N AS RN FROM ${l} ${kind} ${r} ON ${l}.ID = ${r}.ID EMIT CHANGES;`;
    const result = await this.#runner.run(sql, true);
    // A removal shows only the key, not which window it was: rows are taken by all that stands before the counts.
    const rows = new Map<string, string>();
    for (const { values, tombstone } of result.rows) {
      if (tombstone) return null;
      const bounds = values[1] === 'null' ? values.slice(3, 5) : values.slice(1, 3);
      rows.set([values[0], ...bounds].join(SEPARATOR), [values[0], values[5], values[6]].join(SEPARATOR));
    }
    const different = difference(expected, [...rows.values()]);
    return different === null ? null : `${statements.join(' ')} ${sql} not what the rows give: ${different}`;
  }

  /** Tables on a foreign key, which may be computed. */
  async foreignKey(): Promise<string | null> {
    const random = this.#random;
    const kind = random.pick(['JOIN', 'LEFT JOIN'] as const);
    const [left, right] = [this.#generator('L.'), this.#generator('R.')];
    const on = reading(left, 'INT', 'L.');
    const items = [left.any(1), right.any(1)];
    const where = random.chance(0.5) ? random.pick([left, right]).predicate(2) : null;
    const sql = `SELECT ${selectList(['L.ID', ...items.map(sqlOf)])} FROM L ${kind} R ON ${on.sql} = R.ID${whereOf(where)} EMIT CHANGES;`;
    const rights = tableOf(this.#input.right, 'R.');
    const expected = [...tableOf(this.#input.left, 'L.').values()].flatMap((row) => {
      const key = itemOf(on, row);
      const found = key === null ? undefined : rights.get(key as number);
      if (found === undefined && kind === 'JOIN') return [];
      const joined = { ...row, ...(found ?? this.#nulls('R.')) };
      return passes(where, joined)
        ? [textLine([row['L.ID']!, ...items.map((item) => itemOf(item, joined))])]
        : [];
    });
    return this.#compare(sql, (_lines, last) => difference(expected, last(1)), 'any');
  }

  /** A stream that two queries write, in some format, read back. */
  async chain(): Promise<string | null> {
    const random = this.#random;
    const generator = this.#generator('');
    const format = random.pick(['JSON', 'JSON', 'DELIMITED', 'KAFKA'] as const);
    const types = TYPES_OF[format];
    const count = format === 'KAFKA' ? 1 : random.integer(1, 3);
    const chosen = Array.from({ length: count }, () =>
      types === null ? generator.anyColumn().type : random.pick(types),
    );
    const name = this.#runner.newName();
    const keys = random.chance(0.4) ? this.#keys('') : null;
    const query = (): { items: readonly Modelled[]; where: Modelled | null } => ({
      items: chosen.map((type) => generator.of(type, 2)),
      where: random.chance(0.5) ? generator.predicate(2) : null,
    });
    const queries = [query(), ...(keys === null && random.chance(0.6) ? [query()] : [])];
    const text = ({ items, where }: ReturnType<typeof query>, source: string): string => {
      const key = keys === null ? ['ID'] : keys.map(({ sql }, i) => `${sql} AS K${i}`);
      const by = keys === null ? '' : ` PARTITION BY ${keys.map(sqlOf).join(', ')}`;
      return `SELECT ${[...key, ...items.map(({ sql }, i) => `${sql} AS X${i}`)].join(', ')} FROM ${source}${whereOf(where)}${by}`;
    };
    const optimized = random.chance(0.5);
    const statements = queries.map((each, i) =>
      i === 0
        ? `CREATE STREAM ${name} WITH (VALUE_FORMAT='${format}', KEY_FORMAT='JSON') AS ${text(each, 'A')};`
        : `INSERT INTO ${name} ${text(each, 'B')};`,
    );
    const expected: string[] = [];
    for (const [i, { items, where }] of queries.entries()) {
      await this.#runner.persist(statements[i]!, optimized);
      for (const { row } of eventsOf(this.#input.events[i]!)) {
        if (row === null || !passes(where, row)) continue;
        const values = items
          .map((item) => itemOf(item, row))
          // JSON is read by way of decimals, which have no negative zero.
          .map((value) => (value === 0 && format === 'JSON' ? 0 : value));
        if (format === 'KAFKA' && values[0] === null) continue;
        let key: ModelValue[] = keys === null ? [row['ID']!] : keys.map((each) => itemOf(each, row));
        // Of several key columns some may be null; a key that is null has no columns.
        if (keys !== null && key.length === 1 && key[0] === null) key = [null];
        expected.push(textLine([...key, ...values]));
      }
    }
    const failure = await this.#compare(`SELECT * FROM ${name} EMIT CHANGES;`, (lines) =>
      difference(expected, lines),
    );
    return failure === null ? null : `${statements.join(' ')} ${failure}`;
  }

  /** A windowed table that a query writes, read back with its windows. */
  async windowedChain(): Promise<string | null> {
    const window = this.#window();
    const keys = this.#keys('');
    const calls = [COUNT_ALL, ...this.#calls('', window.kind === 'SESSION')];
    const name = this.#runner.newName();
    const select = [
      ...keys.map(({ sql }, i) => `${sql} AS K${i}`),
      ...calls.map(({ sql }, i) => `${sql} AS X${i}`),
    ];
    const statement = `CREATE TABLE ${name} WITH (FORMAT='JSON') AS SELECT ${select.join(', ')} FROM A${windowOf(window)} GROUP BY ${keys.map(sqlOf).join(', ')};`;
    await this.#runner.persist(statement, this.#random.chance(0.5));
    const rows = eventsOf(this.#input.events[0]).flatMap(({ row, timestamp }) =>
      row === null ? [] : [{ row, timestamp }],
    );
    const expected = groupLines(groupsOf(rows, keys, window, false), calls, true, null);
    const again = [
      ...keys.map((_, i) => `K${i}`),
      'WINDOWSTART',
      'WINDOWEND',
      ...calls.map((_, i) => `X${i}`),
    ];
    const failure = await this.#compare(
      `SELECT ${again.join(', ')} FROM ${name} EMIT CHANGES;`,
      (_lines, last) => difference(expected, last(keys.length + 2)),
    );
    return failure === null ? null : `${statement} ${failure}`;
  }

  async #compare(
    sql: string,
    check: (lines: readonly string[], last: (keySize: number) => readonly string[]) => string | null,
    order: 'same' | 'any' | 'optimized' = 'same',
  ): Promise<string | null> {
    // Through topics of their own the sides of a join are read in another order, which shows in rows that do not wait.
    const result =
      order === 'optimized'
        ? await this.#runner.run(sql, true)
        : await runBoth(this.#runner, sql, order === 'any');
    if (typeof result === 'string') return result;
    const lines = result.rows.flatMap((row) => (row.tombstone ? [] : [lineOf(row)]));
    const different = check(lines, (keySize) => lastRows(result.rows, keySize));
    return different === null ? null : `${sql} not what the rows give: ${different}`;
  }

  #generator(prefix: string): ModelGenerator {
    return new ModelGenerator(this.#random, this.#input.columns, prefix);
  }

  #parts(): {
    items: readonly Modelled[];
    where: Modelled | null;
    explode: readonly Modelled[];
    partition: Modelled | null;
  } {
    const random = this.#random;
    const generator = this.#generator('');
    const items = Array.from({ length: random.integer(1, 3) }, () => generator.any(3));
    const where = random.chance(0.7) ? generator.predicate(3) : null;
    const count = random.chance(0.25) ? random.integer(1, 2) : 0;
    const explode = Array.from({ length: count }, () => generator.of('ARRAY<INT>', 1));
    const partition = random.chance(0.25) ? generator.of(random.pick(KEYS), 2) : null;
    return { items, where, explode, partition };
  }

  #keys(prefix: string): readonly Modelled[] {
    const random = this.#random;
    const generator = this.#generator(prefix);
    const own = random.chance(0.25) ? [column(`${prefix}ID`)] : [];
    const more = own.length === 0 || random.chance(0.3) ? [generator.of(random.pick(KEYS), 1)] : [];
    const another = random.chance(0.2)
      ? [generator.columnOf(random.pick(KEYS)) ?? generator.of('INT', 1)]
      : [];
    const keys = [...own, ...more, ...another];
    return keys.filter(({ sql }, i) => keys.findIndex((key) => key.sql === sql) === i);
  }

  #window(): Window {
    const random = this.#random;
    const graceMs = random.pick([0, 500, 2000, 86_400_000]);
    const kind = random.pick(['TUMBLING', 'HOPPING', 'SESSION'] as const);
    const sizeMs = kind === 'SESSION' ? random.pick([1, 500, 1500, 4000]) : random.pick([1000, 3000, 7000]);
    const advanceMs = kind === 'HOPPING' ? random.pick([500, 1000, 700]) : sizeMs;
    return { kind, sizeMs, advanceMs, graceMs };
  }

  /** `isMerged`: states are merged, in an order that is open. */
  #calls(prefix: string, isMerged: boolean): readonly ModelCall[] {
    const random = this.#random;
    const generator = this.#generator(prefix);
    const numbers = ['INT', 'BIGINT'] as const;
    const ordered: readonly GeneratedType[] = [
      'INT',
      'BIGINT',
      'DECIMAL(6, 2)',
      'STRING',
      'DATE',
      'TIME',
      'TIMESTAMP',
      'BYTES',
    ];
    const makers: (() => ModelCall)[] = [
      () => COUNT_ALL,
      () => callOf('COUNT', generator.any(2)),
      () => callOf('SUM', generator.of(random.pick(numbers), 2)),
      () => callOf('SUM', generator.columnOf('DOUBLE')!),
      () => callOf('AVG', generator.columnOf('DOUBLE')!),
      () => sumOfDecimal(generator.columnOf('DECIMAL(6, 2)')!),
      () => callOf(random.pick(['MIN', 'MAX']), generator.of(random.pick(ordered), 2)),
      () => callOf(random.pick(['MIN', 'MAX']), generator.columnOf('DOUBLE')!),
      () => callOf('HISTOGRAM', generator.of('STRING', 1)),
      () => topOf('TOPK', generator.of(random.pick(numbers), 1), random.integer(1, 3)),
      () => topOf('TOPKDISTINCT', generator.of(random.pick(numbers), 1), random.integer(1, 3)),
    ];
    if (!isMerged)
      makers.push(
        () => callOf(random.pick(['COLLECT_LIST', 'COLLECT_SET']), generator.of(random.pick(ordered), 1)),
        () =>
          callOf(
            random.pick(['EARLIEST_BY_OFFSET', 'LATEST_BY_OFFSET']),
            generator.of(random.pick(ordered), 1),
          ),
      );
    return Array.from({ length: random.integer(1, 4) }, () => random.pick(makers)());
  }

  #undoCalls(prefix: string): readonly ModelCall[] {
    const random = this.#random;
    const generator = this.#generator(prefix);
    const makers: (() => ModelCall)[] = [
      () => callOf('COUNT', generator.any(2)),
      () => callOf('SUM', generator.of(random.pick(['INT', 'BIGINT']), 2)),
      () => callOf('SUM', generator.columnOf('DOUBLE')!),
      () => callOf('AVG', generator.columnOf('DOUBLE')!),
      () => sumOfDecimal(generator.columnOf('DECIMAL(6, 2)')!),
      () => callOf('HISTOGRAM', generator.of('STRING', 1)),
    ];
    return Array.from({ length: random.integer(1, 3) }, () => random.pick(makers)());
  }

  #having(
    calls: readonly ModelCall[],
  ): { readonly sql: string; readonly holds: (group: Group) => boolean } | null {
    const random = this.#random;
    if (random.chance(0.6)) return null;
    if (random.chance(0.5)) {
      const least = random.integer(1, 3);
      return { sql: `COUNT(*) > ${least}`, holds: ({ rows }) => rows.length > least };
    }
    const call = random.pick(calls);
    const not = random.pick(['', 'NOT ']);
    return {
      sql: `${call.sql} IS ${not}NULL`,
      holds: ({ rows }) => (call.result(rows) === null) === (not === ''),
    };
  }

  #nulls(prefix: string): ModelRow {
    return Object.fromEntries(
      ['ID', ...this.#input.columns.map(({ name }) => name)].map((name) => [`${prefix}${name}`, null]),
    );
  }

  #rowOfPair([left, right]: Pair): ModelRow {
    return { ...(left ?? this.#nulls('A.')), ...(right ?? this.#nulls('B.')) };
  }
}

/** What a format can write so that it reads the same again. Null: everything. */
const TYPES_OF: Readonly<Record<'JSON' | 'DELIMITED' | 'KAFKA', readonly GeneratedType[] | null>> = {
  JSON: null,
  DELIMITED: ['INT', 'BIGINT', 'DOUBLE', 'DECIMAL(6, 2)', 'BOOLEAN', 'DATE', 'TIME', 'TIMESTAMP'],
  KAFKA: ['INT', 'BIGINT', 'DOUBLE', 'STRING'],
};

function column(sql: string): Modelled {
  return { type: 'INT', sql, value: (row) => row[sql]! };
}

function sqlOf({ sql }: { readonly sql: string }): string {
  return sql;
}

/** Items under names that do not meet. */
function selectList(items: readonly string[]): string {
  return items.map((item, i) => (i === 0 ? item : `${item} AS X${i}`)).join(', ');
}

function whereOf(where: Modelled | null): string {
  return where === null ? '' : ` WHERE ${where.sql}`;
}

function windowOf(window: Window | null): string {
  if (window === null) return '';
  const { kind, sizeMs, advanceMs, graceMs } = window;
  const size = kind === 'SESSION' ? `${sizeMs} MILLISECONDS` : `SIZE ${sizeMs} MILLISECONDS`;
  const advance = kind === 'HOPPING' ? `, ADVANCE BY ${advanceMs} MILLISECONDS` : '';
  return ` WINDOW ${kind} (${size}${advance}, GRACE PERIOD ${graceMs} MILLISECONDS)`;
}

function groupSelect(
  source: string,
  keys: readonly Modelled[],
  calls: readonly ModelCall[],
  window: Window | null,
): string {
  const bounds = window === null ? [] : ['WINDOWSTART AS WS', 'WINDOWEND AS WE'];
  const named = [
    ...keys.map(({ sql }, i) => `${sql} AS K${i}`),
    ...bounds,
    ...calls.map(({ sql }, i) => `${sql} AS X${i}`),
  ];
  return `SELECT ${named.join(', ')} FROM ${source}`;
}

function groupLines(
  groups: readonly Group[],
  calls: readonly ModelCall[],
  isWindowed: boolean,
  having: { readonly holds: (group: Group) => boolean } | null,
): readonly string[] {
  return groups
    .filter((group) => having === null || having.holds(group))
    .map((group) => {
      const bounds = isWindowed ? [BigInt(group.start), BigInt(group.end)] : [];
      return textLine([...group.key, ...bounds, ...calls.map((call) => call.result(group.rows))]);
    });
}

/** The arrays side by side, shorter ones padded with null; without any, one row of nothing. */
function exploded(arrays: readonly Modelled[], row: ModelRow): readonly (readonly ModelValue[])[] {
  if (arrays.length === 0) return [[]];
  const lists = arrays.map((array) => (itemOf(array, row) ?? []) as readonly ModelValue[]);
  const length = Math.max(...lists.map((list) => list.length));
  return Array.from({ length }, (_, i) => lists.map((list) => list[i] ?? null));
}

function textLine(values: readonly ModelValue[]): string {
  return values.map(modelText).join(SEPARATOR);
}

/** Takes one of the equal items out. */
function take(items: string[], item: string): boolean {
  const at = items.indexOf(item);
  if (at >= 0) items.splice(at, 1);
  return at >= 0;
}

/** An expression that reads a column: ON needs one. */
function reading(generator: ModelGenerator, type: GeneratedType, prefix: string): Modelled {
  for (let depth = 0; depth < 20; depth++) {
    const made = generator.of(type, 1 + (depth % 2));
    if (made.sql.includes(prefix)) return made;
  }
  return column(`${prefix}ID`);
}
