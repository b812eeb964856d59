import { memberNames, type Renderer } from './renderer.ts';

/**
 * One JSON text a line: an entity as it is, a row as an object by column name. Duplicate names get `_2`, `_3`, …
 * A removal from a table has one member more, `"tombstone": true`, as in the answers of the server.
 */
export const jsonRenderer: Renderer = {
  entity: (entity) => `${JSON.stringify(entity)}\n`,
  header: () => '',
  rows({ columns }, rows) {
    const names = memberNames(columns).map((name) => JSON.stringify(name));
    return rows
      .map(({ cells, tombstone }) => {
        const members = cells.map((cell, c) => `${names[c]}:${cell}`);
        if (tombstone) members.push(`${names.at(-1)}:true`);
        return `{${members.join(',')}}\n`;
      })
      .join('');
  },
};
