import type { KeyValueStoreOptions, StateStoreOptions } from '../../state/store.ts';
import {
  type EmitStrategy,
  traitsOf,
  type WindowedAggregation,
  windowedStore,
} from '../operations/aggregate.ts';
import { codecOf, type Serde } from '../topology/serde.ts';
import type { WindowLength } from '../topology/topology.ts';
import { type Graph, nameGiven } from './graph.ts';
import type { StoreDefinition } from '../topology/topology.ts';
import { wholeNumber, wholeOrEndless } from './check-number.ts';
import type { Materialized } from './options.ts';
import { TopologyError } from '../topology/topology-error.ts';

export type AnyMaterialized = Materialized<unknown, unknown>;

/** A store that an operation asked for, before its serdes are known for sure. */
export interface StorePlan {
  readonly name: string;
  readonly materialized: AnyMaterialized;
}

/** Names a store: as given, or generated. */
export function materialize(graph: Graph, materialized: AnyMaterialized, prefix: string): StorePlan {
  const { name } = materialized;
  return { name: name === undefined ? graph.newStoreName(prefix) : nameGiven(name), materialized };
}

/** A store of rows by key: of the latest, or of all versions where that was asked for. */
export function keyValueStore(plan: StorePlan, valueSerde: Serde | undefined, graph: Graph): StoreDefinition {
  const { logConfig } = plan.materialized;
  const historyRetentionMs = historyOf(plan);
  const kept = common(plan, valueSerde, graph);
  const options: StateStoreOptions =
    historyRetentionMs === undefined
      ? { kind: 'key-value', ...kept }
      : { kind: 'versioned', ...kept, historyRetentionMs };
  return graph.define(options, logConfig);
}

export function timedStore(
  plan: StorePlan,
  kind: 'window' | 'session',
  retentionMs: number,
  emit: EmitStrategy,
  windowSizeMs: WindowLength | undefined,
  valueSerde: Serde | undefined,
  graph: Graph,
): StoreDefinition {
  if (windowSizeMs !== undefined) graph.windowSizes.set(plan.name, windowSizeMs);
  const { logConfig, versioned } = plan.materialized;
  if (versioned !== undefined)
    throw new TopologyError(
      `${plan.name} is a ${kind} store, which cannot be versioned`,
      'leave the option out: each window is a row of its own',
    );
  const options = windowedStore(kind, common(plan, valueSerde, graph), retentionMs, emit);
  return graph.define(options, logConfig);
}

/**
 * The store of an aggregate's states, which keeps them as long as windows can change, or longer where that was asked for.
 * Made once, when its serdes are known.
 */
export function statesOf(
  plan: StorePlan,
  windowed: WindowedAggregation | null,
  valueSerde: Serde | undefined,
  graph: Graph,
): () => StoreDefinition {
  let made: StoreDefinition | null = null;
  if (windowed === null) return () => (made ??= keyValueStore(plan, valueSerde, graph));
  const { store, keys, changesMs } = traitsOf(windowed.windows);
  const { retentionMs = changesMs } = plan.materialized;
  wholeOrEndless(retentionMs, `the retentionMs of store ${plan.name}`, 0);
  if (retentionMs < changesMs)
    throw new TopologyError(
      `store ${plan.name} keeps windows for ${retentionMs} ms, but they can change for ${changesMs} ms`,
      'give a longer retentionMs, or shorter windows or grace',
    );
  const sizeMs = keys.kind === 'time' ? keys.sizeMs : undefined;
  return () => (made ??= timedStore(plan, store, retentionMs, windowed.emit, sizeMs, valueSerde, graph));
}

/** How far back the versions of a store go; undefined when it has none. */
export function historyOf({ name, materialized }: StorePlan): number | undefined {
  const { versioned } = materialized;
  if (versioned === undefined) return undefined;
  return wholeNumber(versioned.historyRetentionMs, `the historyRetentionMs of store ${name}`, 0);
}

function common(
  { name, materialized }: StorePlan,
  valueSerde: Serde | undefined,
  graph: Graph,
): Omit<KeyValueStoreOptions, 'kind'> {
  const { logging: changelog = true, persistent = true, valueSerde: own } = materialized;
  const serde = graph.valuesOf(own ?? valueSerde, name);
  return { name, values: codecOf(serde), changelog, persistent };
}
