import type { StoredRows } from './lowered-rows.ts';

/** How rows of a table's store are read back: as they are. */
export function storedRows(store: string): StoredRows {
  return { store, kind: 'key-value', windowSizeMs: null, rowOf: (value) => value as never };
}
