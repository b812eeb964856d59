import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PipelineRecord, runSql } from './sql-pipeline.ts';

/** Joins, SQL text to records: each plan as built and as optimized, which must agree. */

const WITH = (topic: string): string => `WITH (KAFKA_TOPIC='${topic}', VALUE_FORMAT='JSON')`;
const A = `CREATE STREAM A (ID STRING KEY, V BIGINT, R STRING) ${WITH('a')};`;
const B = `CREATE STREAM B (ID STRING KEY, W BIGINT) ${WITH('b')};`;
const C = `CREATE STREAM C (ID STRING KEY, X BIGINT) ${WITH('c')};`;
const T = `CREATE TABLE T (ID STRING PRIMARY KEY, V BIGINT, F STRING) ${WITH('t')};`;
const U = `CREATE TABLE U (ID STRING PRIMARY KEY, W BIGINT) ${WITH('u')};`;
const Z = `CREATE TABLE Z (ID STRING PRIMARY KEY, X BIGINT) ${WITH('z')};`;

const rec = (topic: string, key: string | null, value: object | null, timestamp = 0): PipelineRecord => ({
  topic,
  key,
  value: value === null ? null : JSON.stringify(value),
  timestamp,
});

const rows = (out: readonly (readonly [string | null, string | null, number])[]): string[] =>
  out.map(([key, value, time]) => `${key} ${value} @${time}`);

