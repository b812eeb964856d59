import { displayCell } from './backend.ts';
import { entityTable } from './entity-table.ts';
import type { Renderer } from './renderer.ts';

/** RFC 4180 with a header line. Null is an empty field, an empty string a quoted one. */
export const csvRenderer: Renderer = {
  entity(entity) {
    const table = entityTable(entity);
    if (table.rows === null) return table.text === '' ? '' : `${quote(table.text)}\n`;
    return [table.columns, ...table.rows].map((cells) => `${cells.map(quote).join(',')}\n`).join('');
  },
  header: (columns) => `${columns.map(({ name }) => quote(name)).join(',')}\n`,
  rows: (_columns, rows) => rows.map((row) => `${row.cells.map(field).join(',')}\n`).join(''),
};

function field(json: string): string {
  if (json === 'null') return '';
  if (json === '""') return '""';
  return quote(displayCell(json));
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
