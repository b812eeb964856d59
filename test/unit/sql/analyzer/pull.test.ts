import fc from 'fast-check';
import { expect, test } from 'vitest';
import { builtinFunctions } from '../../../../src/functions/registry.ts';
import type { PullPlan } from '../../../../src/sql/analyzer/analyze-pull-query.ts';
import { compilePredicate } from '../../../../src/sql/expressions/compile.ts';
import { textBounds } from '../../../../src/sql/analyzer/text-bounds.ts';
import { analyze } from './analyze.ts';

const SOURCES = `
  CREATE STREAM S (K INT KEY, NAME STRING, V BIGINT) WITH (KAFKA_TOPIC='s', FORMAT='JSON');
  CREATE TABLE ONE AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;
  CREATE TABLE TWO AS SELECT K, NAME, COUNT(*) AS N FROM S GROUP BY K, NAME;
  CREATE STREAM TEXTS (K STRING KEY, V BIGINT) WITH (KAFKA_TOPIC='t', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');
  CREATE TABLE TEXT AS SELECT K, COUNT(*) AS N FROM TEXTS GROUP BY K;
  CREATE TABLE QUOTED WITH (KEY_FORMAT='JSON') AS SELECT K, COUNT(*) AS N FROM TEXTS GROUP BY K;
  CREATE TABLE WINDOWED AS SELECT K, COUNT(*) AS N FROM S WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY K;
`;

const { catalog } = analyze(SOURCES);
const pull = (sql: string): PullPlan => analyze(sql, undefined, catalog.copy()).pull!;
const access = (where: string, table = 'ONE'): PullPlan['access'] =>
  pull(`SELECT * FROM ${table} WHERE ${where};`).access;

test('keys are looked up when the whole key is given', () => {
  expect(access('K = 3')).toEqual({ kind: 'keys', keys: [[3]] });
  expect(access('3 = K AND N > 5')).toEqual({ kind: 'keys', keys: [[3]] });
  expect(access('K IN (3, 1, 3) OR K = 2')).toEqual({ kind: 'keys', keys: [[1], [2], [3]] });
  expect(access('K = 1 AND K = 2')).toEqual({ kind: 'keys', keys: [] });
  expect(access('K = 1 + 2')).toEqual({ kind: 'keys', keys: [[3]] });
  expect(access('K = 3000000000')).toEqual({ kind: 'keys', keys: [] });
  expect(access("K IN (1, 2) AND NAME = 'x'", 'TWO')).toEqual({
    kind: 'keys',
    keys: [
      [1, 'x'],
      [2, 'x'],
    ],
  });
});

test('a part of the key, another column or a negation is a scan, bounds of a single key a range', () => {
  expect(access('K = 1', 'TWO').kind).toBe('scan');
  expect(access('K = 1 OR N = 2').kind).toBe('scan');
  expect(access('NOT (K = 1)').kind).toBe('scan');
  expect(access("K > 'b' AND K <= 'i'", 'TEXT')).toEqual({
    kind: 'range',
    bounds: { lower: 'b', upper: 'i' },
  });
  expect(access("K BETWEEN 'b' AND 'i' OR K = 't'", 'TEXT')).toEqual({
    kind: 'range',
    bounds: { lower: 'b', upper: 't' },
  });
});

test('keys whose bytes are in another order are no range', () => {
  expect(access('K > 2 AND K <= 9').kind).toBe('scan');
  expect(access("K > 'b'", 'QUOTED').kind).toBe('scan');
  expect(access('K > 2', 'WINDOWED').kind).toBe('scan');
});

test('window bounds are numbers or times', () => {
  const plan = pull(
    "SELECT * FROM WINDOWED WHERE K = 1 AND WINDOWSTART >= '2020-01-01T00:00' AND WINDOWEND < 1577840460000;",
  );
  expect(plan.windowStart).toMatchObject({ lower: Date.UTC(2020, 0, 1), upper: null });
  expect(plan.windowEnd).toMatchObject({ lower: null, upper: 1577840460000 });
  expect(plan.select.map((column) => column.name)).toEqual(['K', 'WINDOWSTART', 'WINDOWEND', 'N']);
  expect(pull('SELECT * FROM ONE LIMIT 3;')).toMatchObject({
    limit: 3,
    windowStart: null,
    filter: null,
    access: { kind: 'scan' },
  });
});

