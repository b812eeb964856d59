import { describe, expect, test } from 'vitest';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { JoinWindows } from '../../../../src/streams/dsl/windows.ts';
import { drive, type Piped, type Result } from '../../../harness/drive.ts';

const pair = (left: string | null, right: string | null): string => `${left}+${right}`;

function joined(kind: 'join' | 'leftJoin' | 'outerJoin', windows: JoinWindows) {
  return (builder: StreamsBuilder): void => {
    const left = builder.stream<string | null, string>('left');
    const right = builder.stream<string | null, string>('right');
    if (kind === 'outerJoin') left.outerJoin(right, pair, windows).to('out');
    else if (kind === 'leftJoin') left.leftJoin(right, pair, windows).to('out');
    else left.join(right, pair, windows).to('out');
  };
}

const run = (
  kind: 'join' | 'leftJoin' | 'outerJoin',
  windows: JoinWindows,
  piped: readonly Piped[],
): Promise<Result[]> => drive(joined(kind, windows), piped);

describe('streams joined within a window', () => {
  const asymmetric = JoinWindows.ofTimeDifferenceWithNoGrace(0).before(5).after(10);

  test('both ends of the window are in it, on both sides', async () => {
    const piped: Piped[] = [['left', 'k', 'l', 100]];
    for (const time of [94, 95, 110, 111]) piped.push(['right', 'k', `r${time}`, time]);
    // Grace 100 keeps the left record while later ones come.
    const windows = JoinWindows.ofTimeDifferenceAndGrace(0, 100).before(5).after(10);
    expect(await run('join', windows, piped)).toEqual([
      ['k', 'l+r95', 100],
      ['k', 'l+r110', 110],
    ]);
  });

  test('the window of a right record is mirrored', async () => {
    const windows = JoinWindows.ofTimeDifferenceAndGrace(0, 100).before(5).after(10);
    const piped: Piped[] = [['right', 'k', 'r', 100]];
    for (const time of [89, 90, 105, 106]) piped.push(['left', 'k', `l${time}`, time]);
    expect(await run('join', windows, piped)).toEqual([
      ['k', 'l90+r', 100],
      ['k', 'l105+r', 105],
    ]);
  });

  test('what is as old as the window and its grace allow is not seen any more, so that nothing meets within no time', async () => {
    const meet = (windows: JoinWindows): Promise<Result[]> =>
      run('join', windows, [
        ['left', 'k', 'l', 100],
        ['right', 'k', 'r', 100],
      ]);
    expect(await meet(JoinWindows.ofTimeDifferenceWithNoGrace(0))).toEqual([]);
    expect(await meet(JoinWindows.ofTimeDifferenceAndGrace(0, 1))).toEqual([['k', 'l+r', 100]]);
  });

  test('equal records are kept apart, and joined in the order they came', async () => {
    expect(
      await run('join', JoinWindows.ofTimeDifferenceAndGrace(10, 10), [
        ['left', 'k', 'a', 1],
        ['left', 'k', 'b', 1],
        ['left', 'k', 'a', 1],
        ['right', 'k', 'r', 2],
      ]),
    ).toEqual([
      ['k', 'a+r', 2],
      ['k', 'b+r', 2],
      ['k', 'a+r', 2],
    ]);
  });

  test('a left record without a partner goes out when its window has closed, with its own time', async () => {
    const piped: Piped[] = [
      ['left', 'a', 'l', 0],
      ['left', 'b', 'l', 10],
    ];
    // The window of the first closes after 10: at 10 it is open.
    expect(await run('leftJoin', asymmetric, piped)).toEqual([]);
    expect(await run('leftJoin', asymmetric, [...piped, ['left', 'c', 'l', 11]])).toEqual([
      ['a', 'l+null', 0],
    ]);
  });

  test('a partner that comes in time takes the place of null', async () => {
    expect(
      await run('leftJoin', asymmetric, [
        ['left', 'a', 'l', 0],
        ['right', 'a', 'r', 10],
        ['left', 'z', 'l', 100],
      ]),
    ).toEqual([['a', 'l+r', 10]]);
  });

  test('records without a partner go out in order of time, the right side first at equal times', async () => {
    expect(
      await run('outerJoin', JoinWindows.ofTimeDifferenceWithNoGrace(5), [
        ['left', 'b', 'l', 3],
        ['right', 'c', 'r', 3],
        ['left', 'a', 'l', 1],
        ['left', 'z', 'l', 100],
      ]),
    ).toEqual([
      ['a', 'l+null', 1],
      ['c', 'null+r', 3],
      ['b', 'l+null', 3],
    ]);
  });

  test('a record that comes after its window closed goes out at once', async () => {
    expect(
      await run('leftJoin', JoinWindows.ofTimeDifferenceWithNoGrace(5), [
        ['right', 'x', 'r', 100],
        ['left', 'k', 'late', 50],
      ]),
    ).toEqual([['k', 'late+null', 50]]);
  });

  test('a null key joins nothing: dropped by inner joins, forwarded by the outer side', async () => {
    const piped: Piped[] = [
      ['left', null, 'l', 1],
      ['right', null, 'r', 2],
    ];
    const windows = JoinWindows.ofTimeDifferenceWithNoGrace(5);
    expect(await run('join', windows, piped)).toEqual([]);
    expect(await run('leftJoin', windows, piped)).toEqual([[null, 'l+null', 1]]);
    expect(await run('outerJoin', windows, piped)).toEqual([
      [null, 'l+null', 1],
      [null, 'null+r', 2],
    ]);
  });

  test('a stream joined with itself gives the same over one store', async () => {
    const piped: Piped[] = [
      ['in', 'k', 'a', 10],
      ['in', 'k', 'b', 12],
      ['in', 'k', 'c', 11],
      ['in', 'j', 'd', 30],
    ];
    const windows = JoinWindows.ofTimeDifferenceAndGrace(3, 20).before(1);
    const build = (builder: StreamsBuilder): void => {
      const stream = builder.stream<string, string>('in');
      stream.join(stream, pair, windows).to('out');
    };
    const plain = await drive(build, piped);
    const optimized = await drive((builder) => {
      build(builder);
      const original = builder.build.bind(builder);
      builder.build = () => original({ selfJoins: true });
    }, piped);
    expect(optimized).toEqual(plain);
    expect(plain.map(([, value]) => value)).toContain('a+a');
  });
});

