import { test } from 'vitest';
import { expectCase } from '../../../harness/expect-case.ts';

const statements = (within: string): string[] => [
  "CREATE STREAM L (K INT KEY, V INT) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON');",
  "CREATE STREAM R (K INT KEY, V INT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON');",
  `CREATE STREAM J AS SELECT L.K, L.V AS A, R.V AS B FROM L JOIN R WITHIN ${within} GRACE PERIOD 0 SECONDS ON L.K = R.K;`,
];

test.each([
  ['0 SECONDS', 7],
  ['(0 SECONDS, 5 MILLISECONDS)', 12],
  ['5 MILLISECONDS', 12],
])('two streams WITHIN %s meet at its end', (within, timestamp) =>
  expectCase({
    statements: statements(within),
    inputs: [
      ['l', 1, { V: 1 }, { timestamp: 7 }],
      ['r', 1, { V: 2 }, { timestamp }],
      ['r', 1, { V: 3 }, { timestamp: timestamp + 1 }],
    ],
    outputs: [['J', 1, { A: 1, B: 2 }, { timestamp }]],
  }),
);
