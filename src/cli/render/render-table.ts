import Table from 'cli-table3';
import { displayCell, type TextColumn, type TextRow } from '../backend/backend.ts';
import { entityTable } from './entity-table.ts';
import type { Renderer } from './renderer.ts';
import { fitWidths, padTo, widthOf, wrapText } from './text-columns.ts';

const WIDTH_MIN = 8;
const WIDTH_MAX = 40;
/** When a row would take more lines than this on a terminal, each column gets a line. */
const HEIGHT_MAX = 6;
const SEPARATOR = ' | ';
const REMOVED = '<removed>';

/**
 * For people. Entities and lists are drawn by the table library; rows that come one by one keep the widths of the
 * first batch.
 *
 * On a terminal, whose width is given, nothing is wider than it: long cells continue below within their column, and
 * rows of more columns than fit are shown with a line for each column. Into a pipe or file every row is one line, and a wider
 * value pushes its line: nothing is ever cut.
 */
export function tableRenderer(terminalWidth?: number): Renderer {
  let widths: number[] | null = [];
  const rowLines = (cells: readonly string[], columns: readonly TextColumn[]): string => {
    if (widths === null)
      return columnLines(
        cells,
        columns.map(({ name }) => name),
      );
    return terminalWidth === undefined ? joined(cells, widths) : wrapped(cells, widths);
  };
  return {
    entity(entity) {
      const { text, rows, ...shown } = entityTable(entity);
      const head = text === '' ? '' : `${text}\n`;
      return 'columns' in shown ? `${head}${drawTable(shown.columns, rows!, terminalWidth)}\n` : head;
    },
    header: () => '',
    rows({ columns }, rows, first) {
      const cells = rows.map(cellTexts);
      if (!first) return cells.map((row) => rowLines(row, columns)).join('');
      const names = columns.map(({ name }) => name);
      const wanted = names.map((name, c) =>
        Math.max(WIDTH_MIN, widthOf(name), ...cells.map((row) => widthOf(row[c]!))),
      );
      widths =
        terminalWidth === undefined
          ? wanted.map((width, c) => Math.max(widthOf(names[c]!), Math.min(WIDTH_MAX, width)))
          : fitWidths(wanted, terminalWidth - SEPARATOR.length * (names.length - 1), WIDTH_MIN);
      const body = cells.map((row) => rowLines(row, columns)).join('');
      if (widths === null) return body;
      return `${rowLines(names, columns)}${widths.map((width) => '-'.repeat(width)).join('-+-')}\n${body}`;
    },
  };
}

/** A removal says so in the place of what is gone; behind the last column where the key is all that was selected. */
function cellTexts({ cells, tombstone }: TextRow): string[] {
  const texts = cells.map((cell) => (tombstone && cell === 'null' ? REMOVED : printable(displayCell(cell))));
  if (tombstone && !texts.includes(REMOVED)) texts.push(`${texts.pop() ?? ''} ${REMOVED}`);
  return texts;
}

function joined(cells: readonly string[], widths: readonly number[]): string {
  return `${cells
    .map((cell, c) => padTo(cell, widths[c] ?? 0))
    .join(SEPARATOR)
    .trimEnd()}\n`;
}

function wrapped(cells: readonly string[], widths: readonly number[]): string {
  const parts = cells.map((cell, c) => wrapText(cell, widths[c]!));
  const height = Math.max(1, ...parts.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    joined(
      parts.map((lines) => lines[line] ?? ''),
      widths,
    ),
  ).join('');
}

/** A row as a line for each column. */
function columnLines(cells: readonly string[], names: readonly string[]): string {
  const longest = Math.max(...names.map(widthOf));
  const lines = names.map((name, c) => `${padTo(name, longest)}${SEPARATOR}${cells[c]!}\n`);
  return `${'-'.repeat(longest)}-+-\n${lines.join('')}`;
}

/** Rules stand between rows only where a row takes more than one line; very tall rows are shown with a line for each column. */
function drawTable(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  terminalWidth: number | undefined,
): string {
  const wanted = columns.map((name, c) => Math.max(widthOf(name), ...rows.map((row) => cellWidth(row[c]!))));
  const borders = 3 * columns.length + 1;
  const widths = fitWidths(wanted, (terminalWidth ?? Infinity) - borders, WIDTH_MIN);
  const folded = rows.map((row) =>
    row.map((cell, c) => cell.split('\n').flatMap((line) => wrapText(line, widths?.[c] ?? Infinity))),
  );
  const height = Math.max(1, ...folded.flatMap((row) => row.map((lines) => lines.length)));
  if (widths === null || (terminalWidth !== undefined && height > HEIGHT_MAX))
    return rows
      .map((row) => columnLines(row, columns))
      .join('')
      .trimEnd();
  const tall = height > 1;
  const head = columns.map((name, c) => wrapText(name, widths[c]!));
  const table = new Table({
    head: head.map((lines) => lines.join('\n')),
    style: { head: [], border: [] },
    chars: tall ? {} : { 'left-mid': '', mid: '', 'mid-mid': '', 'right-mid': '' },
  });
  table.push(...folded.map((row) => row.map((lines) => lines.join('\n'))));
  const lines = table.toString().split('\n');
  // The library has rules between all rows or none.
  const rule = lines[0]!.replaceAll(/[┌┬┐]/g, (corner) => ({ '┌': '├', '┬': '┼', '┐': '┤' })[corner]!);
  if (!tall) lines.splice(1 + Math.max(...head.map((each) => each.length)), 0, rule);
  return lines.join('\n');
}

function cellWidth(cell: string): number {
  return Math.max(...cell.split('\n').map(widthOf));
}

/** Values may hold anything: what would move the cursor or recolour the terminal is shown as its code. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (control) => CONTROL_TEXTS.get(control) ?? codeOf(control));
}

const CONTROL_TEXTS: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

function codeOf(control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