describe('a stream joined with tables', () => {
  test('sees the row as it is when the record comes; changes of the table emit nothing', async () => {
    expect(
      await drive(
        (builder) =>
          builder
            .stream<string, string>('orders')
            .leftJoin(builder.table<string, string>('customers'), pair)
            .to('out'),
        [
          ['orders', 'a', 'o1', 1],
          ['customers', 'a', 'c1', 2],
          ['orders', 'a', 'o2', 3],
          ['customers', 'a', null, 4],
          ['orders', 'a', 'o3', 5],
          ['orders', 'a', null, 6],
        ],
      ),
    ).toEqual([
      ['a', 'o1+null', 1],
      ['a', 'o2+c1', 3],
      ['a', 'o3+null', 5],
    ]);
  });

  test('reads through filters and new values above the store', async () => {
    expect(
      await drive(
        (builder) => {
          const table = builder
            .table<string, string>('customers')
            .filter((_key, value) => value !== 'hidden')
            .mapValues((value) => value.toUpperCase());
          builder.stream<string, string>('orders').join(table, pair).to('out');
        },
        [
          ['customers', 'a', 'anna', 1],
          ['customers', 'b', 'hidden', 1],
          ['orders', 'a', 'o', 2],
          ['orders', 'b', 'o', 2],
        ],
      ),
    ).toEqual([['a', 'o+ANNA', 2]]);
  });

  test('a global table of two partitions is joined by a key made of the record', async () => {
    const piped: Piped[] = ['u1', 'u2', 'u3', 'u4'].map((key, i) => ['users', key, `name${i + 1}`, i]);
    for (const user of ['u1', 'u2', 'u3', 'u4', 'u9']) piped.push(['orders', 'o', user, 10]);
    const build = (builder: StreamsBuilder): void => {
      const users = builder.globalTable<string, string>('users');
      builder
        .stream<string, string>('orders')
        .leftJoin(users, (_key, user) => user, pair)
        .to('out');
    };
    expect(await drive(build, piped, { topics: { users: 2 } })).toEqual([
      ['o', 'u1+name1', 10],
      ['o', 'u2+name2', 10],
      ['o', 'u3+name3', 10],
      ['o', 'u4+name4', 10],
      ['o', 'u9+null', 10],
    ]);
  });
});

test('the topics of a stream that is joined with itself are partitioned alike', () => {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  const both = builder.stream<string, string>(['a', 'b']);
  both.join(both, pair, JoinWindows.ofTimeDifferenceWithNoGrace(10)).to('out');
  expect(builder.build().copartitions).toEqual([['a', 'b']]);
});
