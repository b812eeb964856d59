import { describe, expect, test } from 'vitest';
import type { TextRow } from '../../../../src/cli/backend/backend.ts';
import { rendererOf } from '../../../../src/cli/render/output-format.ts';
import type { Entity } from '../../../../src/engine/result.ts';

const COLUMNS = [
  { name: 'K', type: 'STRING' },
  { name: 'V', type: 'INTEGER' },
];
const STREAM = { columns: COLUMNS, removes: false };
const TABLE = { columns: COLUMNS, removes: true };
const row = (...cells: string[]): TextRow => ({ cells, tombstone: false });

test('table: widths of the first batch hold, a wider value pushes its line', () => {
  const table = rendererOf('table');
  expect(table.header(STREAM)).toBe('');
  expect(table.rows(STREAM, [row('"a longer key"', '1'), row('null', 'null')], true)).toBe(
    'K            | V\n-------------+---------\na longer key | 1\nnull         | null\n',
  );
  expect(table.rows(STREAM, [row('"b"', '2'), row(`"${'x'.repeat(20)}"`, '3')], false)).toBe(
    `b            | 2\n${'x'.repeat(20)} | 3\n`,
  );
});

describe('a removal from a table is no row of nulls', () => {
  const removed = (...cells: string[]): TextRow => ({ cells, tombstone: true });
  const rows = [row('"a"', 'null'), removed('"a"', 'null')];

  test('table: the key, and in the place of the rest that it is gone', () => {
    const text = rendererOf('table').rows(TABLE, rows, true);
    expect(text.split('\n').slice(2, 4)).toEqual(['a        | null', 'a        | <removed>']);
    const keyOnly = { columns: COLUMNS.slice(0, 1), removes: true };
    for (const width of [undefined, 40, 5])
      expect(rendererOf('table', width).rows(keyOnly, [removed('"a"')], true)).toMatch(/a <removed>|a +<rem/);
  });

  test('json: one member more, under a name that no column has', () => {
    expect(rendererOf('json').rows(TABLE, rows, true)).toBe(
      '{"K":"a","V":null}\n{"K":"a","V":null,"tombstone":true}\n',
    );
    const columns = [COLUMNS[0]!, { name: 'tombstone', type: 'BOOLEAN' }];
    expect(rendererOf('json').rows({ columns, removes: true }, rows, true)).toBe(
      '{"K":"a","tombstone":null}\n{"K":"a","tombstone":null,"tombstone_2":true}\n',
    );
  });

  test('csv: a last column, which the header announces', () => {
    const csv = rendererOf('csv');
    expect(csv.header(TABLE) + csv.rows(TABLE, rows, true)).toBe('K,V,tombstone\na,,false\na,,true\n');
    const columns = [COLUMNS[0]!, { name: 'tombstone', type: 'BOOLEAN' }];
    expect(csv.header({ columns, removes: true })).toBe('K,tombstone,tombstone_2\n');
  });
});

test('table: what a value holds cannot move the cursor or break its line', () => {
  const evil = JSON.stringify('\u001b[2Jx\ny\tz\u0007\u009b');
  const text = rendererOf('table').rows(STREAM, [row(evil, '1')], true);
  expect(text.split('\n')[2]).toBe('\\u001b[2Jx\\ny\\tz\\u0007\\u009b | 1');
});

test('json: an object a line, digits untouched, equal names told apart', () => {
  const columns = [...COLUMNS, { name: 'V', type: 'DECIMAL(30, 2)' }];
  const text = rendererOf('json').rows(
    { columns, removes: false },
    [row('"a\\"b"', '9007199254740993', '1.10')],
    true,
  );
  expect(text).toBe('{"K":"a\\"b","V":9007199254740993,"V_2":1.10}\n');
});

test('csv: a header, RFC 4180 quotes, null empty and an empty string quoted', () => {
  const csv = rendererOf('csv');
  expect(csv.header({ columns: [...COLUMNS, { name: 'a,"b"', type: 'STRING' }], removes: false })).toBe(
    'K,V,"a,""b"""\n',
  );
  expect(
    csv.rows(
      STREAM,
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
  const text = rendererOf('table').rows(STREAM, [row('"東京"', '1'), row('"a"', '2')], true);
  expect(text.split('\n').slice(2, 4)).toEqual(['東京     | 1', 'a        | 2']);
});

test('on a terminal nothing is wider than it, and nothing is cut', () => {
  const table = rendererOf('table', 30);
  const lines = table
    .rows(STREAM, [row(JSON.stringify('one two three four five six seven'), '1')], true)
    .split('\n');
  expect(lines.slice(2, 4)).toEqual(['one two three four  | 1', 'five six seven      |']);
  expect(lines.every((line) => line.length <= 30)).toBe(true);
  const later = table.rows(STREAM, [row(`"${'x'.repeat(25)}"`, '2')], false);
  expect(later).toBe(`${'x'.repeat(19)} | 2\n${'x'.repeat(6)}              |\n`);
});

test('rows of more columns than a terminal has room for are shown a column a line', () => {
  const columns = ['A', 'LONGER', 'C'].map((name) => ({ name, type: 'STRING' }));
  const text = rendererOf('table', 20).rows({ columns, removes: false }, [row('"a"', '"b"', '"c"')], true);
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
