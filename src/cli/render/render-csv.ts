import { displayCell } from '../backend/backend.ts';
import { entityTable } from './entity-table.ts';
import { memberNames, type Renderer } from './renderer.ts';

/**
 * RFC 4180 with a header line. Null is an empty field, an empty string a quoted one. Where rows may be removals from a
 * table there is a last column `tombstone` of true and false, so that every line has as many fields as the header.
 */
export const csvRenderer: Renderer = {
  entity(entity) {
    const table = entityTable(entity);
    if (table.rows === null) return table.text === '' ? '' : `${quote(table.text)}\n`;
    return [table.columns, ...table.rows].map((cells) => `${cells.map(quote).join(',')}\n`).join('');
  },
  header({ columns, removes }) {
    const names = columns.map(({ name }) => name);
    if (removes) names.push(memberNames(columns).at(-1)!);
    return `${names.map(quote).join(',')}\n`;
  },
  rows: ({ removes }, rows) =>
    rows
      .map(({ cells, tombstone }) => `${cells.map(field).join(',')}${removes ? `,${tombstone}` : ''}\n`)
      .join(''),
};

function field(json: string): string {
  if (json === 'null') return '';
  if (json === '""') return '""';
  return quote(displayCell(json));
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
