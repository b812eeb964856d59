import type { Renderer } from './renderer.ts';

/** One JSON text a line: an entity as it is, a row as an object by column name. Duplicate names get `_2`, `_3`, … */
export const jsonRenderer: Renderer = {
  entity: (entity) => `${JSON.stringify(entity)}\n`,
  header: () => '',
  rows(columns, rows) {
    const seen = new Map<string, number>();
    const names = columns.map(({ name }) => {
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      return JSON.stringify(count === 1 ? name : `${name}_${count}`);
    });
    return rows.map((row) => `{${row.cells.map((cell, c) => `${names[c]}:${cell}`).join(',')}}\n`).join('');
  },
};
