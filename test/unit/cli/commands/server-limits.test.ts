import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseLimits, SERVER_LIMITS } from '../../../../src/cli/commands/server-limits.ts';

const DOCUMENT = fileURLToPath(new URL('../../../../docs/server.md', import.meta.url));

test('--limit sets what it names, the last one counts', () => {
  expect(parseLimits([])).toEqual({ server: {}, engine: {} });
  expect(
    parseLimits(['statements=5', 'head-seconds=2', 'queries=7', 'client-bytes=100', 'statements=6']),
  ).toEqual({ server: { statements: 6, headMs: 2000 }, engine: { openQueriesMax: 7, clientBytesMax: 100 } });
  const all = parseLimits(SERVER_LIMITS.map(({ name }) => `${name}=3`));
  expect(Object.keys({ ...all.server, ...all.engine })).toHaveLength(SERVER_LIMITS.length);
});

test.each([
  'statements',
  'statements=',
  'statements=0',
  'statements=-1',
  'statements=1e3',
  'nothing=1',
  '=1',
  '',
])('--limit %s is refused with the names there are', (entry) => {
  expect(() => parseLimits([entry])).toThrow(/NAME=NUMBER with one of connections, .*clients-bytes, not /);
});

test('docs/server.md has every limit and its default; UPDATE_DOCS=1 writes them', () => {
  const cells = [
    ['limit', 'default', 'bounds'],
    ...SERVER_LIMITS.map(({ name, default: value, what }) => [`\`${name}\``, String(value), what]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  const table = [
    line(cells[0]!),
    line(widths.map((width) => '-'.repeat(width))),
    ...cells.slice(1).map(line),
  ].join('\n');
  const text = readFileSync(DOCUMENT, 'utf8');
  const [before, after] = text.split('<!-- limits -->\n');
  const end = after!.indexOf('\n\nA query');
  const wanted = `${before}<!-- limits -->\n\n${table}${after!.slice(end)}`;
  if (process.env['UPDATE_DOCS'] !== undefined) writeFileSync(DOCUMENT, wanted);
  else expect(text).toBe(wanted);
});
