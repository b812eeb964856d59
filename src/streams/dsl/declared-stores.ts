import { TopologyError } from '../topology/topology-error.ts';
import { shown } from '../topology/record-time.ts';
import { type Graph, nameGiven } from './graph.ts';
import type { StoreDefinition } from '../topology/topology.ts';
import { wholeNumber, wholeOrEndless } from './check-number.ts';
import { keyValueStore, timedStore } from './materialize.ts';
import { given, plain } from './user-function.ts';
import type { Materialized } from './options.ts';

/** A store for processors of your own; connect it with `process(…, { stores: [name] })`. */
export interface StateStoreDeclaration<K, V> extends Materialized<K, V> {
  readonly name: string;
  /** Key-value stores: at most so many rows, in memory; the one used longest ago makes room for a new one. */
  readonly rowsMax?: number;
  /** For kind `window`: how long its windows are. */
  readonly windowSizeMs?: number;
  /** `versioned` and `window` need options of their own: `versioned`, `windowSizeMs`. */
  readonly kind: 'key-value' | 'window' | 'session' | 'versioned';
}

export type AnyDeclaration = StateStoreDeclaration<unknown, unknown>;

const RETENTION_MS = 24 * 60 * 60 * 1000;

/** Adds a store to the graph, once for each declaration. Returns its name. */
export function declareStore(graph: Graph, declaration: AnyDeclaration): string {
  if (!graph.declarations.has(declaration)) {
    graph.declarations.add(declaration);
    graph.stores.push(storeOf(graph, declaration));
  }
  return declaration.name;
}

/** The store that a declaration describes. */
export function storeOf(graph: Graph, declaration: AnyDeclaration): StoreDefinition {
  const { name, kind, retentionMs = RETENTION_MS, windowSizeMs, rowsMax } = declaration;
  const plan = { name: nameGiven(name), materialized: declaration };
  if (!['key-value', 'window', 'session', 'versioned'].includes(kind))
    throw new TopologyError(
      `store ${name} is of kind ${shown(kind)}`,
      'a kind is key-value, window, session or versioned',
    );
  graph.keySerdes.set(name, declaration.keySerde);
  if ((kind === 'window') !== (windowSizeMs !== undefined))
    throw new TopologyError(
      `store ${name} is of kind ${kind} ${kind === 'window' ? 'without' : 'with'} a windowSizeMs`,
      "declare kind 'window' together with windowSizeMs, which says where its windows end",
    );
  if (windowSizeMs !== undefined) wholeNumber(windowSizeMs, `the windowSizeMs of store ${name}`, 1);
  wholeOrEndless(retentionMs, `the retentionMs of store ${name}`, 0);
  if ((kind === 'versioned') !== (declaration.versioned !== undefined))
    throw new TopologyError(
      `store ${name} is of kind ${kind} ${kind === 'versioned' ? 'without' : 'with'} the option versioned`,
      "declare kind 'versioned' together with versioned: { historyRetentionMs }",
    );
  return kind === 'key-value' || kind === 'versioned'
    ? bounded(keyValueStore(plan, undefined, graph), rowsMax)
    : bounded(timedStore(plan, kind, retentionMs, 'update', windowSizeMs, undefined, graph), rowsMax);
}

/** The store with a bound on its rows, if one is given. */
function bounded(store: StoreDefinition, rowsMax: number | undefined): StoreDefinition {
  const { options } = store;
  if (rowsMax === undefined) return store;
  if (options.kind !== 'key-value')
    throw new TopologyError(
      `store ${options.name} is of kind ${options.kind} with a rowsMax`,
      'leave it out: it is for key-value stores',
    );
  wholeNumber(rowsMax, `the rowsMax of store ${options.name}`, 1);
  return { ...store, options: { ...options, rowsMax } };
}

/** Stores as an operation names them: by name, or by a declaration that it brings. */
export type StoreReferences = readonly (string | AnyDeclaration)[];

/** Declares what an operation, or its supplier, brings. Returns the names of all its stores. */
export function connectStores(
  graph: Graph,
  references: StoreReferences,
  supplier: { readonly stores?: () => readonly AnyDeclaration[] },
): string[] {
  const brought = supplier.stores === undefined ? [] : given(plain(supplier.stores, 'stores')(), 'stores');
  const names = [...references, ...brought].map((each) =>
    typeof each === 'string' ? each : declareStore(graph, each),
  );
  return [...new Set(names)];
}
