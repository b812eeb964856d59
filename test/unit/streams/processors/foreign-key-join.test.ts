import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../../../src/common/bytes.ts';
import type { KeyValueStore } from '../../../../src/state/store.ts';
import {
  answerSerde,
  answerSubscribers,
  answerSubscription,
  type Answer,
  Instruction,
  receiveSubscriptions,
  resolveAnswers,
  sendSubscriptions,
  type Subscription,
  subscriptionSerde,
} from '../../../../src/streams/processors/foreign-key-join.ts';
import { storeView } from '../../../../src/streams/processors/table-view.ts';
import { type Serde, stringSerde } from '../../../../src/streams/topology/serde.ts';
import { openProcessor } from '../../../harness/open-processor.ts';
import { textValues } from '../../../harness/text-values.ts';

const store = (name: string) =>
  ({ kind: 'key-value', name, values: textValues, changelog: false, persistent: false }) as const;
const subscriptions = {
  ...store('subscriptions'),
  values: {
    encode: (value: unknown, writer: ByteWriter) =>
      subscriptionSerde.serialize(value as Subscription, writer),
    decode: (buffer: Uint8Array, start: number, end: number) =>
      subscriptionSerde.deserialize(buffer, start, end),
  },
};
const put = (into: unknown, key: string, value: string | null, timestamp = 0): void =>
  void (into as KeyValueStore).put(Buffer.from(key), 0, key.length, value, timestamp);
const { unsubscribe, unsubscribeAndReply, subscribe, subscribeIfPresent } = Instruction;
/** The foreign key is what stands before the colon; '-' is none. */
const foreignKeyOf = (value: unknown): string | null => {
  const key = String(value).split(':')[0]!;
  return key === '-' ? null : key;
};

describe('a change of the left table becomes subscriptions', () => {
  test.each<[string, 'inner' | 'left', string | null, string | null, [string | null, Instruction][]]>([
    ['a new row', 'inner', null, 'a:1', [['a', subscribeIfPresent]]],
    ['a new row', 'left', null, 'a:1', [['a', subscribe]]],
    ['a row of the same key', 'inner', 'a:1', 'a:2', [['a', subscribeIfPresent]]],
    ['a row of the same key', 'left', 'a:1', 'a:2', [['a', subscribe]]],
    [
      'a row of another key',
      'inner',
      'a:1',
      'b:2',
      [
        ['a', unsubscribe],
        ['b', subscribe],
      ],
    ],
    // No reply for the key that was left (KAFKA-18713): two replies would race.
    [
      'a row of another key',
      'left',
      'a:1',
      'b:2',
      [
        ['a', unsubscribe],
        ['b', subscribe],
      ],
    ],
    ['a row that goes', 'inner', 'a:1', null, [['a', unsubscribeAndReply]]],
    [
      'a row that goes',
      'left',
      'a:1',
      null,
      [
        ['a', unsubscribe],
        [null, subscribe],
      ],
    ],
    // Into and out of having a key (KAFKA-16407).
    ['a row that loses its key', 'inner', 'a:1', '-:2', [['a', unsubscribeAndReply]]],
    [
      'a row that loses its key',
      'left',
      'a:1',
      '-:2',
      [
        ['a', unsubscribe],
        [null, subscribe],
      ],
    ],
    ['a row that gets a key', 'inner', '-:1', 'a:2', [['a', subscribeIfPresent]]],
    ['a row that gets a key', 'left', '-:1', 'a:2', [['a', subscribe]]],
    ['a row without a key', 'inner', null, '-:1', []],
    ['a row without a key', 'left', null, '-:1', [[null, subscribe]]],
    ['a row that stays without', 'inner', '-:1', '-:2', []],
    // No tombstone for a result that never was (KAFKA-16394).
    ['nothing that goes', 'inner', null, null, []],
    ['nothing that goes', 'left', null, null, []],
  ])('%s, %s', async (_, join, old, value, expected) => {
    const open = sendSubscriptions({
      foreignKeyOf,
      foreignKeySerde: stringSerde as Serde,
      values: textValues,
      join,
    });
    const opened = await openProcessor(open, { taskId: '0_3' });
    opened.process('p', value, old, 7);
    const sent = opened.taken();
    expect(sent.map((each) => [each.key, (each.value as Subscription).instruction])).toEqual(expected);
    for (const each of sent) {
      expect(each.timestamp).toBe(7);
      expect(each.value).toMatchObject({ primaryKey: Buffer.from('p'), partition: 3 });
      expect((each.value as Subscription).hash === null).toBe(value === null);
    }
    expect(opened.skipped).toHaveLength(
      join === 'inner' && expected.length === 0 && (old ?? value) !== null ? 1 : 0,
    );
  });
});

const subscription = (instruction: Instruction, primaryKey = 'p'): Subscription => ({
  hash: Buffer.alloc(16, 1),
  instruction,
  primaryKey: Buffer.from(primaryKey),
  partition: 2,
});

