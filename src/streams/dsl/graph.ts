import type { StateStoreOptions } from '../../state/store.ts';
import type { RecordKey } from '../topology/record-key.ts';
import { isTopicName } from '../../log/topic-name.ts';
import { shown } from '../topology/record-time.ts';
import type { Serde } from '../topology/serde.ts';
import {
  type ProcessorOptions,
  type StoreDefinition,
  Topology,
  type WindowedKeyFormat,
  type WindowLength,
} from '../topology/topology.ts';
import type { Fluent } from './fluent.ts';
import { plainMethods } from './user-function.ts';
import type { StoreShape } from './user-processor.ts';
import { TopologyError } from '../topology/topology-error.ts';

/** The part of the topology that one operation of the DSL adds, once all demands on it are known. */
export interface GraphNodeOptions {
  /** The name by which children call their parent. */
  readonly name: string;
  /** `parents` are the names of the nodes above. */
  readonly write: (topology: Topology, parents: readonly string[], optimizations: Optimizations) => void;
  readonly changesKey?: boolean;
  readonly changesValue?: boolean;
  readonly merges?: boolean;
  /** A left or outer join: records without a key reach it (KIP-962). */
  readonly wantsNullKeys?: boolean;
  /** Set for sources of streams: operations on the same topics share one. */
  readonly sourceTopics?: readonly string[];
  /** With `sourceTopics`: how the topics are read, by what it is called. Who shares a source must agree on each. */
  readonly reads?: Readonly<Record<string, unknown>>;
  /** Set for repartitions that may become one with others. */
  readonly repartition?: RepartitionOptions;
  /** A join of two streams: the node of its right side, which is left out where both are one. */
  readonly selfJoin?: GraphNode;
}

/** An operation that is one processor. */
export interface ProcessorNodeOptions
  extends Omit<GraphNodeOptions, 'write'>, Pick<ProcessorOptions, 'open' | 'uses'> {
  /** The stores that it brings, asked for when it is written. */
  readonly stores?: () => readonly StoreDefinition[];
}

/** Rewritings of the topology that change no results; all off by default, because they change names and state. */
export interface Optimizations {
  /** A stream joined with itself keeps its records once (Kafka Streams: single.store.self.join). */
  readonly selfJoins?: boolean;
  /** Repartition topics of the same records become one (merge.repartition.topics). */
  readonly mergeRepartitions?: boolean;
  /**
   * A table's topic is its changelog (reuse.ktable.source.topics), where the store holds the very bytes of the topic:
   * the same serde, the records' own timestamps, read from the beginning. The topic must be compacted, not deleted.
   */
  readonly reuseSourceTopics?: boolean;
}

export const ALL_OPTIMIZATIONS: Optimizations = {
  selfJoins: true,
  mergeRepartitions: true,
  reuseSourceTopics: true,
};

export class GraphNode {
  readonly options: GraphNodeOptions;
  readonly parents = new Set<GraphNode>();
  readonly children = new Set<GraphNode>();
  /** Nodes are written in this order, parents first. */
  priority = 0;
  /** Repartitions: whether records without a key go through. */
  keepsNullKeys = false;
  /** Names of the nodes above; null until it is written, and of one that is left out. */
  above: readonly string[] | null = null;

  constructor(options: GraphNodeOptions) {
    this.options = options;
  }

  get name(): string {
    return this.options.name;
  }
}

/**
 * The operations of one builder, before they become a topology: which of them send old values, which table sources
 * need a store, where records without a key are kept, are known only when all are there.
 */
export class Graph {
  readonly root = new GraphNode({ name: 'root', write: () => undefined });
  readonly defaultKeySerde: Serde | undefined;
  readonly defaultValueSerde: Serde | undefined;
  readonly fluent: Fluent;
  /** The serde of each store's keys, for those who read it by name. */
  readonly keySerdes = new Map<string, Serde | undefined>();
  /** How long the windows of a window store are, where it is one. */
  readonly windowSizes = new Map<string, WindowLength>();
  readonly stores: StoreDefinition[] = [];
  /** The declarations that `stores` were made of: a store that is declared twice is one. */
  readonly declarations = new Set<object>();
  readonly #tracked: Set<string>[] = [];
  readonly #nodes = new Set<GraphNode>();
  #nextName = 0;
  #nextPriority = 0;

  constructor(defaultKeySerde: Serde | undefined, defaultValueSerde: Serde | undefined, fluent: Fluent) {
    this.defaultKeySerde = defaultKeySerde;
    this.defaultValueSerde = defaultValueSerde;
    this.fluent = fluent;
  }

  /** A name as Kafka Streams generates them; they are in the names of topics. */
  newName(prefix: string): string {
    return `${prefix}${String(this.#nextName++).padStart(10, '0')}`;
  }

  readonly shapeOf = (store: string): StoreShape => ({
    keys: this.keysOf(this.keySerdes.get(store), store),
    windowSizeMs: this.windowSizes.get(store),
  });

