import { expect, test } from 'vitest';
import { Decimal } from '../../../../src/types/decimal.ts';
import { analyze } from './analyze.ts';

test('a declared stream: formats, wrapping, window, time, headers', () => {
  const { source } = analyze(`CREATE TYPE POINT AS STRUCT<X INT, Y INT>;
    CREATE STREAM T (K STRING KEY, AT_MS BIGINT, P POINT, H BYTES HEADER('h'))
    WITH (KAFKA_TOPIC='t', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON', TIMESTAMP='at_ms', WINDOW_TYPE='TUMBLING', WINDOW_SIZE='10 SECONDS', PARTITIONS=3);`);
  expect(source).toMatchObject({
    type: 'stream',
    topic: 't',
    partitions: 3,
    keyFormat: { name: 'KAFKA', wrapped: false },
    valueFormat: { name: 'JSON', wrapped: true },
    window: { kind: 'tumbling', sizeMs: 10_000 },
    timestamp: { column: 'AT_MS', format: null },
  });
  expect(source!.schema.headers).toEqual([{ name: 'H', type: { kind: 'bytes' }, headerKey: 'h' }]);
});

test('one value column may stand alone', () => {
  const wrapped = (more: string, properties?: Map<string, string>): boolean =>
    analyze(`CREATE STREAM T (V INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON'${more});`, properties).source!
      .valueFormat.wrapped;
  expect(wrapped('')).toBe(true);
  expect(wrapped(', WRAP_SINGLE_VALUE=false')).toBe(false);
  expect(wrapped('', new Map([['ksql.persistence.wrap.single.values', 'false']]))).toBe(false);
});

test('CREATE … AS inherits formats and partitions, and says which query may be pulled', () => {
  const { source } =
    analyze(`CREATE STREAM A (K INT KEY, V INT) WITH (KAFKA_TOPIC='a', KEY_FORMAT='JSON', VALUE_FORMAT='DELIMITED', PARTITIONS=7);
    CREATE TABLE B WITH (VALUE_FORMAT='JSON') AS SELECT K, SUM(V) AS S FROM A WINDOW SESSION (5 SECONDS) GROUP BY K;`);
  expect(source).toMatchObject({
    topic: 'B',
    partitions: 7,
    keyFormat: { name: 'JSON' },
    valueFormat: { name: 'JSON' },
    window: { kind: 'session', sizeMs: null },
    createdBy: 'Q_B',
  });
});

test('a source may be replaced by one with more columns and by no other', () => {
  const create = "CREATE STREAM A (K INT KEY, V INT) WITH (KAFKA_TOPIC='a', VALUE_FORMAT='JSON');";
  const replace = (columns: string, topic = 'a'): void =>
    void analyze(
      `${create} CREATE OR REPLACE STREAM A (${columns}) WITH (KAFKA_TOPIC='${topic}', VALUE_FORMAT='JSON');`,
    );
  expect(() => replace('K INT KEY, V INT, W INT')).not.toThrow();
  expect(() => replace('K INT KEY, W INT')).toThrow('columns would change');
  expect(() => replace('K INT KEY, V BIGINT')).toThrow('columns would change');
  expect(() => replace('V INT')).toThrow('key would change');
  expect(() => replace('K INT KEY, V INT', 'b')).toThrow('topic would change');
});

test('INSERT VALUES: columns by name, values in their types, the rest null', () => {
  const create = `CREATE STREAM A (K INT KEY, N DECIMAL(6, 2), D DATE, B BYTES, L ARRAY<BIGINT>, T TIMESTAMP)
    WITH (KAFKA_TOPIC='a', VALUE_FORMAT='JSON');`;
  const { insert } = analyze(
    `${create} INSERT INTO A (ROWTIME, N, D, B, K, L) VALUES (1234, 5, '1970-01-03', 'AQI=', 1 + 1, ARRAY[1, 2]);`,
  );
  expect(insert).toMatchObject({ key: [2], timestampMs: 1234 });
  expect(insert!.value).toEqual([new Decimal(500n, 2), 2, Buffer.from([1, 2]), [1, 2], null]);
  expect(
    analyze(`${create} INSERT INTO A VALUES (1, '2.5', NULL, NULL, NULL, '2020-01-01');`).insert,
  ).toMatchObject({
    timestampMs: null,
    value: [new Decimal(250n, 2), null, null, null, Date.UTC(2020, 0, 1)],
  });
});