test('a scan can be switched off', () => {
  const properties = new Map([['ksql.query.pull.table.scan.enabled', 'false']]);
  expect(() => analyze('SELECT * FROM ONE;', properties, catalog.copy())).toThrow('reads the whole table');
  expect(() => analyze('SELECT * FROM ONE WHERE K = 1;', properties, catalog.copy())).not.toThrow();
});

test('with scans switched off, ranges are read where the keys are stored in their order', () => {
  const { catalog: strings } = analyze(
    `CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
     CREATE TABLE T AS SELECT K, COUNT(*) N FROM S GROUP BY K;
     CREATE TABLE W AS SELECT K, COUNT(*) N FROM S WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY K;`,
  );
  const off = (...names: string[]) =>
    new Map(names.map((name) => [`ksql.query.pull.${name}.scan.enabled`, 'false']));
  const run =
    (sql: string, ...names: string[]) =>
    () =>
      analyze(sql, off(...names), strings.copy());
  expect(run("SELECT * FROM T WHERE K < 'x';", 'table')).not.toThrow();
  expect(run("SELECT * FROM T WHERE K < 'x';", 'range')).not.toThrow();
  expect(run("SELECT * FROM T WHERE K < 'x';", 'table', 'range')).toThrow('reads the whole table');
  expect(run("SELECT * FROM W WHERE K < 'x';", 'table')).toThrow('reads the whole table');
  expect(run("SELECT * FROM W WHERE K = 'x';", 'table', 'range')).not.toThrow();
  const integers = () => analyze('SELECT * FROM ONE WHERE K < 1;', off('table'), catalog.copy());
  expect(integers).toThrow('reads the whole table');
});

test('with scans switched off, a key has one condition', () => {
  const { catalog: strings } = analyze(
    `CREATE STREAM S (K STRING KEY, L STRING KEY, V INT) WITH (KAFKA_TOPIC='s', FORMAT='JSON');
     CREATE TABLE T AS SELECT K, COUNT(*) N FROM S GROUP BY K;
     CREATE TABLE U AS SELECT K, L, COUNT(*) N FROM S GROUP BY K, L;`,
  );
  const off = new Map([['ksql.query.pull.table.scan.enabled', 'false']]);
  const run = (where: string, properties?: Map<string, string>) => () =>
    analyze(`SELECT * FROM ${where};`, properties, strings.copy());
  const refused = ["T WHERE '0' < K AND K < '9'", "T WHERE K = 'a' AND K IN ('a', 'b')"];
  for (const where of [...refused, `${refused[1]!} OR K = 'c'`]) {
    expect(run(where, off)).toThrow('reads the whole table');
    expect(run(where)).not.toThrow();
  }
  for (const where of [
    "T WHERE K = 'a' AND N > 1",
    "T WHERE K = 'a' OR K = 'b'",
    "U WHERE K = 'a' AND L = 'b'",
  ])
    expect(run(where, off)).not.toThrow();
});

test('LIMIT, and reading streams, can be switched off', () => {
  const run = (sql: string, property: string) => () =>
    analyze(sql, new Map([[`ksql.query.pull.${property}.enabled`, 'false']]), catalog.copy());
  expect(run('SELECT * FROM ONE LIMIT 3;', 'limit.clause')).toThrow(
    'LIMIT in a query without EMIT is switched off',
  );
  expect(run('SELECT * FROM S LIMIT 3;', 'limit.clause')).toThrow('is switched off');
  expect(run('SELECT * FROM ONE;', 'limit.clause')).not.toThrow();
  expect(run('SELECT * FROM S EMIT CHANGES LIMIT 3;', 'limit.clause')).not.toThrow();
  expect(run('SELECT * FROM S;', 'stream')).toThrow('reading a stream without EMIT is switched off');
  expect(run('SELECT * FROM ONE;', 'stream')).not.toThrow();
  expect(run('SELECT * FROM S EMIT CHANGES;', 'stream')).not.toThrow();
});