test('the other side remembers who subscribed, and tells all of them of a change, and nobody else', async () => {
  const receive = await openProcessor(receiveSubscriptions({ store: 'subscriptions' }), {
    stores: [subscriptions],
  });
  for (const [foreign, primary] of [
    ['a', 'p2'],
    ['a', 'p1'],
    ['ab', 'p3'],
    ['', 'p4'],
  ] as const)
    receive.process(foreign, subscription(subscribe, primary), undefined, 1);
  receive.process('a', subscription(unsubscribe, 'p2'), undefined, 2);
  receive.process('ab', subscription(unsubscribeAndReply, 'p3'), undefined, 2);
  expect(receive.taken()).toHaveLength(6);

  const change = await openProcessor(
    () => {
      const inner = answerSubscribers({ store: 'subscriptions', primaryKeySerde: stringSerde as Serde })();
      return {
        // Over the same store.
        init: (context) => inner.init!({ ...context, store: (name) => receive.stores.get(name)! }),
        process: (...all) => inner.process(...all),
      };
    },
    { stores: [subscriptions] },
  );
  change.process('a', 'new', undefined, 5);
  expect(change.taken()).toMatchObject([{ key: 'p1', value: { value: 'new', partition: 2 }, timestamp: 5 }]);
  change.process('ab', 'new', undefined, 6);
  expect(change.taken()).toEqual([]);
  change.process('', null, undefined, 7);
  expect(change.taken()).toMatchObject([{ key: 'p4', value: { value: null }, timestamp: 7 }]);
});

test.each<[string, Instruction, string | null, string | null | undefined]>([
  ['subscribe', subscribe, 'R', 'R'],
  ['subscribe', subscribe, null, null],
  ['subscribe if present', subscribeIfPresent, 'R', 'R'],
  ['subscribe if present', subscribeIfPresent, null, undefined],
  ['unsubscribe', unsubscribe, 'R', undefined],
  ['unsubscribe and reply', unsubscribeAndReply, 'R', null],
])('the reply to %s (%i) where the row is %s', async (_, instruction, right, expected) => {
  const opened = await openProcessor(
    answerSubscription({ right: storeView('right'), primaryKeySerde: stringSerde as Serde }),
    { stores: [store('right')] },
  );
  if (right !== null) put(opened.stores.get('right'), 'a', right, 9);
  opened.process('a', subscription(instruction), undefined, 5);
  const answers = opened.taken();
  if (expected === undefined) expect(answers).toEqual([]);
  else
    expect(answers).toMatchObject([
      { key: 'p', value: { value: expected, partition: 2 }, timestamp: right === null ? 5 : 9 },
    ]);
});

describe('a reply is joined with the left row that asked for it', () => {
  const answered = async (
    join: 'inner' | 'left',
    left: string | null,
    asked: string | null,
    right: string | null,
  ) => {
    // The hash of a row is what the subscription says of it.
    const send = await openProcessor(
      sendSubscriptions({
        foreignKeyOf,
        foreignKeySerde: stringSerde as Serde,
        values: textValues,
        join: 'left',
      }),
    );
    let hash: Buffer | null = null;
    if (asked !== null) {
      send.process('p', asked, null, 0);
      ({ hash } = send.taken()[0]!.value as Subscription);
    }
    const opened = await openProcessor(
      resolveAnswers({
        left: storeView('left'),
        values: textValues,
        join,
        joiner: (a, b) => `${a as string}+${b as string}`,
      }),
      { stores: [store('left')] },
    );
    put(opened.stores.get('left'), 'p', left);
    const answer: Answer = { hash, value: right, partition: 0 };
    opened.process('p', answer, undefined, 4);
    return opened.taken().map(({ value }) => value);
  };

  test('as it is now', async () => {
    expect(await answered('inner', 'a:1', 'a:1', 'R')).toEqual(['a:1+R']);
    expect(await answered('inner', 'a:1', 'a:1', null)).toEqual([null]);
    expect(await answered('left', 'a:1', 'a:1', null)).toEqual(['a:1+null']);
    expect(await answered('inner', null, null, null)).toEqual([null]);
    expect(await answered('left', null, null, null)).toEqual([null]);
  });

  test('and dropped when it has changed since', async () => {
    for (const join of ['inner', 'left'] as const) {
      expect(await answered(join, 'a:2', 'a:1', 'R')).toEqual([]);
      expect(await answered(join, null, 'a:1', 'R')).toEqual([]);
      expect(await answered(join, 'a:2', null, 'R')).toEqual([]);
    }
  });
});

test('subscriptions and answers are read as they were written', () => {
  const roundTrip = <T>(serde: Serde<T>, value: T): T => {
    const writer = new ByteWriter(16);
    writer.writeText('before');
    const start = writer.length;
    serde.serialize(value, writer);
    return serde.deserialize(writer.buffer, start, writer.length);
  };
  for (const instruction of Object.values(Instruction))
    for (const hash of [null, Buffer.alloc(16, 7)])
      for (const primaryKey of ['', 'p', 'a longer primary key']) {
        const given: Subscription = { ...subscription(instruction, primaryKey), hash };
        expect(roundTrip(subscriptionSerde, given)).toEqual(given);
      }
  const answers = answerSerde(stringSerde as Serde);
  for (const value of [null, '', 'text'])
    for (const hash of [null, Buffer.alloc(16, 7)])
      expect(roundTrip(answers, { hash, value, partition: 3 })).toMatchObject({ hash, value });
});
