import type { StateStoreOptions } from '../../state/store.ts';
import type { Serde } from '../topology/serde.ts';
import { codecOf, type Graph, type GraphStore, need } from './graph.ts';
import type { Materialized } from './options.ts';

// oxlint-disable-next-line no-explicit-any -- options of any key and value: only their serdes are used.
export type AnyMaterialized = Materialized<any, any>;

/** A store that an operation asked for, before its serdes are known for sure. */
export interface StorePlan {
  readonly name: string;
  readonly materialized: AnyMaterialized;
}

/** Names a store: as given, or generated. */
export function materialize(graph: Graph, materialized: AnyMaterialized, prefix: string): StorePlan {
  return { name: materialized.name ?? graph.newStoreName(prefix), materialized };
}

export function keyValueStore(plan: StorePlan, valueSerde: Serde | undefined, graph: Graph): GraphStore {
  const { logConfig, valueSerde: own } = plan.materialized;
  const values = codecOf(
    need((own as Serde | undefined) ?? valueSerde ?? graph.defaultValueSerde, 'value', plan.name),
  );
  const options: StateStoreOptions = { kind: 'key-value', values, ...common(plan) };
  return { options, ...(logConfig && { changelogConfigs: logConfig }) };
}

export function timedStore(
  plan: StorePlan,
  kind: 'window' | 'session',
  retentionMs: number,
  valueSerde: Serde | undefined,
  graph: Graph,
): GraphStore {
  const { logConfig, valueSerde: own } = plan.materialized;
  const values = codecOf(
    need((own as Serde | undefined) ?? valueSerde ?? graph.defaultValueSerde, 'value', plan.name),
  );
  const options: StateStoreOptions =
    kind === 'window'
      ? { kind, values, retentionMs, duplicates: false, ...common(plan) }
      : { kind, values, retentionMs, ...common(plan) };
  return { options, ...(logConfig && { changelogConfigs: logConfig }) };
}

function common(plan: StorePlan): { name: string; changelog: boolean; persistent: boolean } {
  const { logging, persistent } = plan.materialized;
  return { name: plan.name, changelog: logging ?? true, persistent: persistent ?? true };
}
