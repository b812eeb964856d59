import { describe, expect, test } from 'vitest';
import type { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { continueOnError } from '../../../../src/streams/task/error-handlers.ts';
import { Suppressed } from '../../../../src/streams/dsl/windows.ts';
import { drive, type Piped } from '../../../harness/drive.ts';

const pair = (left: string | null, right: string | null): string => `${left}+${right}`;
const changes = (table: { toStream(): { to(topic: string): void } }): void => table.toStream().to('out');

describe('tables', () => {
  const piped: Piped[] = [
    ['in', 'a', 'no', 1],
    ['in', 'a', 'yes', 2],
    ['in', 'a', 'yes!', 3],
    ['in', 'a', 'no', 4],
    ['in', 'a', null, 5],
  ];
  const keep = (_key: string, value: string): boolean => value.startsWith('yes');

  test('a filter over a source without a store sends removals for rows that were never there', async () => {
    expect(
      await drive((builder) => changes(builder.table<string, string>('in').filter(keep)), piped),
    ).toEqual([
      ['a', null, 1],
      ['a', 'yes', 2],
      ['a', 'yes!', 3],
      ['a', null, 4],
      ['a', null, 5],
    ]);
  });

  test('over a store it sends a removal only for a row that was visible', async () => {
    const build = (builder: StreamsBuilder): void =>
      changes(builder.table<string, string>('in', {}, { name: 'rows' }).filter(keep));
    expect(await drive(build, piped)).toEqual([
      ['a', 'yes', 2],
      ['a', 'yes!', 3],
      ['a', null, 4],
    ]);
  });

  test('an older record replaces a newer one: a table follows offsets', async () => {
    const build = (builder: StreamsBuilder): void =>
      changes(builder.table<string, string>('in', {}, { name: 'rows' }));
    expect(
      await drive(build, [
        ['in', 'a', 'new', 10],
        ['in', 'a', 'old', 5],
        ['in', null, 'lost', 6],
      ]),
    ).toEqual([
      ['a', 'new', 10],
      ['a', 'old', 5],
    ]);
  });

  test.each([
    [
      'join',
      [
        ['a', 'l+r', 2],
        ['a', null, 3],
      ],
    ],
    [
      'leftJoin',
      [
        ['a', 'l+null', 1],
        ['a', 'l+r', 2],
        ['a', 'l+null', 3],
        ['a', null, 4],
      ],
    ],
    [
      'outerJoin',
      [
        ['a', 'l+null', 1],
        ['a', 'l+r', 2],
        ['a', 'l+null', 3],
        ['a', null, 4],
        ['b', 'null+r', 5],
      ],
    ],
  ] as const)('a %s retracts what no longer holds', async (kind, expected) => {
    const build = (builder: StreamsBuilder): void => {
      const left = builder.table<string, string>('left');
      const right = builder.table<string, string>('right');
      if (kind === 'join') changes(left.join(right, pair));
      else if (kind === 'leftJoin') changes(left.leftJoin(right, pair));
      else changes(left.outerJoin(right, pair));
    };
    expect(
      await drive(build, [
        ['left', 'a', 'l', 1],
        ['right', 'a', 'r', 2],
        ['right', 'a', null, 3],
        ['left', 'a', null, 4],
        ['right', 'b', 'r', 5],
        ['left', 'c', null, 6],
      ]),
    ).toEqual(expected);
  });

  test('a change within a group is one step for the aggregate, a change of group is two', async () => {
    const build = (builder: StreamsBuilder): void =>
      changes(
        builder
          .table<string, string>('in')
          .groupBy((_key, value) => [value.slice(0, 1), value] as const)
          .aggregate(
            () => '',
            (_key, value, state) => `${state}+${value}`,
            (_key, value, state) => `${state}-${value}`,
          ),
      );
    expect(
      await drive(build, [
        ['in', 'k1', 'x1', 1],
        ['in', 'k1', 'x2', 2],
        ['in', 'k1', 'y3', 3],
        ['in', 'k1', null, 4],
      ]),
    ).toEqual([
      ['x', '+x1', 1],
      ['x', '+x1-x1+x2', 2],
      ['x', '+x1-x1+x2-x2', 3],
      ['y', '+y3', 3],
      ['y', '+y3-y3', 4],
    ]);
  });

  test('a suppression until a time limit lets one change a key out, the latest', async () => {
    const build = (builder: StreamsBuilder): void =>
      changes(builder.table<string, string>('in').suppress(Suppressed.untilTimeLimit(10)));
    expect(
      await drive(build, [
        ['in', 'a', '1', 0],
        ['in', 'b', '1', 5],
        ['in', 'a', '2', 9],
        ['in', 'c', '1', 10],
        ['in', 'c', '2', 15],
      ]),
    ).toEqual([
      ['a', '2', 9],
      ['b', '1', 5],
    ]);
  });

  test('a full buffer lets the oldest out early, or stops', async () => {
    const build = (whenFull: 'emit' | 'shut-down') => (builder: StreamsBuilder) =>
      changes(
        builder
          .table<string, string>('in')
          .suppress(Suppressed.untilTimeLimit(1000, { recordsMax: 2, whenFull })),
      );
    const full: Piped[] = [
      ['in', 'a', '1', 0],
      ['in', 'b', '1', 1],
      ['in', 'c', '1', 2],
    ];
    expect(await drive(build('emit'), full)).toEqual([['a', '1', 0]]);
    // It is what was asked for, and no fault of the record for a handler to judge.
    const stopped = drive(build('shut-down'), full, { handlers: { processing: continueOnError } });
    await expect(stopped).rejects.toMatchObject({
      message: expect.stringContaining('3 records of at most 2') as unknown,
      cause: { name: 'StopError' },
    });
  });

  test('a bound in bytes counts the values, and what a later change of a key adds', async () => {
    const build = (builder: StreamsBuilder): void =>
      changes(
        builder.table<string, string>('in').suppress(Suppressed.untilTimeLimit(1000, { bytesMax: 100 })),
      );
    const long = 'x'.repeat(80);
    expect(
      await drive(build, [
        ['in', 'a', '1', 0],
        ['in', 'b', long, 1],
        ['in', 'b', '2', 2],
        ['in', 'c', '3', 3],
        ['in', 'c', long, 4],
      ]),
    ).toEqual([
      ['a', '1', 0],
      ['b', '2', 2],
    ]);
  });
});

describe('what readers of a table see', () => {
  test('of a row that is held back: the row before', async () => {
    const build = (builder: StreamsBuilder): void => {
      const held = builder.table<string, string>('users').suppress(Suppressed.untilTimeLimit(10));
      builder.stream<string, string>('orders').leftJoin(held, pair).to('out');
    };
    expect(
      await drive(build, [
        ['users', 'a', 'Anna', 0],
        ['orders', 'a', 'o1', 1],
        // The time of the suppression moves with the changes of the table.
        ['users', 'b', 'Ben', 10],
        ['orders', 'a', 'o2', 11],
        ['users', 'a', 'Anne', 12],
        ['users', 'a', 'Annette', 13],
        ['orders', 'a', 'o3', 14],
        ['orders', 'b', 'o4', 14],
        ['users', 'c', 'Cleo', 30],
        ['orders', 'a', 'o5', 31],
      ]),
    ).toEqual([
      ['a', 'o1+null', 1],
      ['a', 'o2+Anna', 11],
      ['a', 'o3+Anna', 14],
      ['b', 'o4+null', 14],
      ['a', 'o5+Annette', 31],
    ]);
  });

  test('of a join without a store: the rows of both sides as they are', async () => {
    const build = (builder: StreamsBuilder): void => {
      const joined = builder
        .table<string, string>('left')
        .outerJoin(builder.table<string, string>('right'), pair);
      builder.stream<string, string>('in').leftJoin(joined, pair).to('out');
    };
    expect(
      await drive(build, [
        ['in', 'a', '1', 0],
        ['right', 'a', 'r', 1],
        ['in', 'a', '2', 2],
        ['left', 'a', 'l', 3],
        ['in', 'a', '3', 4],
        ['right', 'a', null, 5],
        ['in', 'a', '4', 6],
      ]),
    ).toEqual([
      ['a', '1+null', 0],
      ['a', '2+null+r', 2],
      ['a', '3+l+r', 4],
      ['a', '4+l+null', 6],
    ]);
  });
});

describe('tables joined by foreign key', () => {
  const build = (kind: 'join' | 'leftJoin') => (builder: StreamsBuilder) => {
    const orders = builder.table<string, string>('orders');
    const users = builder.table<string, string>('users');
    // An order reads "user:item"; one without a user has no foreign key.
    const userOf = (order: string): string | null => order.split(':')[0]! || null;
    if (kind === 'join') changes(orders.join(users, userOf, pair));
    else changes(orders.leftJoin(users, userOf, pair));
  };

  test('every order follows its user', async () => {
    expect(
      await drive(build('join'), [
        ['users', 'u1', 'Anna', 1],
        ['orders', 'o1', 'u1:tea', 2],
        ['orders', 'o2', 'u1:milk', 3],
        ['users', 'u1', 'Anne', 4],
        ['users', 'u1', null, 5],
      ]),
    ).toEqual([
      ['o1', 'u1:tea+Anna', 2],
      ['o2', 'u1:milk+Anna', 3],
      ['o1', 'u1:tea+Anne', 4],
      ['o2', 'u1:milk+Anne', 4],
      ['o1', null, 5],
      ['o2', null, 5],
    ]);
  });

  test('an order that goes to another user leaves the first', async () => {
    expect(
      await drive(build('join'), [
        ['users', 'u1', 'Anna', 1],
        ['users', 'u2', 'Ben', 1],
        ['orders', 'o1', 'u1:tea', 2],
        ['orders', 'o1', 'u2:tea', 3],
        ['users', 'u1', 'Anne', 4],
        ['orders', 'o1', ':tea', 5],
      ]),
    ).toEqual([
      ['o1', 'u1:tea+Anna', 2],
      ['o1', 'u2:tea+Ben', 3],
      ['o1', null, 5],
    ]);
  });

  test('a left join of more partitions than the other table has keeps orders without a user', async () => {
    const orders = ['o1', 'o2', 'o3', 'o4'];
    const found = await drive(
      build('leftJoin'),
      orders.map((order, i): Piped => ['orders', order, ':tea', i]),
      { topics: { orders: 4, users: 1 } },
    );
    expect(found).toHaveLength(orders.length);
    expect(found).toEqual(expect.arrayContaining(orders.map((order, i) => [order, ':tea+null', i])));
  });

  test('a left join keeps orders without a user', async () => {
    expect(
      await drive(build('leftJoin'), [
        ['orders', 'o1', 'u1:tea', 1],
        ['orders', 'o2', ':milk', 2],
        ['users', 'u1', 'Anna', 3],
        ['orders', 'o1', ':tea', 4],
        ['orders', 'o1', null, 5],
      ]),
    ).toEqual([
      ['o1', 'u1:tea+null', 1],
      ['o2', ':milk+null', 2],
      ['o1', 'u1:tea+Anna', 3],
      ['o1', ':tea+null', 4],
      ['o1', null, 5],
    ]);
  });

  test('keys that begin with another key are not mixed up', async () => {
    expect(
      await drive(build('join'), [
        ['orders', 'o1', 'u:tea', 1],
        ['orders', 'o2', 'uu:milk', 2],
        ['users', 'u', 'Anna', 3],
      ]),
    ).toEqual([['o1', 'u:tea+Anna', 3]]);
  });

  test('runs over several partitions', async () => {
    const piped: Piped[] = [];
    for (let i = 0; i < 8; i++) piped.push(['users', `u${i}`, `name${i}`, i]);
    for (let i = 0; i < 20; i++) piped.push(['orders', `o${i}`, `u${i % 8}:x`, 100 + i]);
    const rows = await drive(build('join'), piped, { topics: { users: 3, orders: 2, out: 2 } });
    expect(new Map(rows.map(([key, value]) => [key, value]))).toEqual(
      new Map(Array.from({ length: 20 }, (_, i) => [`o${i}`, `u${i % 8}:x+name${i % 8}`])),
    );
  });
});

test('an aggregate of a stream is a table of its states', async () => {
  const build = (builder: StreamsBuilder): void =>
    builder
      .stream<string, string>('in')
      .groupByKey()
      .count()
      .toStream()
      .mapValues(String)
      .to('out', { valueSerde: Serdes.string });
  expect(
    await drive(build, [
      ['in', 'a', 'x', 5],
      ['in', 'a', null, 6],
      ['in', 'a', 'y', 3],
      ['in', null, 'z', 9],
    ]),
  ).toEqual([
    ['a', '1', 5],
    ['a', '2', 5],
  ]);
});
