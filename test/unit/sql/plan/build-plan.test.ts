import { expect, test } from 'vitest';
import { explainPlan } from '../../../../src/sql/plan/explain.ts';
import { analyze } from '../analyzer/analyze.ts';

const SOURCES = `
  CREATE STREAM ORDERS (ID INT KEY, ITEM STRING, AMOUNT BIGINT) WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON');
  CREATE STREAM VISITS (WHO INT KEY, PAGE STRING) WITH (KAFKA_TOPIC='visits', VALUE_FORMAT='JSON');
  CREATE TABLE USERS (UID INT PRIMARY KEY, NAME STRING) WITH (KAFKA_TOPIC='users', VALUE_FORMAT='JSON');
  CREATE TABLE CITIES (NAME STRING PRIMARY KEY, SIZE INT) WITH (KAFKA_TOPIC='cities', VALUE_FORMAT='JSON');
`;

/** The plan without what sources read, which is always everything. */
function plan(sql: string): string {
  return explainPlan(analyze(SOURCES + sql).plan!).replaceAll(/ reads \[.*?\]/g, '');
}

test('a filter stands where WHERE does, and SELECT over it', () => {
  expect(plan("SELECT ITEM, AMOUNT * 2 AS TWICE FROM ORDERS WHERE ITEM LIKE 'a%' EMIT CHANGES LIMIT 5;"))
    .toMatchInlineSnapshot(`
      "output [ITEM, TWICE] limit 5
        project [ITEM, AMOUNT * 2 AS TWICE, ID]
          filter where ITEM LIKE 'a%'
            source ORDERS stream topic orders skips 4
      "
    `);
});

test('an aggregation: grouped by an expression, windowed, HAVING over its result', () => {
  expect(
    plan(`CREATE TABLE T WITH (KEY_FORMAT='JSON') AS
      SELECT UCASE(ITEM) AS K, COUNT(*) AS N, COUNT(*) + SUM(AMOUNT) AS M, WINDOWSTART AS S, WINDOWEND AS E
      FROM ORDERS WINDOW HOPPING (SIZE 1 HOUR, ADVANCE BY 10 MINUTES, GRACE PERIOD 5 MINUTES)
      GROUP BY UCASE(ITEM) HAVING COUNT(*) > 1 EMIT FINAL;`),
  ).toMatchInlineSnapshot(`
    "sink T topic T key [K] JSON unwrapped value [N, M, S, E] JSON
      project [K, KSQL_AGG_VARIABLE_0 AS N, KSQL_AGG_VARIABLE_0 + KSQL_AGG_VARIABLE_1 AS M, WINDOWSTART AS S, WINDOWEND AS E]
        filter having KSQL_AGG_VARIABLE_0 > 1
          aggregate Aggregate-Aggregate-Materialize by [K] [COUNT(1), SUM(AMOUNT)] window hopping 3600000 ms every 600000 ms grace 300000 ms emit final
            repartition Aggregate-GroupBy key [K] KAFKA unwrapped null keys drop
              project [ID, ITEM, AMOUNT, ROWTIME, ROWPARTITION, ROWOFFSET, UCASE(ITEM) AS K]
                source ORDERS stream topic orders skips 4
    "
  `);
});

test('a key of two columns makes KAFKA keys JSON on the way', () => {
  expect(
    plan(
      "CREATE TABLE T WITH (KEY_FORMAT='JSON') AS SELECT ITEM, ID, MAX(AMOUNT) FROM ORDERS GROUP BY ITEM, ID;",
    ),
  ).toMatchInlineSnapshot(`
    "sink T topic T key [ITEM, ID] JSON value [KSQL_COL_0] JSON
      project [ITEM, ID, KSQL_AGG_VARIABLE_0 AS KSQL_COL_0]
        aggregate Aggregate-Aggregate-Materialize by [ITEM, ID] [MAX(AMOUNT)] emit changes
          repartition Aggregate-GroupBy key [ITEM, ID] JSON null keys drop
            source ORDERS stream topic orders skips 3
    "
  `);
});

test('a table grouped anew', () => {
  expect(plan('CREATE TABLE T AS SELECT NAME, COUNT(*) AS N FROM USERS GROUP BY NAME;'))
    .toMatchInlineSnapshot(`
      "sink T topic T key [NAME] KAFKA unwrapped value [N] JSON
        project [NAME, KSQL_AGG_VARIABLE_0 AS N]
          aggregate Aggregate-Aggregate-Materialize by [NAME] [COUNT(1)] emit changes
            repartition Aggregate-GroupBy key [NAME] KAFKA unwrapped null keys drop
              source USERS table topic users skips 4 materialized
      "
    `);
});

