import { expect, test } from 'vitest';
import { printValue } from '../../../../src/types/print-value.ts';
import { analyze, errorOf } from './analyze.ts';

/** What INSERT INTO … VALUES makes of a value for a column: numbers and times written as text bend, nothing is lost. */

const statements = (type: string, value: string): string =>
  `CREATE STREAM S (X ${type}) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON'); INSERT INTO S VALUES (${value});`;

test.each([
  ['INT', '1', '1'],
  ['INT', '1e0', '1'],
  ['INT', '-1.00', '-1'],
  ['BIGINT', '1', '1'],
  ['BIGINT', 'CAST(1 AS INT)', '1'],
  ['DOUBLE', '1', '1.0'],
  ['DOUBLE', '1.5', '1.5'],
  ['DECIMAL(4, 2)', '1', '1.00'],
  ['DECIMAL(4, 2)', '1.555', '1.56'],
  ['DECIMAL(4, 2)', '0.1e0', '0.10'],
  ['DECIMAL(4, 2)', "'1.5'", '1.50'],
  ['BYTES', "'YQ=='", 'YQ=='],
  ['DATE', "'2020-02-29'", '2020-02-29'],
  ['TIME', "'10:00'", '10:00'],
  ['TIMESTAMP', "'2020-02-29'", '2020-02-29T00:00:00.000'],
  ['ARRAY<DOUBLE>', 'ARRAY[1]', '[1.0]'],
  ['MAP<STRING, BIGINT>', "MAP('a' := 1)", '{a=1}'],
  ['STRUCT<A DOUBLE, B INT>', 'STRUCT(A := 1)', 'Struct{A=1.0}'],
  // A field that the column lacks is left out.
  ['STRUCT<A INT>', 'STRUCT(A := 1, B := 2)', 'Struct{A=1}'],
  ['ARRAY<STRUCT<A INT>>', "ARRAY[STRUCT(A := 1, B := 'x')]", '[Struct{A=1}]'],
  ['STRUCT<A STRUCT<B INT>>', 'STRUCT(A := STRUCT(B := 1, C := 2))', 'Struct{A=Struct{B=1}}'],
  ['INT', 'NULL', 'null'],
])('%s takes %s', (type, value, text) => {
  const { insert } = analyze(statements(type, value));
  const column = insert!.source.schema.value[0]!;
  expect(printValue(column.type, insert!.value[0]!)).toBe(text);
});

test.each([
  ['INT', '3000000000', 'ML_DATA'],
  ['INT', '1.5', 'ML_DATA'],
  ['BIGINT', '1e300', 'ML_DATA'],
  ['DECIMAL(4, 2)', '1e30', 'ML_DATA'],
  ['DECIMAL(4, 2)', '100', 'ML_DATA'],
  ['DATE', "'2020-02-30'", 'ML_DATA'],
  ['INT', "'1'", 'ML_TYPE'],
  ['STRING', '1', 'ML_TYPE'],
  ['BOOLEAN', "'true'", 'ML_TYPE'],
  ['INT', 'CAST(1 AS BIGINT)', 'ML_TYPE'],
  ['ARRAY<INT>', 'ARRAY[1.5]', 'ML_TYPE'],
  ['ARRAY<INT>', "ARRAY['1']", 'ML_TYPE'],
  // Not one field is the column's: a mistake.
  ['STRUCT<A INT>', 'STRUCT(B := 1)', 'ML_TYPE'],
  ['STRUCT<A INT>', "STRUCT(A := 'x', B := 1)", 'ML_TYPE'],
])('%s does not take %s', (type, value, code) => {
  expect(errorOf(statements(type, value))).toMatchObject({ code, at: value });
});

test('ASSERT VALUES takes no field that the column lacks: it would assert nothing', () => {
  const sql = statements('STRUCT<A INT>', 'STRUCT(A := 1, B := 2)').replace('INSERT INTO', 'ASSERT VALUES');
  expect(errorOf(sql)).toMatchObject({ code: 'ML_TYPE', at: 'STRUCT(A := 1, B := 2)' });
});