test('text is no key of numbers in a list, and may stand in lists of other columns', () => {
  const run = (where: string) => () =>
    analyze(`SELECT * FROM ONE WHERE ${where};`, undefined, catalog.copy());
  expect(run("K IN ('10', 8)")).toThrow('key K is INTEGER, and this is STRING');
  expect(run("N = 1 AND K IN (1, '8')")).toThrow('key K is INTEGER');
  expect(run("N IN ('10', 8)")).not.toThrow();
});

test('whatever WHERE lets through, the access finds', () => {
  const { condition } = fc.letrec<{ condition: string }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 4 },
      fc
        .tuple(
          fc.constantFrom('K', 'N'),
          fc.constantFrom('=', '<', '<=', '>', '>=', '<>'),
          fc.integer({ min: -3, max: 3 }),
        )
        .map((each) => each.join(' ')),
      fc
        .tuple(
          fc.constantFrom('K', 'N'),
          fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 3 }),
        )
        .map(([column, list]) => `${column} IN (${list.join(', ')})`),
      fc
        .tuple(tie('condition'), fc.constantFrom('AND', 'OR'), tie('condition'))
        .map(([a, operator, b]) => `(${a} ${operator} ${b})`),
      tie('condition').map((each) => `NOT (${each})`),
    ),
  }));
  fc.assert(
    fc.property(condition, (where) => {
      const plan = pull(`SELECT * FROM ONE WHERE ${where};`);
      const passes = compilePredicate(
        plan.filter!,
        builtinFunctions,
        { now: () => 0, random: () => 0 },
        () => {},
      );
      for (let k = -4; k <= 4; k++)
        for (let n = -4; n <= 4; n++) {
          if (!passes([k, n, 0, 0, 0])) continue;
          if (plan.access.kind === 'keys') expect(plan.access.keys).toContainEqual([k]);
          if (plan.access.kind === 'range') {
            const { lower, upper } = plan.access.bounds;
            expect(
              (lower === null || k >= (lower as number)) && (upper === null || k <= (upper as number)),
            ).toBe(true);
          }
        }
    }),
    { numRuns: 300 },
  );
});

/** Texts around each place where the order of UTF-16 and that of UTF-8 part. */
const TEXTS = [
  '',
  '\u0000',
  'a',
  'a\uD7FF',
  'a😀',
  'a😀b',
  'a\uE000',
  'a\uFFFF',
  'ab',
  '\uD7FF',
  '\uE000',
  '\uFF61',
]
  .concat(['\uFFFF', '😀', '😀\uFFFF', '\u{10FFFF}', '\u{10FFFF}a', '\u{10FFFF}\uE000'])
  .concat(['\uD83D', 'a\uDE00']);

test('a range of texts has every key that lies in it, by the bytes that it is stored under', () => {
  const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');
  const keys = TEXTS.filter((text) => !/[\uD800-\uDFFF]/u.test(text));
  for (const lower of [null, ...TEXTS])
    for (const upper of [null, ...TEXTS]) {
      const found = textBounds(lower, upper);
      for (const key of keys) {
        if ((lower !== null && key < lower) || (upper !== null && key > upper)) continue;
        const from = found.lower === null ? -1 : Buffer.compare(bytes(found.lower), bytes(key));
        const to = found.upper === null ? 1 : Buffer.compare(bytes(found.upper), bytes(key));
        expect([lower, key, upper, from <= 0, to >= 0]).toEqual([lower, key, upper, true, true]);
      }
    }
  expect(textBounds('a', 'b😀')).toEqual({ lower: 'a', upper: 'b😀' });
});
