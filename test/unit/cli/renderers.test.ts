import { expect, test } from 'vitest';
import type { TextRow } from '../../../src/cli/backend.ts';
import { rendererOf } from '../../../src/cli/renderer.ts';
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