test('CREATE … AS takes over the delimiter where the format is the same', () => {
  const create =
    "CREATE STREAM A (K INT KEY, V INT, W INT) WITH (KAFKA_TOPIC='a', FORMAT='DELIMITED', VALUE_DELIMITER='|', KEY_DELIMITER='TAB');";
  const sink = (properties: string) =>
    analyze(`${create} CREATE STREAM B ${properties} AS SELECT * FROM A;`).source!;
  expect(sink('').valueFormat.properties).toEqual([['DELIMITER', '|']]);
  expect(sink('').keyFormat.properties).toEqual([['DELIMITER', 'TAB']]);
  expect(sink("WITH (VALUE_DELIMITER='$')").valueFormat.properties).toEqual([['DELIMITER', '$']]);
  expect(sink("WITH (FORMAT='JSON')")).toMatchObject({
    keyFormat: { properties: [] },
    valueFormat: { properties: [] },
  });
});

test('a property of another format is refused, also by its older name', () => {
  for (const property of ['VALUE_AVRO_SCHEMA_FULL_NAME', 'VALUE_SCHEMA_FULL_NAME'])
    expect(() =>
      analyze(`CREATE STREAM A (V INT) WITH (KAFKA_TOPIC='a', VALUE_FORMAT='JSON', ${property}='com.x');`),
    ).toThrow(`format JSON does not know ${property}`);
});

test('generated names and names of fields keep away from the columns of the sources', () => {
  const names = (columns: string, select: string): string[] =>
    analyze(`CREATE STREAM A (K INT KEY, ${columns}) WITH (KAFKA_TOPIC='a', VALUE_FORMAT='JSON');
      CREATE STREAM B AS SELECT K, ${select} FROM A;`).source!.schema.value.map((column) => column.name);
  expect(names('KSQL_COL_1 INT', 'ABS(K), ABS(K)')).toEqual(['KSQL_COL_0', 'KSQL_COL_2']);
  expect(names('ID STRUCT<ID INT, X INT>', 'ID->ID, ID->X')).toEqual(['ID_1', 'X']);
  expect(names('S STRUCT<X INT>, X_1 INT, X INT', 'S->X, X')).toEqual(['X_2', 'X']);
});

test('an aggregate whose state the value format of the source cannot hold is refused', () => {
  const sum = (format: string, call: string): void =>
    void analyze(`CREATE STREAM A (K INT KEY, V INT) WITH (KAFKA_TOPIC='a', VALUE_FORMAT='${format}');
      CREATE TABLE B AS SELECT K, ${call} AS X FROM A GROUP BY K;`);
  expect(() => sum('DELIMITED', 'SUM(V)')).not.toThrow();
  expect(() => sum('DELIMITED', 'AVG(V)')).toThrow('AVG keeps a value of type STRUCT');
  expect(() => sum('DELIMITED', 'COUNT_DISTINCT(V)')).toThrow('COUNT_DISTINCT keeps a value of type ARRAY');
  expect(() => sum('JSON', 'AVG(V)')).not.toThrow();
});

test('key columns may be left out where the session says so', () => {
  const schema = (select: string, planner: string) =>
    analyze(
      `CREATE STREAM A (K INT KEY, L INT KEY, V INT) WITH (KAFKA_TOPIC='a', FORMAT='JSON');
       CREATE STREAM B AS SELECT ${select} FROM A;`,
      new Map([['ksql.new.query.planner.enabled', planner]]),
    ).source!.schema.key.map((column) => column.name);
  expect(() => schema('V', 'false')).toThrow('key column K is not selected');
  expect(schema('V', 'true')).toEqual([]);
  expect(schema('V, L, K', 'true')).toEqual(['L', 'K']);
  expect(schema('V, L, K', 'false')).toEqual(['K', 'L']);
});
