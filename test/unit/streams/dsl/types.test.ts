import { expectTypeOf, test } from 'vitest';
import type { KStream } from '../../../../src/streams/dsl/kstream.ts';
import type { KTable } from '../../../../src/streams/dsl/ktable.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { JoinWindows, SessionWindows } from '../../../../src/streams/dsl/windows.ts';
import type { Windowed } from '../../../../src/streams/topology/windowed.ts';

interface Order {
  readonly user: string;
  readonly amount: number;
}

test('types of keys and values are known along a chain', () => {
  const builder = new StreamsBuilder();
  const orders = builder.stream('orders', { keySerde: Serdes.string, valueSerde: Serdes.json<Order>() });
  expectTypeOf(orders).toEqualTypeOf<KStream<string, Order>>();
  const users = builder.table('users', { keySerde: Serdes.string, valueSerde: Serdes.string });
  expectTypeOf(users).toEqualTypeOf<KTable<string, string>>();
  const amounts = orders.selectKey((_key, { user }) => user.length).mapValues(({ amount }) => amount);
  expectTypeOf(amounts).toEqualTypeOf<KStream<number, number>>();
  expectTypeOf(orders.map((key, { amount }) => [amount, key] as const)).toEqualTypeOf<
    KStream<number, string>
  >();
  expectTypeOf(orders.leftJoin(users, (order, user) => ({ ...order, name: user }))).toEqualTypeOf<
    KStream<string, { name: string | null; user: string; amount: number }>
  >();
  expectTypeOf(
    orders.outerJoin(
      amounts.selectKey(String),
      (order, amount) => [order, amount] as const,
      JoinWindows.ofTimeDifferenceWithNoGrace(1),
    ),
  ).toEqualTypeOf<KStream<string, readonly [Order | null, number | null]>>();
  const sessions = orders.groupByKey().windowedBy(SessionWindows.ofInactivityGapWithNoGrace(5)).count();
  expectTypeOf(sessions).toEqualTypeOf<KTable<Windowed<string>, number>>();
  expectTypeOf(sessions.toStream(({ key, window }) => `${key}@${window.start}`)).toEqualTypeOf<
    KStream<string, number>
  >();
  const byUser = builder.table('latest', { keySerde: Serdes.string, valueSerde: Serdes.json<Order>() }).join(
    users,
    ({ user }) => user,
    (order, name) => ({ amount: order.amount, name }),
  );
  expectTypeOf(byUser).toEqualTypeOf<KTable<string, { amount: number; name: string }>>();
  const windows = builder.stream('windows', {
    keySerde: Serdes.string,
    valueSerde: Serdes.long,
    windowed: { kind: 'time', sizeMs: 10 },
  });
  expectTypeOf(windows).toEqualTypeOf<KStream<Windowed<string>, number>>();
});