test('PARTITION BY an expression, a column, nothing', () => {
  expect(plan('CREATE STREAM S AS SELECT * FROM ORDERS PARTITION BY UCASE(ITEM);')).toMatchInlineSnapshot(`
    "sink S topic S key [KSQL_COL_0] KAFKA unwrapped value [ITEM, AMOUNT, ID] JSON
      project [KSQL_COL_0, ITEM, AMOUNT, ID]
        repartition PartitionBy key [KSQL_COL_0] KAFKA unwrapped null keys keep
          project [ID, ITEM, AMOUNT, ROWTIME, ROWPARTITION, ROWOFFSET, UCASE(ITEM) AS KSQL_COL_0]
            source ORDERS stream topic orders skips 3
    "
  `);
  expect(plan('CREATE STREAM S AS SELECT ITEM, AMOUNT FROM ORDERS PARTITION BY ITEM;'))
    .toMatchInlineSnapshot(`
      "sink S topic S key [ITEM] KAFKA unwrapped value [AMOUNT] JSON
        project [ITEM, AMOUNT]
          repartition PartitionBy key [ITEM] KAFKA unwrapped null keys keep
            source ORDERS stream topic orders skips 4
      "
    `);
  expect(plan('CREATE STREAM S AS SELECT ID, ITEM FROM ORDERS PARTITION BY NULL;')).toMatchInlineSnapshot(`
    "sink S topic S key [] NONE unwrapped value [ID, ITEM] JSON
      project [ID, ITEM]
        repartition PartitionBy key [] NONE unwrapped null keys keep
          source ORDERS stream topic orders skips 4
    "
  `);
});

test('stream with table: the stream is brought to the key of the table', () => {
  expect(
    plan(
      'CREATE STREAM S AS SELECT V.WHO, U.NAME, V.PAGE FROM VISITS V LEFT JOIN USERS U ON V.WHO = U.UID WHERE V.PAGE <> U.NAME;',
    ),
  ).toMatchInlineSnapshot(`
    "sink S topic S key [WHO] KAFKA unwrapped value [NAME, PAGE] JSON
      project [V_WHO AS WHO, U_NAME AS NAME, V_PAGE AS PAGE]
        filter where V_PAGE <> U_NAME
          join Join left stream-table
            repartition Join key [WHO] KAFKA unwrapped null keys keep
              source VISITS as V stream topic visits skips 3
            source USERS as U table topic users skips 4 materialized
    "
  `);
});

test('a join selected by the right side takes the key from where it always is', () => {
  expect(plan('CREATE STREAM S AS SELECT U.UID, V.PAGE FROM VISITS V LEFT JOIN USERS U ON V.WHO = U.UID;'))
    .toMatchInlineSnapshot(`
      "sink S topic S key [UID] KAFKA unwrapped value [PAGE] JSON
        project [V_WHO AS UID, V_PAGE AS PAGE]
          join Join left stream-table
            repartition Join key [WHO] KAFKA unwrapped null keys keep
              source VISITS as V stream topic visits skips 3
            source USERS as U table topic users skips 5 materialized
      "
    `);
});

test('a full join has a key of its own', () => {
  expect(
    plan(
      'CREATE STREAM S AS SELECT ROWKEY, PAGE, ITEM FROM VISITS V FULL JOIN ORDERS O WITHIN 1 HOUR GRACE PERIOD 1 MINUTE ON V.WHO = O.ID;',
    ),
  ).toMatchInlineSnapshot(`
    "sink S topic S key [ROWKEY] KAFKA unwrapped value [PAGE, ITEM] JSON
      project [ROWKEY, V_PAGE AS PAGE, O_ITEM AS ITEM]
        project [V_WHO, V_PAGE, V_ROWTIME, V_ROWPARTITION, V_ROWOFFSET, O_ID, O_ITEM, O_AMOUNT, O_ROWTIME, O_ROWPARTITION, O_ROWOFFSET, CASE WHEN V_WHO IS NOT NULL THEN V_WHO ELSE O_ID END AS ROWKEY]
          join Join outer stream-stream within 3600000 ms before, 3600000 ms after
            repartition Join-left key [WHO] KAFKA unwrapped null keys keep
              source VISITS as V stream topic visits skips 3
            repartition Join-right key [ID] KAFKA unwrapped null keys keep
              source ORDERS as O stream topic orders skips 4
    "
  `);
});

test('tables on a foreign key', () => {
  expect(plan('CREATE TABLE T AS SELECT U.UID, SIZE FROM USERS U JOIN CITIES C ON UCASE(U.NAME) = C.NAME;'))
    .toMatchInlineSnapshot(`
      "sink T topic T key [UID] KAFKA unwrapped value [SIZE] JSON
        project [U_UID AS UID, C_SIZE AS SIZE]
          join Join inner foreign-key on KSQL_JOIN_KEY
            project [UID, NAME, ROWTIME, ROWPARTITION, ROWOFFSET, UCASE(NAME) AS KSQL_JOIN_KEY]
              source USERS as U table topic users skips 4 materialized
            source CITIES as C table topic cities skips 4 materialized
      "
    `);
});

test('INSERT INTO writes the columns of its target', () => {
  expect(plan('INSERT INTO VISITS SELECT ITEM AS PAGE, ID AS WHO FROM ORDERS;')).toMatchInlineSnapshot(`
    "sink VISITS topic visits key [WHO] KAFKA unwrapped value [PAGE] JSON
      project [ITEM AS PAGE, ID AS WHO]
        source ORDERS stream topic orders skips 5
    "
  `);
});

test('a push query keeps the key in its row, behind what was selected', () => {
  expect(plan('SELECT NAME FROM USERS EMIT CHANGES;')).toMatchInlineSnapshot(`
    "output [NAME]
      project [NAME, UID]
        source USERS table topic users skips 4 materialized
    "
  `);
});
