import type { ValueJoiner } from '../topology/processor.ts';
import {
  joinedView,
  openedView,
  type OpenTransform,
  storeView,
  type TableJoinKind,
  type TableView,
} from '../processors/table-view.ts';
import type { Serde } from '../topology/serde.ts';
import type { StoreDefinition } from '../topology/topology.ts';
import type { Graph } from './graph.ts';
import { keyValueStore, type StorePlan } from './materialize.ts';

/**
 * The requests that the operations below a table make of it, while the graph is put together. Old values cost a read for
 * each record, so a table sends them only when somebody asked.
 */
export interface TableSupplier {
  /**
   * Asks for old values. Without `force` a source that has no store yet declines. Returns whether they will be sent.
   */
  enableOldValues(force: boolean): boolean;
  /** How the table is read by key; gives a source table a store. */
  view(): TableView;
}

/** A table read from a topic, or made of a stream: its store is made when somebody needs it. */
export class SourceTable implements TableSupplier {
  sendOldValues = false;
  #materialized: boolean;
  readonly #plan: StorePlan;
  readonly #valueSerde: Serde | undefined;
  readonly #graph: Graph;

  constructor(plan: StorePlan, valueSerde: Serde | undefined, graph: Graph) {
    this.#plan = plan;
    this.#valueSerde = valueSerde;
    this.#graph = graph;
    this.#materialized = plan.materialized.name !== undefined || plan.materialized.versioned !== undefined;
  }

  enableOldValues(force: boolean): boolean {
    if (!force && !this.#materialized) return false;
    this.sendOldValues = true;
    this.#materialized = true;
    return true;
  }

  view(): TableView {
    this.#materialized = true;
    return storeView(this.#plan.name);
  }

  /** Null: nobody needs one. */
  store(): StoreDefinition | null {
    return this.#materialized ? keyValueStore(this.#plan, this.#valueSerde, this.#graph) : null;
  }
}

/** A table that always has a store: an aggregate. */
export class StoredTable implements TableSupplier {
  sendOldValues = false;
  readonly #store: string;

  constructor(store: string) {
    this.#store = store;
  }

  enableOldValues(): boolean {
    this.sendOldValues = true;
    return true;
  }

  view(): TableView {
    return storeView(this.#store);
  }
}

/** A filter or new values over another table. */
export class TransformedTable implements TableSupplier {
  sendOldValues = false;
  readonly #parent: TableSupplier;
  readonly #open: OpenTransform;
  readonly #stores: readonly string[];
  readonly #store: string | null;

  /** `store` keeps the rows, `stores` are what the transform uses. */
  constructor(parent: TableSupplier, open: OpenTransform, store: string | null, stores: readonly string[]) {
    this.#parent = parent;
    this.#open = open;
    this.#stores = stores;
    this.#store = store;
  }

  enableOldValues(force: boolean): boolean {
    if (this.#store !== null || this.#parent.enableOldValues(force)) this.sendOldValues = true;
    return this.sendOldValues;
  }

  view(): TableView {
    return this.#store === null
      ? openedView(this.#parent.view(), this.#open, this.#stores)
      : storeView(this.#store);
  }
}

export class JoinedTable implements TableSupplier {
  sendOldValues = false;
  readonly #left: TableSupplier;
  readonly #right: TableSupplier;
  readonly #join: TableJoinKind;
  readonly #joiner: ValueJoiner;
  readonly #store: string | null;

  constructor(
    left: TableSupplier,
    right: TableSupplier,
    join: TableJoinKind,
    joiner: ValueJoiner,
    store: string | null,
  ) {
    this.#left = left;
    this.#right = right;
    this.#join = join;
    this.#joiner = joiner;
    this.#store = store;
  }

  enableOldValues(): boolean {
    this.#left.enableOldValues(true);
    this.#right.enableOldValues(true);
    this.sendOldValues = true;
    return true;
  }

  view(): TableView {
    if (this.#store !== null) return storeView(this.#store);
    return joinedView(this.#left.view(), this.#right.view(), this.#join, this.#joiner);
  }
}
