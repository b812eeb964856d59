import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { KeyValueRows } from '../../../src/state/key-value-store.ts';
import { SessionRows } from '../../../src/state/session-store.ts';
import { openStateBackend } from '../../../src/state/task-state.ts';
import { WindowRows } from '../../../src/state/window-store.ts';
import type { Row, SqlValue } from '../../../src/types/value.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

/** Pull queries with bounds give what the whole table gives, filtered, and look at no more rows than they must. */

/** Of each type keys in its order, with what is written for them in SQL. */
const numbers = [-9000, -200, -3, -1, 0, 1, 2, 10, 127, 128, 255, 256, 70_000, 1_000_000];
const texts = ['', '!', '"', '"a', ',', ',b', 'a', 'a"', 'a!', 'a,', 'aa', 'ab', 'b', 'z', '\uD7FF', '\uE000']
  .concat(['\uFF61', '\uFFFF', '😀', '😀a', '😀\uFFFF', '\u{10FFFF}', 'key-1', 'key-10', 'key-2'])
  .filter((text) => text !== '');
type Key = string | number;
const quoted = (text: Key): string => `'${String(text).replaceAll("'", "''")}'`;
const TYPES: readonly (readonly [
  type: string,
  format: string,
  keys: readonly Key[],
  write: (value: Key) => string,
])[] = [
  ['STRING', 'KAFKA', texts, quoted],
  ['STRING', 'JSON', texts, quoted],
  ['STRING', 'DELIMITED', texts, quoted],
  ['INT', 'KAFKA', numbers, String],
  ['BIGINT', 'KAFKA', numbers, String],
  ['BIGINT', 'JSON', numbers, String],
  ['DOUBLE', 'KAFKA', numbers.map((value) => value + 0.5), String],
];
const TIMES = [0, 500, 1000, 4000, 9000, 10_000, 12_000, 19_999, 20_000, 60_000];

async function fill(engine: Engine): Promise<void> {
  for (const [i, [type, format, keys, write]] of TYPES.entries()) {
    await execute(
      engine,
      `CREATE STREAM S${i} (K ${type} KEY, V INT)
         WITH (KAFKA_TOPIC='s${i}', KEY_FORMAT='${format}', VALUE_FORMAT='JSON', PARTITIONS=3);
       CREATE TABLE T${i} AS SELECT K, SUM(V) AS N FROM S${i} GROUP BY K;`,
    );
    for (const [n, key] of keys.entries())
      await execute(engine, `INSERT INTO S${i} (ROWTIME, K, V) VALUES (0, ${write(key)}, ${n});`);
  }
  await execute(
    engine,
    `CREATE TABLE TUMBLING AS SELECT K, COUNT(*) AS N FROM S0 WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY K;
     CREATE TABLE HOPPING AS
       SELECT K, COUNT(*) AS N FROM S0 WINDOW HOPPING (SIZE 10 SECONDS, ADVANCE BY 4 SECONDS) GROUP BY K;
     CREATE TABLE SESSIONS AS SELECT K, COUNT(*) AS N FROM S0 WINDOW SESSION (2 SECONDS) GROUP BY K;`,
  );
  for (const [n, time] of TIMES.entries())
    for (const key of ['a', 'b', 'key-1', 'key-2', '😀'].slice(n % 3))
      await execute(engine, `INSERT INTO S0 (ROWTIME, K, V) VALUES (${time}, '${key}', 1);`);
  await engine.drain();
}

let memory: Engine;
let disk: Engine;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-ranges-'));
  const options = { stateDirectory: join(directory, 'state'), state: openStateBackend({ residentBytes: 0 }) };
  const before = await openEngine(join(directory, 'log'), options);
  await fill(before);
  await before.close();
  await before.options.log.close();
  disk = await openEngine(join(directory, 'log'), options);
  await disk.drain();
  memory = await openEngine();
  await fill(memory);
}, 60_000);
afterAll(async () => {
  await memory.close();
  await disk.close();
  rmSync(directory, { recursive: true, force: true });
});

/** What is not on its way to the disk leaves memory, so that what is read next is read from there. */
function evict(engine: Engine): void {
  for (const query of engine.queries.values()) for (const task of query.streams.allTasks) task.state.evict(0);
}

