import type { StoreDefinition } from '../../streams/topology/topology.ts';
import type { ValueCodec } from '../../state/store.ts';
import type { StoredRows } from './lowered-rows.ts';

/** A store of a table's rows by key. */
export function rowStore(name: string, values: ValueCodec): StoreDefinition {
  return { options: { kind: 'key-value', name, values, changelog: true, persistent: true } };
}

/** How its rows are read back: as they are. */
export function storedRows(store: string): StoredRows {
  return { store, kind: 'key-value', windowSizeMs: null, rowOf: (value) => value as never };
}
