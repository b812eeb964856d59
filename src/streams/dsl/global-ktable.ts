import type { TableView } from '../processors/table-view.ts';
import type { Serde } from '../topology/serde.ts';

/** A table that every instance holds whole, all partitions of it: streams join it by any key. */
export class GlobalKTable<K, V> {
  /** @internal */
  readonly view: TableView;
  /** @internal */
  readonly keySerde: Serde | undefined;
  readonly queryableStoreName: string | undefined;
  /** Types only. */
  declare protected readonly row: readonly [K, V];

  /** @internal */
  constructor(view: TableView, keySerde: Serde | undefined, queryableStoreName: string | undefined) {
    this.view = view;
    this.keySerde = keySerde;
    this.queryableStoreName = queryableStoreName;
  }
}