const byText = (rows: readonly Row[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted();

interface Bound {
  readonly column: string;
  readonly operator: '<' | '<=' | '>' | '>=';
  readonly value: Key;
  readonly text: string;
}

const holds = ({ operator, value }: Bound, found: SqlValue): boolean => {
  const [a, b] = [found as Key, value];
  if (operator === '<') return a < b;
  if (operator === '<=') return a <= b;
  return operator === '>' ? a > b : a >= b;
};

const operators = fc.constantFrom('<', '<=', '>', '>=');
const keyBound = (keys: readonly Key[], write: (value: Key) => string): fc.Arbitrary<Bound> =>
  fc
    .record({ operator: operators, value: fc.constantFrom(...keys) })
    .map(({ operator, value }) => ({ column: 'K', operator, value, text: write(value) }));
const timeBound = (column: string): fc.Arbitrary<Bound> =>
  fc
    .record({ operator: operators, value: fc.constantFrom(...TIMES, 14_000, 30_000) })
    .map(({ operator, value }) => ({ column, operator, value, text: String(value) }));

async function check(table: string, columns: readonly string[], bounds: readonly Bound[]): Promise<void> {
  const select = `SELECT ${columns.join(', ')} FROM ${table}`;
  const where = bounds.map(({ column, operator, text }) => `${column} ${operator} ${text}`).join(' AND ');
  for (const engine of [memory, disk]) {
    const all = (await execute(engine, `${select};`)).rows;
    expect(all.length).toBeGreaterThan(0);
    evict(disk);
    const found = (await execute(engine, `${select} WHERE ${where};`)).rows;
    evict(disk);
    const expected = all.filter((row) =>
      bounds.every((bound) => holds(bound, row[columns.indexOf(bound.column)]!)),
    );
    expect([where, byText(found)]).toEqual([where, byText(expected)]);
  }
}

describe('as the whole table, filtered', () => {
  test.each(TYPES.map(([type, format, keys, write], i) => ({ type, format, keys, write, table: `T${i}` })))(
    '$type keys of format $format',
    async ({ keys, write, table }) => {
      const bounds = fc.array(keyBound(keys, write), { minLength: 1, maxLength: 2 });
      await fc.assert(
        fc.asyncProperty(bounds, (each) => check(table, ['K', 'N'], each)),
        { numRuns: 40, seed: 11 },
      );
    },
  );

  test.each(['TUMBLING', 'HOPPING', 'SESSIONS'])('%s windows', async (table) => {
    const bounds = fc.tuple(
      fc.array(fc.oneof(timeBound('WINDOWSTART'), timeBound('WINDOWEND')), { minLength: 1, maxLength: 3 }),
      fc.array(keyBound(['a', 'b', 'key-10'], quoted), { maxLength: 1 }),
    );
    await fc.assert(
      fc.asyncProperty(bounds, ([times, keys]) =>
        check(table, ['K', 'N', 'WINDOWSTART', 'WINDOWEND'], [...times, ...keys]),
      ),
      { numRuns: 60, seed: 12 },
    );
  });

  test.each(['TUMBLING', 'HOPPING', 'SESSIONS'])('%s windows of a key', async (table) => {
    const select = `SELECT K, N, WINDOWSTART, WINDOWEND FROM ${table}`;
    const times = fc.array(fc.oneof(timeBound('WINDOWSTART'), timeBound('WINDOWEND')), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(times, async (bounds) => {
        const where = bounds
          .map(({ column, operator, text }) => ` AND ${column} ${operator} ${text}`)
          .join('');
        for (const engine of [memory, disk]) {
          const all = (await execute(engine, `${select} WHERE K = 'b' OR K = 'key-1';`)).rows;
          evict(disk);
          const found = (await execute(engine, `${select} WHERE (K = 'b' OR K = 'key-1')${where};`)).rows;
          evict(disk);
          const expected = all.filter((row) =>
            bounds.every((bound) => holds(bound, row[bound.column === 'WINDOWSTART' ? 2 : 3]!)),
          );
          expect([where, byText(found)]).toEqual([where, byText(expected)]);
        }
      }),
      { numRuns: 40, seed: 13 },
    );
  });
});

/** How many rows the stores showed, and how many came from disk, while `run` ran. */
async function visits(run: () => Promise<unknown>): Promise<{ shown: number; loaded: number }> {
  let shown = 0;
  let loaded = 0;
  const countShown = (args: unknown[]): unknown[] => {
    const visit = args.at(-1) as (...row: unknown[]) => unknown;
    return [
      ...args.slice(0, -1),
      (...row: unknown[]) => {
        shown++;
        return visit(...row);
      },
    ];
  };
  const undo = [
    wrap(KeyValueRows.prototype, 'range', countShown),
    wrap(WindowRows.prototype, 'fetchAll', countShown),
    wrap(SessionRows.prototype, 'fetchAll', countShown),
    wrap(KeyValueRows.prototype, 'install', (args) => {
      loaded++;
      return args;
    }),
  ];
  try {
    await run();
  } finally {
    for (const each of undo) each();
  }
  return { shown, loaded };
}

/** Sends a method's arguments through `through`; what is returned undoes it. */
function wrap(prototype: object, name: string, through: (args: unknown[]) => unknown[]): () => void {
  const method = Reflect.get(prototype, name) as (...args: unknown[]) => unknown;
  const wrapped = function (this: unknown, ...args: unknown[]): unknown {
    return Reflect.apply(method, this, through(args));
  };
  Object.assign(prototype, { [name]: wrapped });
  return () => void Object.assign(prototype, { [name]: method });
}

const explained = async (engine: Engine, sql: string): Promise<string> =>
  JSON.stringify((await execute(engine, `EXPLAIN ${sql}`)).entity);

test('a range of texts is all that is looked at, in memory and on disk', async () => {
  const sql = `SELECT K, N FROM T0 WHERE K > 'key-1' AND K <= 'key-2';`;
  const inRange = { shown: 3, loaded: 0 };
  expect(await visits(() => execute(memory, sql))).toEqual(inRange);
  evict(disk);
  expect(await visits(() => execute(disk, sql))).toEqual({ ...inRange, loaded: 3 });
  // What was read is in memory now.
  expect(await visits(() => execute(disk, sql))).toEqual(inRange);
  expect(await explained(disk, sql)).toContain('read a range of [K]');
});

test('where the bytes of the keys are in another order every row is looked at, which EXPLAIN says', async () => {
  for (const [table, keys, where] of [
    ['T1', texts, "K > 'key-1'"],
    ['T3', numbers, 'K > 3'],
  ] as const) {
    const sql = `SELECT K, N FROM ${table} WHERE ${where};`;
    expect((await visits(() => execute(memory, sql))).shown).toBe(keys.length);
    expect(await explained(memory, sql)).toContain('read every row');
    const off = "SET 'ksql.query.pull.table.scan.enabled' = 'false';";
    await expect(execute(memory, `${off} ${sql}`)).rejects.toThrow('reads the whole table');
  }
});

test('a range is told by the store, whatever format the topic of the table has', async () => {
  await execute(
    memory,
    `CREATE TABLE U WITH (KEY_FORMAT='JSON') AS SELECT K, SUM(V) AS N FROM S0 GROUP BY K;`,
  );
  await execute(
    memory,
    `CREATE TABLE R WITH (KEY_FORMAT='KAFKA') AS SELECT K, SUM(V) AS N FROM S1 GROUP BY K;`,
  );
  await memory.drain();
  const said = { U: await explained(memory, "SELECT * FROM U WHERE K > 'b';"), R: '' };
  said.R = await explained(memory, "SELECT * FROM R WHERE K > 'b';");
  for (const table of ['U', 'R'] as const) {
    const { rows } = await execute(memory, `SELECT K FROM ${table} WHERE K > 'b' AND K < 'key-2';`);
    expect(byText(rows)).toEqual(byText([['key-1'], ['key-10']]));
    const visited = await visits(() =>
      execute(memory, `SELECT K FROM ${table} WHERE K > 'key-1' AND K < 'key-2';`),
    );
    const isRange = said[table].includes('read a range of');
    expect(visited.shown).toBe(isRange ? 3 : texts.length);
  }
});

test('windows that WHERE leaves out are not looked at, which EXPLAIN says', async () => {
  const count = async (sql: string): Promise<number> => (await execute(memory, sql)).rows.length;
  const starts = `SELECT K FROM TUMBLING WHERE WINDOWSTART >= 10000 AND WINDOWEND <= 30000;`;
  // Where pages end is found first, then the rows are read.
  expect(await count(starts)).toBe(8);
  expect((await visits(() => execute(memory, starts))).shown).toBe(2 * 8);
  expect(await explained(memory, starts)).toContain('windows that start from 10000 to 20000');
  const ends = 'SELECT K FROM SESSIONS WHERE WINDOWEND > 9000 AND WINDOWEND <= 19999;';
  const touched = await count('SELECT K FROM SESSIONS WHERE WINDOWEND >= 9000 AND WINDOWEND <= 19999;');
  expect(touched).toBeGreaterThan(3);
  expect((await visits(() => execute(memory, ends))).shown).toBe(2 * touched);
  expect(await explained(memory, ends)).toContain('windows that end from 9000 to 19999');
});

test('rows of state that has left memory are given once, however often something had to be loaded', async () => {
  const where = texts.map(quoted).join(', ');
  for (const sql of [
    `SELECT K, N FROM T0 WHERE K IN (${where});`,
    'SELECT K, N FROM T0;',
    "SELECT K, N, WINDOWSTART FROM TUMBLING WHERE K IN ('a', 'b', 'key-1', 'key-2');",
    "SELECT K, N, WINDOWSTART FROM SESSIONS WHERE K IN ('a', 'b', 'key-1', 'key-2');",
  ]) {
    evict(disk);
    const { rows } = await execute(disk, sql);
    expect(rows.length).toBeGreaterThan(3);
    expect(byText(rows)).toEqual(byText((await execute(memory, sql)).rows));
  }
});