describe.each([{ optimized: false }, { optimized: true }])('optimized: $optimized', (options) => {
  describe('streams', () => {
    const join = (kind: string, within = '10 SECONDS GRACE PERIOD 5 SECONDS'): string =>
      `${A} ${B} CREATE STREAM OUT AS SELECT ROWKEY, V, W FROM A ${kind} JOIN B WITHIN ${within} ON A.ID = B.ID;`.replace(
        'ROWKEY',
        kind === 'FULL' ? 'ROWKEY' : kind === 'RIGHT' ? 'B.ID' : 'A.ID',
      );

    test('inner: each pair within the window, later of both times', async () => {
      const { out } = await runSql(
        join(''),
        [
          rec('a', 'k', { V: 1 }, 1_000),
          rec('b', 'k', { W: 2 }, 3_000),
          rec('a', 'k', { V: 3 }, 2_000),
          rec('b', 'k', { W: 4 }, 12_500),
          rec('b', 'other', { W: 5 }, 2_000),
          rec('a', 'k', null, 2_000),
          rec('a', null, { V: 6 }, 2_000),
        ],
        options,
      );
      // At 12.5 s only the row of 3 s on the other side would be near, and that is its own side's.
      expect(rows(out)).toEqual(['k {"V":1,"W":2} @3000', 'k {"V":3,"W":2} @3000']);
    });

    test('left with grace: a row without a partner waits until its window has closed', async () => {
      const { out } = await runSql(
        join('LEFT'),
        [
          rec('a', 'k', { V: 1 }, 1_000),
          rec('a', 'k', { V: 2 }, 2_000),
          rec('b', 'k', { W: 9 }, 11_500),
          rec('a', 'k', { V: 3 }, 20_000),
        ],
        options,
      );
      expect(rows(out)).toEqual([
        'k {"V":2,"W":9} @11500',
        'k {"V":1,"W":null} @1000',
        'k {"V":3,"W":9} @20000',
      ]);
    });

    test('left without grace: null rows at once, and the match as a second row', async () => {
      const { out } = await runSql(
        join('LEFT', '10 SECONDS'),
        [rec('a', 'k', { V: 1 }, 1_000), rec('b', 'k', { W: 9 }, 2_000)],
        options,
      );
      expect(rows(out)).toEqual(['k {"V":1,"W":null} @1000', 'k {"V":1,"W":9} @2000']);
    });

    test('right: the mirrored left', async () => {
      const { out } = await runSql(
        join('RIGHT', '10 SECONDS'),
        [rec('b', 'k', { W: 9 }, 1_000), rec('a', 'k', { V: 1 }, 2_000), rec('a', 'j', { V: 1 }, 2_000)],
        options,
      );
      expect(rows(out)).toEqual(['k {"V":null,"W":9} @1000', 'k {"V":1,"W":9} @2000']);
    });

    test('full: both sides, and the key of whichever is there', async () => {
      const { out } = await runSql(
        join('FULL', '10 SECONDS'),
        [rec('b', 'k', { W: 9 }, 1_000), rec('a', 'k', { V: 1 }, 2_000), rec('a', 'j', { V: 2 }, 2_000)],
        options,
      );
      expect(rows(out).toSorted()).toEqual([
        'j {"V":2,"W":null} @2000',
        'k {"V":1,"W":9} @2000',
        'k {"V":null,"W":9} @1000',
      ]);
    });

    test('before and after', async () => {
      const { out } = await runSql(
        join('', '(0 SECONDS, 10 SECONDS) GRACE PERIOD 5 SECONDS'),
        [rec('a', 'k', { V: 1 }, 5_000), rec('b', 'k', { W: 1 }, 4_000), rec('b', 'k', { W: 2 }, 6_000)],
        options,
      );
      expect(rows(out)).toEqual(['k {"V":1,"W":2} @6000']);
    });

    test('by another column than the key, and three of them', async () => {
      const { out } = await runSql(
        `${A} ${B} ${C} CREATE STREAM OUT AS SELECT B.ID, A.ID AS AID, V, W, X FROM A
           JOIN B WITHIN 10 SECONDS ON A.R = B.ID LEFT JOIN C WITHIN 10 SECONDS ON B.ID = C.ID;`,
        [
          rec('c', 'r', { X: 7 }, 1_000),
          rec('a', 'k', { V: 1, R: 'r' }, 1_000),
          rec('b', 'r', { W: 2 }, 3_000),
          rec('a', 'k', { V: 3 }, 3_000),
        ],
        options,
      );
      expect(rows(out)).toEqual(['r {"AID":"k","V":1,"W":2,"X":7} @3000']);
    });

    test('a filter over an outer join drops what has no partner', async () => {
      const { out } = await runSql(
        `${A} ${B} CREATE STREAM OUT AS SELECT A.ID, V, W FROM A LEFT JOIN B WITHIN 10 SECONDS ON A.ID = B.ID WHERE W > 1 AND V > 0;`,
        [
          rec('a', 'k', { V: 1 }, 1_000),
          rec('b', 'k', { W: 1 }, 2_000),
          rec('b', 'k', { W: 2 }, 2_000),
          rec('a', 'k', { V: 0 }, 3_000),
        ],
        options,
      );
      expect(rows(out)).toEqual(['k {"V":1,"W":2} @2000']);
    });

    test('windowed streams meet when key and window are equal', async () => {
      const windowed = (name: string, column: string): string =>
        `CREATE STREAM ${name} (ID STRING KEY, ${column} BIGINT) WITH (KAFKA_TOPIC='${name.toLowerCase()}', VALUE_FORMAT='JSON', WINDOW_TYPE='TUMBLING', WINDOW_SIZE='1 SECOND');`;
      const key = (start: number): string => {
        const bytes = Buffer.alloc(9, 'k');
        bytes.writeBigInt64BE(BigInt(start), 1);
        return bytes.toString('latin1');
      };
      const { pushed } = await runSql(
        `${windowed('P', 'V')} ${windowed('Q', 'W')}
           SELECT P.ID, P.WINDOWSTART AS WS, V, W FROM P JOIN Q WITHIN 10 SECONDS ON P.ID = Q.ID EMIT CHANGES;`,
        [
          rec('p', key(0), { V: 1 }, 0),
          rec('q', key(1_000), { W: 2 }, 1_000),
          rec('q', key(0), { W: 3 }, 1_000),
        ],
        options,
      );
      expect(pushed.map(({ row }) => row)).toEqual([['k', 0, 1, 3]]);
    });

    test('two streams over one topic', async () => {
      const { out } = await runSql(
        `${A} CREATE STREAM SAME (ID STRING KEY, R STRING) ${WITH('a')};
         CREATE STREAM OUT AS SELECT A.ID, V, SAME.R AS R FROM A JOIN SAME WITHIN 10 SECONDS ON A.ID = SAME.ID;`,
        [rec('a', 'k', { V: 1, R: 'x' }, 0), rec('a', 'k', { V: 2, R: 'y' }, 1_000)],
        options,
      );
      expect(rows(out).toSorted()).toEqual([
        'k {"V":1,"R":"x"} @0',
        'k {"V":1,"R":"y"} @1000',
        'k {"V":2,"R":"x"} @1000',
        'k {"V":2,"R":"y"} @1000',
      ]);
    });
  });

  describe('tables', () => {
    const join = (kind: string): string =>
      `${T} ${U} CREATE TABLE OUT AS SELECT ${kind === 'FULL' ? 'ROWKEY' : kind === 'RIGHT' ? 'U.ID' : 'T.ID'}, V, W FROM T ${kind} JOIN U ON T.ID = U.ID;`;
    const records = [
      rec('t', 'k', { V: 1 }, 1),
      rec('u', 'k', { W: 2 }, 5),
      rec('u', 'j', { W: 3 }, 6),
      rec('t', 'k', { V: 4 }, 3),
      rec('u', 'k', null, 7),
      rec('t', 'k', null, 8),
    ];

    test('inner', async () => {
      const { out, rows: kept } = await runSql(join(''), [...records, rec('t', 'j', { V: 5 }, 9)], options);
      expect(rows(out).toSorted()).toEqual(
        ['k {"V":1,"W":2} @5', 'k {"V":4,"W":2} @5', 'k null @7', 'j {"V":5,"W":3} @9'].toSorted(),
      );
      expect(kept).toEqual([['j', 5, 3]]);
    });

    test('left', async () => {
      const { out } = await runSql(join('LEFT'), records, options);
      expect(rows(out)).toEqual([
        'k {"V":1,"W":null} @1',
        'k {"V":1,"W":2} @5',
        'k {"V":4,"W":2} @5',
        'k {"V":4,"W":null} @7',
        'k null @8',
      ]);
    });

    test('right', async () => {
      const { out, rows: kept } = await runSql(join('RIGHT'), records, options);
      expect(rows(out).toSorted()).toEqual(
        ['k {"V":1,"W":2} @5', 'j {"V":null,"W":3} @6', 'k {"V":4,"W":2} @5', 'k null @7'].toSorted(),
      );
      expect(kept).toEqual([['j', null, 3]]);
    });

    test('full', async () => {
      const { out, rows: kept } = await runSql(join('FULL'), records, options);
      expect(rows(out).toSorted()).toEqual(
        [
          'k {"V":1,"W":null} @1',
          'k {"V":1,"W":2} @5',
          'j {"V":null,"W":3} @6',
          'k {"V":4,"W":2} @5',
          'k {"V":4,"W":null} @7',
          'k null @8',
        ].toSorted(),
      );
      expect(kept).toEqual([['j', null, 3]]);
    });

    test('three, filtered: a row that no longer holds is removed', async () => {
      const { out, rows: kept } = await runSql(
        `${T} ${U} ${Z} CREATE TABLE OUT AS SELECT T.ID, V, W, X FROM T JOIN U ON T.ID = U.ID LEFT JOIN Z ON U.ID = Z.ID
           WHERE V + W > 2 AND V > 0;`,
        [
          rec('t', 'k', { V: 1 }),
          rec('u', 'k', { W: 1 }),
          rec('z', 'k', { X: 5 }),
          rec('u', 'k', { W: 2 }),
          rec('z', 'k', { X: 6 }),
          rec('t', 'k', { V: 0 }),
          rec('z', 'k', { X: 7 }),
          rec('t', 'k', { V: 3 }),
        ],
        options,
      );
      expect(rows(out)).toEqual([
        'k {"V":1,"W":2,"X":5} @0',
        'k {"V":1,"W":2,"X":6} @0',
        'k null @0',
        'k {"V":3,"W":2,"X":7} @0',
      ]);
      expect(kept).toEqual([['k', 3, 2, 7]]);
    });

    test('joined and counted: rows are taken back from their old groups', async () => {
      const { rows: kept } = await runSql(
        `${T} ${U} CREATE TABLE OUT AS SELECT W, COUNT(*) AS N, SUM(V) AS S FROM T JOIN U ON T.ID = U.ID GROUP BY W;`,
        [
          rec('t', 'k', { V: 1 }),
          rec('t', 'j', { V: 10 }),
          rec('u', 'k', { W: 1 }),
          rec('u', 'j', { W: 1 }),
          rec('t', 'k', { V: 2 }),
          rec('u', 'j', { W: 2 }),
        ],
        options,
      );
      expect(kept).toEqual([
        [1, 1, 2],
        [2, 1, 10],
      ]);
    });

    test('with keys in another format', async () => {
      const { out, rows: kept } = await runSql(
        `${T} CREATE TABLE J (ID STRING PRIMARY KEY, W BIGINT) WITH (KAFKA_TOPIC='j', FORMAT='JSON');
         CREATE TABLE OUT AS SELECT T.ID, V, W FROM T JOIN J ON T.ID = J.ID;`,
        [
          rec('t', 'k', { V: 1 }),
          rec('j', '"k"', { W: 2 }),
          rec('j', '"k"', { W: 3 }),
          rec('t', 'k', { V: 4 }),
          rec('j', '"k"', null),
          rec('j', '"k"', { W: 5 }),
        ],
        options,
      );
      expect(rows(out)).toEqual([
        'k {"V":1,"W":2} @0',
        'k {"V":1,"W":3} @0',
        'k {"V":4,"W":3} @0',
        'k null @0',
        'k {"V":4,"W":5} @0',
      ]);
      expect(kept).toEqual([['k', 4, 5]]);
    });

    test('a stream with two of them', async () => {
      const { out } = await runSql(
        `${A} ${T} ${U} CREATE STREAM OUT AS SELECT T.ID, A.ID AS AID, A.V, W, F FROM A LEFT JOIN U ON A.ID = U.ID JOIN T ON A.R = T.ID;`,
        [
          rec('t', 'r', { F: 'f' }),
          rec('u', 'k', { W: 1 }),
          rec('a', 'k', { V: 1, R: 'r' }),
          rec('a', 'j', { V: 2, R: 'r' }),
          rec('a', 'j', { V: 3, R: 's' }),
        ],
        options,
      );
      expect(rows(out)).toEqual([
        'r {"AID":"k","A_V":1,"W":1,"F":"f"} @0',
        'r {"AID":"j","A_V":2,"W":null,"F":"f"} @0',
      ]);
    });
  });

  describe('foreign keys', () => {
    const join = (kind: string): string =>
      `${T} ${U} CREATE TABLE OUT AS SELECT T.ID, V, W FROM T ${kind} JOIN U ON T.F = U.ID;`;
    const records = [
      rec('u', 'x', { W: 1 }, 1),
      rec('t', 'k', { V: 1, F: 'x' }, 2),
      rec('t', 'j', { V: 2, F: 'y' }, 3),
      rec('u', 'x', { W: 2 }, 4),
      rec('u', 'y', { W: 3 }, 5),
      rec('t', 'k', { V: 1, F: 'y' }, 6),
      rec('u', 'y', null, 7),
      rec('t', 'j', null, 8),
    ];

    test('inner', async () => {
      const { out, rows: kept } = await runSql(join(''), records.slice(0, 6), options);
      expect(rows(out).toSorted()).toEqual(
        ['k {"V":1,"W":1} @2', 'k {"V":1,"W":2} @4', 'j {"V":2,"W":3} @5', 'k {"V":1,"W":3} @6'].toSorted(),
      );
      expect(kept).toEqual([
        ['j', 2, 3],
        ['k', 1, 3],
      ]);
    });

    test('left, and removals', async () => {
      const { out, rows: kept } = await runSql(join('LEFT'), records, options);
      expect(rows(out).filter((row) => row.startsWith('j'))).toEqual([
        'j {"V":2,"W":null} @3',
        'j {"V":2,"W":3} @5',
        'j {"V":2,"W":null} @7',
        'j null @8',
      ]);
      expect(kept).toEqual([['k', 1, null]]);
    });

    test('an expression, then a join on the primary key', async () => {
      const { rows: kept } = await runSql(
        `${T} ${U} ${Z} CREATE TABLE OUT AS SELECT T.ID, V, W, X FROM T JOIN U ON UCASE(T.F) = U.ID LEFT JOIN Z ON T.ID = Z.ID;`,
        [
          rec('t', 'k', { V: 1, F: 'x' }),
          rec('u', 'X', { W: 1 }),
          rec('t', 'j', { V: 2, F: 'x' }),
          rec('z', 'k', { X: 1 }),
          rec('t', 'i', { V: 3, F: 'n' }),
        ],
        options,
      );
      expect(kept).toEqual([
        ['j', 2, 1, null],
        ['k', 1, 1, 1],
      ]);
    });
  });
});

