import { expect, test } from 'vitest';
import type { TextRow } from '../../../src/cli/backend.ts';
import { rendererOf } from '../../../src/cli/output-format.ts';
import type { Entity } from '../../../src/engine/result.ts';

const COLUMNS = [
  { name: 'K', type: 'STRING' },
  { name: 'V', type: 'INTEGER' },
];
const row = (...cells: string[]): TextRow => ({ cells, tombstone: false });

test('table: widths of the first batch hold, a wider value pushes its line', () => {
  const table = rendererOf('table');
  expect(table.header(COLUMNS)).toBe('');
  expect(table.rows(COLUMNS, [row('"a longer key"', '1'), row('null', 'null')], true)).toBe(
    'K            | V\n-------------+---------\na longer key | 1\nnull         | null\n',
  );
  expect(table.rows(COLUMNS, [row('"b"', '2'), row(`"${'x'.repeat(20)}"`, '3')], false)).toBe(
    `b            | 2\n${'x'.repeat(20)} | 3\n`,
  );
});

test('table: a removal keeps its key and shows that the rest is gone', () => {
  const text = rendererOf('table').rows(COLUMNS, [{ cells: ['"a"', 'null'], tombstone: true }], true);
  expect(text.split('\n')[2]).toBe('a        | <removed>');
});

test('table: what a value holds cannot move the cursor or break its line', () => {
  const evil = JSON.stringify('\u001b[2Jx\ny\tz\u0007\u009b');
  const text = rendererOf('table').rows(COLUMNS, [row(evil, '1')], true);
  expect(text.split('\n')[2]).toBe('\\u001b[2Jx\\ny\\tz\\u0007\\u009b | 1');
});

test('json: an object a line, digits untouched, equal names told apart', () => {
  const columns = [...COLUMNS, { name: 'V', type: 'DECIMAL(30, 2)' }];
  const text = rendererOf('json').rows(columns, [row('"a\\"b"', '9007199254740993', '1.10')], true);
  expect(text).toBe('{"K":"a\\"b","V":9007199254740993,"V_2":1.10}\n');
});

test('csv: a header, RFC 4180 quotes, null empty and an empty string quoted', () => {
  const csv = rendererOf('csv');
  expect(csv.header([...COLUMNS, { name: 'a,"b"', type: 'STRING' }])).toBe('K,V,"a,""b"""\n');
  expect(
    csv.rows(
      COLUMNS,
      [row('"plain"', '1'), row('null', '""'), row('"a,b"', '"say \\"hi\\""'), row('"x\\ny"', '[1,2]')],
      true,
    ),
  ).toBe('plain,1\n,""\n"a,b","say ""hi"""\n"x\ny","[1,2]"\n');
});

const STREAMS: Entity = {
  '@type': 'streams',
  streams: [
    { type: 'STREAM', name: 'S', topic: 't', keyFormat: 'KAFKA', valueFormat: 'JSON', isWindowed: false },
  ],
};

test('entities in each format', () => {
  const table = rendererOf('table').entity(STREAMS);
  expect(table).toMatch(/│ Name │ Topic │ Key format │ Value format │ Windowed │/);
  expect(table).toMatch(/│ S\s+│ t\s+│ KAFKA\s+│ JSON\s+│ false\s+│/);
  expect(rendererOf('json').entity(STREAMS)).toBe(`${JSON.stringify(STREAMS)}\n`);
  expect(rendererOf('csv').entity(STREAMS)).toBe(
    'Name,Topic,Key format,Value format,Windowed\nS,t,KAFKA,JSON,false\n',
  );
});

test('an empty message shows nothing, another its text', () => {
  const said = (message: string): string[] =>
    (['table', 'csv'] as const).map((format) => rendererOf(format).entity({ '@type': 'message', message }));
  expect(said('')).toEqual(['', '']);
  expect(said('a, b')).toEqual(['a, b\n', '"a, b"\n']);
});

test('columns of wide characters line up', () => {
  const text = rendererOf('table').rows(COLUMNS, [row('"東京"', '1'), row('"a"', '2')], true);
  expect(text.split('\n').slice(2, 4)).toEqual(['東京     | 1', 'a        | 2']);
});

test('on a terminal nothing is wider than it, and nothing is cut', () => {
  const table = rendererOf('table', 30);
  const lines = table
    .rows(COLUMNS, [row(JSON.stringify('one two three four five six seven'), '1')], true)
    .split('\n');
  expect(lines.slice(2, 4)).toEqual(['one two three four  | 1', 'five six seven      |']);
  expect(lines.every((line) => line.length <= 30)).toBe(true);
  const later = table.rows(COLUMNS, [row(`"${'x'.repeat(25)}"`, '2')], false);
  expect(later).toBe(`${'x'.repeat(19)} | 2\n${'x'.repeat(6)}              |\n`);
});

test('rows of more columns than a terminal has room for are shown a column a line', () => {
  const columns = ['A', 'LONGER', 'C'].map((name) => ({ name, type: 'STRING' }));
  const text = rendererOf('table', 20).rows(columns, [row('"a"', '"b"', '"c"')], true);
  expect(text).toBe('-------+-\nA      | a\nLONGER | b\nC      | c\n');
});

test('a list fits the terminal; into a pipe every entry is a line', () => {
  const text = 'CREATE TABLE T AS SELECT ITEM, COUNT(*) AS N FROM ORDERS GROUP BY ITEM EMIT CHANGES;';
  const properties: Entity = {
    '@type': 'properties',
    statementText: '',
    properties: [{ name: 'p', scope: 'S', value: text, editable: true, level: 'QUERY' }],
    overwrittenProperties: [],
    defaultProperties: [],
  } as unknown as Entity;
  expect(rendererOf('table', 30).entity(properties)).toBe(
    `---------+-\nProperty | p\nScope    | S\nValue    | ${text}\n`,
  );
  const drawn = rendererOf('table', 60).entity(properties);
  expect(Math.max(...drawn.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60);
  expect(drawn.replaceAll(/[│\s]+/g, ' ')).toContain(text);
  expect(rendererOf('table').entity(properties).split('\n')).toHaveLength(6);
});
