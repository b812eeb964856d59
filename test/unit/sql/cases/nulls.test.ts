import { test } from 'vitest';
import { expectCase } from '../../../harness/expect-case.ts';

const ROWS =
  "CREATE STREAM ROWS (K INT KEY, B BOOLEAN, S STRING, A ARRAY<INT>) WITH (KAFKA_TOPIC='rows', VALUE_FORMAT='JSON');";

test('null in conditions, CASE, || and LIKE is what SQL says; comparisons and arithmetic are as in ksqlDB', () =>
  expectCase({
    statements: [
      ROWS,
      `CREATE STREAM C AS SELECT K, B OR TRUE AS A1, B OR FALSE AS A2, B AND FALSE AS A3, NOT B AS A4, NULL OR TRUE AS A5,
         CASE WHEN B THEN 'yes' ELSE 'no' END AS C1, S || 'x' AS J1, NULL || S AS J2, CONCAT(S, 'x') AS J3,
         S LIKE 'a%c' AS L1, S LIKE 'a_c' OR TRUE AS L2, S = 'x' AS E1, NOT S = 'x' AS E2, COALESCE(K + LEN(S), 0) AS R,
         TRANSFORM(A, X => X * 2) AS T, FILTER(A, X => X > 1 OR B) AS F
       FROM ROWS;`,
      'CREATE STREAM W AS SELECT K FROM ROWS WHERE B OR K > 1;',
      'CREATE STREAM N AS SELECT K, S FROM ROWS WHERE NOT (B AND K > 1);',
    ].map((sql) => sql.replace('SELECT K FROM', 'SELECT K, S FROM')),
    inputs: [
      ['rows', 1, { B: null, S: null, A: [1, null, 2] }],
      ['rows', 2, { B: null, S: 'a\nc', A: null }],
    ],
    outputs: [
      [
        'C',
        1,
        {
          A1: true,
          A2: null,
          A3: false,
          A4: null,
          A5: true,
          C1: 'no',
          J1: null,
          J2: null,
          J3: 'x',
          L1: null,
          L2: true,
          E1: false,
          E2: true,
          R: null,
          T: null,
          F: [2],
        },
      ],
      [
        'C',
        2,
        {
          A1: true,
          A2: null,
          A3: false,
          A4: null,
          A5: true,
          C1: 'no',
          J1: 'a\ncx',
          J2: null,
          J3: 'a\ncx',
          L1: true,
          L2: true,
          E1: false,
          E2: true,
          R: 5,
          T: null,
          F: null,
        },
      ],
      ['W', 2, { S: 'a\nc' }],
      ['N', 1, { S: null }],
    ],
  }));