  /** A store with what is known of its keys. */
  define(options: StateStoreOptions, changelogConfigs?: Readonly<Record<string, string>>): StoreDefinition {
    return {
      options,
      ...(changelogConfigs && { changelogConfigs }),
      keys: this.keySerdes.get(options.name) ?? this.defaultKeySerde,
      windowSizeMs: this.windowSizes.get(options.name),
    };
  }

  /** The serde, or the builder's; an error says where one is missing. */
  keysOf(serde: Serde | undefined, where: string): Serde {
    return need(serde ?? this.defaultKeySerde, 'key', where);
  }

  valuesOf(serde: Serde | undefined, where: string): Serde {
    return need(serde ?? this.defaultValueSerde, 'value', where);
  }

  /** The name that was given (with a suffix), or a generated one. A generated name is used up in any case. */
  nameFor(given: string | undefined, prefix: string, suffix = ''): string {
    const generated = this.newName(prefix);
    return given === undefined ? generated : nameGiven(given) + suffix;
  }

  /** The name that was given, or a generated one, which is used up only then. */
  nameOrNew(given: string | undefined, prefix: string): string {
    return given === undefined ? this.newName(prefix) : nameGiven(given);
  }

  newStoreName(prefix: string): string {
    return this.newName(`${prefix}STATE-STORE-`);
  }

  add(parents: readonly GraphNode[], node: GraphNode): GraphNode {
    for (const parent of parents) {
      parent.children.add(node);
      node.parents.add(parent);
      node.priority = ++this.#nextPriority;
    }
    this.#nodes.add(node);
    return node;
  }

  /** Adds an operation that is one processor. */
  addProcessor(
    parents: readonly GraphNode[],
    { open, uses = [], stores = () => [], ...options }: ProcessorNodeOptions,
  ): GraphNode {
    const { name } = options;
    const write: GraphNodeOptions['write'] = (topology, above) =>
      topology.addProcessor({ name, parents: above, open, uses, stores: stores() });
    return this.add(parents, new GraphNode({ ...options, write }));
  }

  /** In the order in which they were added. */
  get nodes(): readonly GraphNode[] {
    return [...this.#nodes];
  }

  /** The sources, by the names that they have when the topology is written. */
  track(sources: ReadonlySet<string>): ReadonlySet<string> {
    const tracked = new Set(sources);
    this.#tracked.push(tracked);
    return tracked;
  }

  /** Another node reads what this one read. */
  renameSource(name: string, to: string): void {
    for (const sources of this.#tracked) if (sources.delete(name)) sources.add(to);
  }

  /** The topology that the operations make, as they stand. */
  write(optimizations: Optimizations): Topology {
    const topology = new Topology();
    for (const store of this.stores) topology.addStore({ ...store, processors: [] });
    const written = new Set<GraphNode>([this.root]);
    const waiting = new Set<GraphNode>(this.root.children);
    while (waiting.size > 0) {
      let next: GraphNode | null = null;
      for (const node of waiting)
        if (
          (next === null || node.priority < next.priority) &&
          [...node.parents].every((parent) => written.has(parent))
        )
          next = node;
      if (next === null) throw new TopologyError('the operations form a circle');
      waiting.delete(next);
      written.add(next);
      const parents = [...next.parents].filter((parent) => parent !== this.root).map((parent) => parent.name);
      next.above = parents;
      next.options.write(topology, parents, optimizations);
      for (const child of next.children) if (!written.has(child)) waiting.add(child);
    }
    topology.checkStores();
    return topology;
  }
}

export interface RepartitionOptions {
  /** Without the suffix. */
  readonly prefix: string;
  readonly keySerde: Serde | undefined;
  readonly valueSerde: Serde | undefined;
  readonly partitions?: number;
  readonly partitioner?: (key: RecordKey, value: unknown, partitions: number) => number;
  readonly window?: WindowedKeyFormat | undefined;
  readonly mergeable?: boolean;
}

/** A name of the user's, which topics and directories are named by. Throws `TopologyError` where they could not be. */
export function nameGiven(name: string): string {
  if (typeof name === 'string' && isTopicName(name)) return name;
  throw new TopologyError(
    `${shown(name)} cannot be a name`,
    'use up to 249 letters, digits, dots, underscores and dashes',
  );
}

function need(serde: Serde | undefined, what: 'key' | 'value', where: string): Serde {
  if (serde !== undefined) {
    plainMethods(serde, `the serde for the ${what}s of ${where}`, ['serialize', 'deserialize']);
    return serde;
  }
  throw new TopologyError(
    `there is no serde for the ${what}s of ${where}`,
    'give one to the operation, or a default to the StreamsBuilder',
  );
}

/** Stands for the serde of keys that were just made, until an operation that writes them names one. */
export function pendingKeySerde(where: string): Serde {
  const missing = (): never => {
    throw new TopologyError(
      `there is no serde for the keys that ${where} makes`,
      'name one where the stream is grouped, joined or written',
    );
  };
  return { serialize: missing, deserialize: missing };
}

/** The key as the user's functions see it: a window goes with the key of a windowed table. */
export function userKey(key: RecordKey): unknown {
  if (!key.windowed) return key.value;
  return { key: key.value, window: { start: key.windowStart, end: key.windowEnd } };
}
