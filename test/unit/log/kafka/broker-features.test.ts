import { expect, test } from 'vitest';
import { featuresOf } from '../../../../src/log/kafka/broker-features.ts';

/** The newest versions of InitProducerId, OffsetFetch, DescribeTransactions, Produce, TxnOffsetCommit and EndTxn. */
const brokers = (...[init, fetch, describe, produce, commit, end]: (number | undefined)[]) =>
  new Map(
    [
      [22, init],
      [9, fetch],
      [65, describe],
      [0, produce],
      [28, commit],
      [26, end],
    ].flatMap(([key, version]) => (version === undefined ? [] : [[key!, version] as const])),
  );

test.each([
  ['2.3', brokers(1, 5, undefined, 7, 2, 1), 0, [null, 3, false, false]],
  ['2.5', brokers(3, 7, undefined, 8, 3, 2), 0, [1, 3, false, true]],
  ['2.8', brokers(4, 7, undefined, 9, 3, 3), 0, [1, 4, false, true]],
  ['3.9', brokers(5, 9, 0, 11, 4, 4), 0, [1, 4, true, true]],
  ['4.1 before its features are finalized', brokers(5, 9, 0, 13, 5, 5), 1, [1, 4, true, true]],
  ['4.1', brokers(5, 9, 0, 13, 5, 5), 2, [2, 4, true, true]],
  ['4.1 behind a proxy that knows no newer requests', brokers(5, 9, 0, 11, 4, 4), 2, [1, 4, true, true]],
] as const)('what Kafka %s can do', (_name, newest, transactionVersion, expected) => {
  const found = featuresOf({ code: 0, newest, transactionVersion });
  expect([
    found.transactions,
    found.initProducerId,
    found.describesTransactions,
    found.stableOffsets,
  ]).toEqual(expected);
});