test('filters over joins of tables: every plan gives the same changes', async () => {
  const change = fc.record({
    topic: fc.constantFrom('t', 'u'),
    key: fc.constantFrom('k', 'j'),
    value: fc.option(fc.integer({ min: 0, max: 3 }), { freq: 3 }),
  });
  const kind = fc.constantFrom('', 'LEFT', 'RIGHT', 'FULL');
  const where = fc.constantFrom(
    'V > 1',
    'W > 1',
    'V > 0 AND W > 1',
    'V IS NULL',
    'V + W > 2',
    'W > 1 OR V > 1',
  );
  await fc.assert(
    fc.asyncProperty(
      kind,
      where,
      fc.array(change, { minLength: 4, maxLength: 14 }),
      async (join, clause, changes) => {
        const sql = `${T} ${U} CREATE TABLE OUT AS SELECT ${join === 'FULL' ? 'ROWKEY' : join === 'RIGHT' ? 'U.ID' : 'T.ID'}, V, W
        FROM T ${join} JOIN U ON T.ID = U.ID WHERE ${clause};`;
        const records = changes.map(({ topic, key, value }, i) =>
          rec(topic, key, value === null ? null : topic === 't' ? { V: value } : { W: value }, i),
        );
        const [built, optimized] = [
          await runSql(sql, records, { optimized: false }),
          await runSql(sql, records, { optimized: true }),
        ];
        expect(optimized.out).toEqual(built.out);
        expect(optimized.rows).toEqual(built.rows);
      },
    ),
    { numRuns: 60 },
  );
});
