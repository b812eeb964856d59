import type { StateStoreOptions } from '../../state/store.ts';
import { codecOf, type Serde } from '../topology/serde.ts';
import type { WindowLength } from '../topology/topology.ts';
import { type Graph, nameGiven, need } from './graph.ts';
import type { StoreDefinition } from '../topology/topology.ts';
import { wholeNumber } from './check-number.ts';
import type { Materialized } from './options.ts';
import { TopologyError } from '../topology/topology-error.ts';

// oxlint-disable-next-line no-explicit-any -- options of any key and value: only their serdes are used.
export type AnyMaterialized = Materialized<any, any>;

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
  const { logConfig, valueSerde: own, versioned } = plan.materialized;
  const values = codecOf(
    need((own as Serde | undefined) ?? valueSerde ?? graph.defaultValueSerde, 'value', plan.name),
  );
  const options: StateStoreOptions =
    versioned === undefined
      ? { kind: 'key-value', values, ...common(plan) }
      : { kind: 'versioned', values, historyRetentionMs: historyOf(plan)!, ...common(plan) };
  return graph.define(options, logConfig);
}

export function timedStore(
  plan: StorePlan,
  kind: 'window' | 'session',
  retentionMs: number,
  windowSizeMs: WindowLength | undefined,
  valueSerde: Serde | undefined,
  graph: Graph,
): StoreDefinition {
  if (windowSizeMs !== undefined) graph.windowSizes.set(plan.name, windowSizeMs);
  const { logConfig, valueSerde: own, versioned } = plan.materialized;
  if (versioned !== undefined)
    throw new TopologyError(
      `${plan.name} is a ${kind} store, which cannot be versioned`,
      'leave the option out: each window is a row of its own',
    );
  const values = codecOf(
    need((own as Serde | undefined) ?? valueSerde ?? graph.defaultValueSerde, 'value', plan.name),
  );
  const options: StateStoreOptions =
    kind === 'window'
      ? { kind, values, retentionMs, duplicates: false, ...common(plan) }
      : { kind, values, retentionMs, ...common(plan) };
  return graph.define(options, logConfig);
}

/** How far back the versions of a store go; undefined when it has none. */
export function historyOf({ name, materialized }: StorePlan): number | undefined {
  const { versioned } = materialized;
  if (versioned === undefined) return undefined;
  return wholeNumber(versioned.historyRetentionMs, `the historyRetentionMs of store ${name}`, 0);
}

function common(plan: StorePlan): { name: string; changelog: boolean; persistent: boolean } {
  const { logging, persistent } = plan.materialized;
  return { name: plan.name, changelog: logging ?? true, persistent: persistent ?? true };
}
