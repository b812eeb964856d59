import { test } from 'vitest';
import { expectCase } from '../../../harness/expect-case.ts';

/** What a join writes, and what it makes for itself. */
const source = (name: string, kind: 'STREAM' | 'TABLE', keyFormat: string, partitions = 4): string =>
  `CREATE ${kind} ${name} (ID INT ${kind === 'TABLE' ? 'PRIMARY ' : ''}KEY, F INT)
   WITH (KAFKA_TOPIC='${name.toLowerCase()}', KEY_FORMAT='${keyFormat}', VALUE_FORMAT='JSON', PARTITIONS=${partitions});`;
const internal = (kind: 'STREAM' | 'TABLE', name: string): { name: string } => ({
  name: `_confluent-ksql-some.ksql.service.idquery_C${kind[0]!}AS_J_0-${name}-repartition`,
});

test.each([
  ['STREAM', 'STREAM', 'Join-right'],
  ['STREAM', 'TABLE', 'RightSourceKeyed-SelectKey'],
  ['TABLE', 'TABLE', 'RightSourceKeyed-SelectKey'],
] as const)('of a %s and a %s with other key formats the right one moves to %s', (left, right, topic) =>
  expectCase({
    statements: [
      source('A', left, 'JSON'),
      source('B', right, 'KAFKA'),
      `CREATE ${left} J AS SELECT A.ID, A.F AS X, B.F AS Y
         FROM A JOIN B ${right === 'STREAM' ? 'WITHIN 1 SECOND' : ''} ON A.ID = B.ID;`,
    ],
    inputs: [
      ['b', 1, { F: 7 }],
      ['a', 1, { F: 5 }],
    ],
    outputs: [['J', 1, { X: 5, Y: 7 }]],
    topics: [internal(left, topic)],
  }),
);

test('a stream that has to move anyway moves to where the table is', () =>
  expectCase({
    statements: [
      source('A', 'STREAM', 'JSON'),
      source('B', 'TABLE', 'KAFKA'),
      'CREATE STREAM J AS SELECT B.ID, B.F AS Y FROM A JOIN B ON A.F = B.ID;',
    ],
    inputs: [
      ['b', 5, { F: 7 }],
      ['a', 1, { F: 5 }],
    ],
    outputs: [['J', 5, { Y: 7 }]],
    topics: [internal('STREAM', 'Join')],
  }));

test.each([
  [3, 2],
  [2, 3],
  [4, 1],
])(
  'a join on a foreign key has the %i partitions of its left table, not the %i of the right',
  (left, right) =>
    expectCase({
      statements: [
        source('A', 'TABLE', 'KAFKA', left),
        source('B', 'TABLE', 'KAFKA', right),
        'CREATE TABLE J AS SELECT A.ID, A.F AS X, B.F AS Y FROM A JOIN B ON A.F = B.ID;',
        'CREATE TABLE K AS SELECT * FROM J;',
      ],
      inputs: [
        ['b', 5, { F: 7 }],
        ['a', 1, { F: 5 }],
      ],
      outputs: [['J', 1, { X: 5, Y: 7 }]],
      topics: [
        { name: 'J', partitions: left },
        { name: 'K', partitions: left },
      ],
    }),
);
