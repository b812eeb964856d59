import Table from 'cli-table3';
import { displayCell } from './backend.ts';
import { entityTable } from './entity-table.ts';
import type { Renderer } from './renderer.ts';

const WIDTH_MIN = 8;
const WIDTH_MAX = 40;

/**
 * For people. Entities and lists are drawn by the table library; rows that come one by one keep the widths of the
 * first batch, and a wider value pushes its line rather than being cut.
 */
export function tableRenderer(): Renderer {
  let widths: number[] = [];
  const line = (cells: readonly string[]): string =>
    `${cells
      .map((cell, c) => cell.padEnd(widths[c] ?? 0))
      .join(' | ')
      .trimEnd()}\n`;
  return {
    entity(entity) {
      const shown = entityTable(entity);
      if (shown.rows === null) return shown.text === '' ? '' : `${shown.text}\n`;
      const table = new Table({ head: [...shown.columns], style: { head: [], border: [] }, wordWrap: true });
      table.push(...shown.rows.map((row) => [...row]));
      return `${shown.text === '' ? '' : `${shown.text}\n`}${table.toString()}\n`;
    },
    header: () => '',
    rows(columns, rows, first) {
      const cells = rows.map((row) =>
        row.cells.map((cell) =>
          row.tombstone && cell === 'null' ? '<removed>' : printable(displayCell(cell)),
        ),
      );
      if (!first) return cells.map(line).join('');
      widths = columns.map(({ name }, c) => {
        const longest = Math.max(name.length, ...cells.map((row) => row[c]!.length));
        return Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, longest));
      });
      const rule = `${widths.map((width) => '-'.repeat(width)).join('-+-')}\n`;
      return `${line(columns.map(({ name }) => name))}${rule}${cells.map(line).join('')}`;
    },
  };
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
