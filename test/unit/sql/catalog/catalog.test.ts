import { expect, test } from 'vitest';
import { Catalog } from '../../../../src/sql/catalog/catalog.ts';
import { columnsOfSource } from '../../../../src/sql/catalog/source.ts';
import { INTEGER, STRING } from '../../../../src/types/sql-type.ts';
import { analyze } from '../analyzer/analyze.ts';

const source = analyze(
  "CREATE STREAM A (V STRING, K INT KEY) WITH (KAFKA_TOPIC='a', VALUE_FORMAT='JSON');",
).source!;

test('a copy is independent, both ways', () => {
  const catalog = new Catalog();
  catalog.add(source);
  catalog.addType('T', INTEGER);
  catalog.addQuery('Q', { reads: ['A'], writes: 'B' });
  const copy = catalog.copy();
  copy.remove('A');
  copy.removeType('T');
  copy.removeQuery('Q');
  catalog.add({ ...source, name: 'C' });
  expect(catalog.sources().map((each) => each.name)).toEqual(['A', 'C']);
  expect([catalog.type('T'), copy.type('T')]).toEqual([INTEGER, undefined]);
  expect([catalog.readersOf('A'), copy.readersOf('A')]).toEqual([['Q'], []]);
  expect(copy.has('C')).toBe(false);
});

test('knows who reads and who writes', () => {
  const catalog = new Catalog();
  catalog.addQuery('Q1', { reads: ['A', 'B'], writes: 'C' });
  catalog.addQuery('Q2', { reads: ['C'], writes: 'C' });
  expect(catalog.readersOf('C')).toEqual(['Q2']);
  expect(catalog.writersOf('C')).toEqual(['Q1', 'Q2']);
});

test('adding twice, or taking away what is not there, is our mistake', () => {
  const catalog = new Catalog();
  catalog.add(source);
  expect(() => catalog.add(source)).toThrow('already');
  expect(() => catalog.remove('B')).toThrow('not in the catalog');
  expect(() => catalog.replace({ ...source, name: 'B' })).toThrow('not in the catalog');
});

test('key columns come before value columns, wherever they were declared', () => {
  expect(columnsOfSource(source)).toEqual([
    { name: 'K', type: INTEGER },
    { name: 'V', type: STRING },
  ]);
});
