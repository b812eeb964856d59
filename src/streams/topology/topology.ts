import { must } from '../../common/assert.ts';
import type { Clock } from '../../common/clock.ts';
import { LogError } from '../../log/log.ts';
import type { StateStoreOptions, ValueCodec } from '../../state/store.ts';
import type { Processor, RecordContext } from './processor.ts';
import type { RecordKey } from './record-key.ts';
import type { OffsetReset } from './offset-reset.ts';
import type { Serde } from './serde.ts';
import { demand, named } from './topology-error.ts';
import { type TopicPattern, wholeName } from './topic-pattern.ts';

/** A record's time in milliseconds from what was decoded; negative drops and counts the record. */
export type TimestampExtractor = (
  value: unknown,
  key: RecordKey,
  recordTimestamp: number,
  partitionTime: number,
  clock: Clock,
) => number;

export interface SourceNode {
  readonly kind: 'source';
  readonly name: string;
  /** For a source by pattern: the topics that were found, none before `Topology.resolve`. */
  readonly topics: readonly string[];
  /** Which topics it reads, whenever they appear. */
  readonly pattern?: TopicPattern;
  readonly key: Serde;
  readonly value: Serde;
  /** How the key's bytes end: a windowed key has its window behind the inner key. */
  readonly window?: WindowedKeyFormat | undefined;
  readonly timestampExtractor?: TimestampExtractor | undefined;
  /** Where to start without a committed offset. Default: the instance's. */
  readonly offsetReset?: OffsetReset;
}

/** How long windows are: all alike, or by where they start. */
export type WindowLength = number | ((start: number) => number);

/** The end of the window that starts at `start`. */
export function windowEnd(start: number, length: WindowLength): number {
  return start + (typeof length === 'number' ? length : length(start));
}

/** Time windows: inner key ‖ start(8), the end follows from the size. Sessions: inner key ‖ end(8) ‖ start(8). */
export type WindowedKeyFormat =
  | { readonly kind: 'time'; readonly sizeMs: WindowLength }
  | { readonly kind: 'session' };

export interface ProcessorNode {
  readonly kind: 'processor';
  readonly name: string;
  /** A new instance for each task. */
  readonly open: () => Processor;
  readonly parents: readonly string[];
}

export interface SinkNode {
  readonly kind: 'sink';
  readonly name: string;
  /** A topic, or the topic of each record. */
  readonly topic: string | ((key: RecordKey, value: unknown, record: RecordContext) => string);
  readonly parents: readonly string[];
  /** Null: the key's bytes as they are (the key kept its serde since it was read). */
  readonly key: Serde | null;
  readonly value: Serde;
  /** Sessions are written as key ‖ end ‖ start, time windows as key ‖ start. */
  readonly window?: WindowedKeyFormat | undefined;
  /**
   * The partition of a record, or -1 for the default: murmur2 of the (inner) key, null keys spread. A list writes it to
   * each partition in it, so to none when it is empty (KIP-837).
   */
  readonly partitioner?:
    | ((key: RecordKey, value: unknown, partitions: number) => number | readonly number[])
    | undefined;
  /** True: the input record's headers go along. */
  readonly headers?: boolean;
  /** True: a record may go to another partition than the one it was read from, so records of several tasks meet. */
  readonly repartitions?: boolean;
}

export type TopologyNode = SourceNode | ProcessorNode | SinkNode;

/** A store with what is around it in the topology. */
export interface StoreDefinition {
  readonly options: StateStoreOptions;
  /** Settings of its changelog topic, over the defaults for its kind. */
  readonly changelogConfigs?: Readonly<Record<string, string>>;
  /** The serde of its keys, for those who read it from outside. */
  readonly keys?: Serde | undefined;
  /** How long the windows of a window store are, for the same. */
  readonly windowSizeMs?: WindowLength | undefined;
  /** A topic that already is its changelog (a table's source topic); nothing is written then. */
  readonly sourceTopic?: string;
}

/** A store of rows by key, on disk and in a changelog. */
export function keyedStore(name: string, values: ValueCodec): StoreDefinition {
  return { options: { kind: 'key-value', name, values, changelog: true, persistent: true } };
}

export interface StoreNode extends StoreDefinition {
  /** Names of the processors that use it. */
  readonly processors: readonly string[];
}

/** A processor with the stores that it brings, and the names of those that others bring. */
export interface ProcessorOptions extends Omit<ProcessorNode, 'kind'> {
  readonly stores?: readonly StoreDefinition[];
  readonly uses?: readonly string[];
}

/**
 * A table that every instance holds whole: all partitions of a topic, read to the end before anything else runs and
 * followed from then on. Processors of any sub-topology may read the store and belong to no other for it.
 */
export interface GlobalStoreNode {
  readonly source: Omit<SourceNode, 'kind'>;
  readonly processorName: string;
  /** Puts the source's records into the store. */
  readonly open: () => Processor;
  /** In memory, without a changelog: the topic is it. */
  readonly store: StateStoreOptions;
  /** The serde of its keys, if that is not the topic's. */
  readonly keys?: Serde | undefined;
  /** How long the windows of a window store are. */
  readonly windowSizeMs?: WindowLength | undefined;
}

/** A topic that the topology writes and reads itself, to bring records of one key together. */
export interface RepartitionTopic {
  /** Without the application id. */
  readonly name: string;
  /** Null: the greatest partition count of the sources that feed it. */
  readonly partitions: number | null;
}

export interface SubTopology {
  readonly index: number;
  /** See `TopologyOptions`. */
  readonly repeatable: boolean;
  /** In topological order: parents before children. */
  readonly nodes: readonly TopologyNode[];
  readonly stores: readonly StoreNode[];
}

export interface TopologyOptions {
  /**
   * Every processor may be run again for a record that was taken back: it keeps nothing but what is in its stores and
   * numbers, and calls nobody. Then a task whose state lies on disk takes back the record that needs more of it, and
   * loads that without standing still. Default false: what a user's function has done cannot be undone.
   */
  readonly repeatable?: boolean;
}

interface BroughtStore {
  readonly store: StoreDefinition;
  /** The name of the part that brought it. */
  readonly owner: string;
  readonly node: StoreNode;
}

const ONE_STORE = 'two stores of one name would be one store: give each its own';

/**
 * A graph of sources, processors, sinks and the stores they share. Connected parts are sub-topologies, numbered in
 * the order in which their first node was added: the numbers are in task ids, directories and offsets, so the same
 * program must add nodes in the same order.
 */
export class Topology {
  readonly #options: TopologyOptions;
  readonly #nodes = new Map<string, TopologyNode>();
  readonly #stores = new Map<string, BroughtStore>();
  /** By store: its users, whether it was brought yet or not. */
  readonly #users = new Map<string, string[]>();
  readonly #repartitions = new Map<string, RepartitionTopic>();
  readonly #globals = new Map<string, GlobalStoreNode>();
  readonly #copartitions: (readonly string[])[] = [];

  constructor(options: TopologyOptions = {}) {
    this.#options = options;
  }

  addSource(node: Omit<SourceNode, 'kind'>): this {
    for (const topic of node.topics)
      for (const other of this.#nodes.values())
        demand(
          other.kind !== 'source' || !other.topics.includes(topic),
          `topic ${topic} is read by source ${other.name} already`,
        );
    const { pattern } = node;
    return this.#add({ kind: 'source', ...node, ...(pattern && { pattern: wholeName(pattern) }) });
  }

  /** Stores that it shares with others may be brought by each, as the same object. */
  addProcessor({ stores = [], uses = [], ...node }: ProcessorOptions): this {
    this.#add({ kind: 'processor', ...node });
    for (const store of stores) {
      this.#bring(store, node.name);
      this.connectStore(store.options.name, node.name);
    }
    for (const store of uses) this.connectStore(store, node.name);
    return this;
  }

  addSink(node: Omit<SinkNode, 'kind'>): this {
    return this.#add({ kind: 'sink', ...node });
  }

  /** Adds a store for processors that are there already, and for others to be connected with. A store without processors is not added. */
  addStore({ processors, ...store }: StoreNode): this {
    this.#bring(store, processors[0] ?? 'addStateStore');
    for (const name of processors) this.connectStore(store.options.name, name);
    return this;
  }

  /** Lets one more processor use a store, which may be added later: both then belong to one sub-topology. */
  connectStore(store: string, processor: string): this {
    demand(this.#nodes.get(processor)?.kind === 'processor', `no processor ${processor}`);
    const users = this.#usersOf(store);
    if (!users.includes(processor)) users.push(processor);
    return this;
  }

  /** Declares a topic of the topology's own. Sources and sinks name it as declared. */
  addRepartitionTopic(topic: RepartitionTopic): this {
    demand(!this.#repartitions.has(topic.name), `repartition topic ${topic.name} exists already`);
    this.#repartitions.set(topic.name, topic);
    return this;
  }

  /** Adds a store that all sub-topologies may read. */
  addGlobalStore(node: GlobalStoreNode): this {
    const { name } = node.store;
    demand(!this.#stores.has(name) && !this.#globals.has(name), `store ${name} exists already`, ONE_STORE);
    this.#globals.set(node.store.name, node);
    return this;
  }

  /**
   * Says that records of one key lie in partitions of one number in all topics of these sources. Repartition topics among
   * them get the partition count of the others; others of different counts cannot be joined.
   */
  addCopartition(sources: Iterable<string>): this {
    this.#copartitions.push([...sources]);
    return this;
  }

  get hasPatterns(): boolean {
    return this.nodes.some((node) => node.kind === 'source' && node.pattern !== undefined);
  }

  /**
   * This topology with the topics among `names` that its patterns match; itself when it has none. Throws `LogError`
   * `invalid-topic` when a topic would belong to two sources.
   */
  resolve(names: readonly string[]): Topology {
    if (!this.hasPatterns) return this;
    const resolved = new Topology(this.#options);
    const owners = new Map<string, string>();
    for (const node of this.#nodes.values()) {
      const topics =
        node.kind !== 'source'
          ? []
          : node.pattern === undefined
            ? node.topics
            : names.filter((name) => node.pattern!.test(name));
      for (const topic of topics) {
        const other = owners.get(topic);
        if (other !== undefined)
          throw new LogError(
            'invalid-topic',
            `topic ${topic} would be read by source ${other} and by source ${node.name}; ` +
              'narrow a pattern, or read the topic in one of them',
          );
        owners.set(topic, node.name);
      }
      resolved.#nodes.set(node.name, node.kind === 'source' ? { ...node, topics } : node);
    }
    for (const [name, store] of this.#stores) resolved.#stores.set(name, store);
    for (const [name, users] of this.#users) resolved.#users.set(name, users);
    for (const [name, topic] of this.#repartitions) resolved.#repartitions.set(name, topic);
    for (const [name, global] of this.#globals) resolved.#globals.set(name, global);
    resolved.#copartitions.push(...this.#copartitions);
    return resolved;
  }

  get globalStores(): readonly GlobalStoreNode[] {
    return [...this.#globals.values()];
  }

  /** The topics of each. */
  get copartitions(): readonly (readonly string[])[] {
    return this.#copartitions.map((sources) =>
      sources.flatMap((name) => {
        const node = this.#nodes.get(name);
        return node?.kind === 'source' ? node.topics : [];
      }),
    );
  }

  get nodes(): readonly TopologyNode[] {
    return [...this.#nodes.values()];
  }

  get stores(): readonly StoreNode[] {
    return [...this.#stores.values()].flatMap(({ node }) => (node.processors.length > 0 ? [node] : []));
  }

  get repartitionTopics(): readonly RepartitionTopic[] {
    return [...this.#repartitions.values()];
  }

  /** Throws `TopologyError` when a processor uses a store that nobody brought. */
  checkStores(): void {
    for (const [store, users] of this.#users)
      demand(
        this.#stores.has(store) || this.#globals.has(store),
        `${users.join(', ')} asks for store ${store}, which does not exist`,
        'add it with addStateStore',
      );
  }

  subTopologies(): readonly SubTopology[] {
    this.checkStores();
    const parent = new Map<string, string>();
    for (const name of this.#nodes.keys()) parent.set(name, name);
    const find = (name: string): string => {
      let root = name;
      while (parent.get(root) !== root) root = must(parent.get(root));
      return root;
    };
    const order = [...this.#nodes.keys()];
    const union = (a: string, b: string): void => {
      const [first, second] = [find(a), find(b)].sort((x, y) => order.indexOf(x) - order.indexOf(y));
      parent.set(must(second), must(first));
    };
    for (const node of this.#nodes.values())
      if (node.kind !== 'source') for (const up of node.parents) union(node.name, up);
    const { stores } = this;
    for (const store of stores) for (const name of store.processors) union(name, must(store.processors[0]));
    const groups = new Map<string, TopologyNode[]>();
    for (const node of this.#nodes.values()) {
      const root = find(node.name);
      groups.set(root, [...(groups.get(root) ?? []), node]);
    }
    return [...groups.values()].map((nodes, index) => ({
      index,
      repeatable: this.#options.repeatable ?? false,
      nodes,
      stores: stores.filter((store) =>
        store.processors.some((name) => nodes.some((node) => node.name === name)),
      ),
    }));
  }

  /** Text that is stable for one topology: what users diff between releases. */
  describe(): string {
    const lines: string[] = ['Topologies:'];
    for (const sub of this.subTopologies()) {
      lines.push(`   Sub-topology: ${sub.index}`);
      for (const node of sub.nodes) {
        const children = sub.nodes.filter(
          (other) => other.kind !== 'source' && other.parents.includes(node.name),
        );
        const stores = sub.stores.filter((store) => store.processors.includes(node.name));
        switch (node.kind) {
          case 'source':
            lines.push(
              `    Source: ${node.name} (topics: ${node.pattern === undefined ? `[${node.topics.join(', ')}]` : node.pattern.source})`,
            );
            break;
          case 'processor':
            lines.push(
              `    Processor: ${node.name} (stores: [${stores.map((store) => store.options.name).join(', ')}])`,
            );
            break;
          case 'sink':
            lines.push(
              `    Sink: ${node.name} (topic: ${typeof node.topic === 'string' ? node.topic : 'per record'})`,
            );
            break;
        }
        if (node.kind !== 'sink')
          lines.push(`      --> ${children.map((child) => child.name).join(', ') || 'none'}`);
        if (node.kind !== 'source') lines.push(`      <-- ${node.parents.join(', ')}`);
      }
    }
    for (const { source, processorName, store } of this.#globals.values())
      lines.push(
        `   Global store: ${store.name}`,
        `    Source: ${source.name} (topics: [${source.topics.join(', ')}])`,
        `      --> ${processorName}`,
        `    Processor: ${processorName} (stores: [${store.name}])`,
        '      --> none',
        `      <-- ${source.name}`,
      );
    return `${lines.join('\n')}\n`;
  }

  #bring(store: StoreDefinition, owner: string): void {
    const { name } = store.options;
    demand(!this.#globals.has(name), `store ${name} exists already`, ONE_STORE);
    const known = this.#stores.get(name);
    demand(
      known === undefined || known.store === store,
      `store ${name} of ${owner} has the name of a store of ${known?.owner}`,
      ONE_STORE,
    );
    if (known !== undefined) return;
    this.#stores.set(name, { store, owner, node: { ...store, processors: this.#usersOf(name) } });
  }

  #usersOf(store: string): string[] {
    let users = this.#users.get(store);
    if (users === undefined) this.#users.set(store, (users = []));
    return users;
  }

  #add(node: TopologyNode): this {
    demand(!this.#nodes.has(node.name), `node ${node.name} exists already`);
    if (node.kind !== 'source') {
      demand(node.parents.length > 0, `node ${node.name} has no parents`);
      for (const name of node.parents) {
        const up = named(this.#nodes.get(name), `no node ${name}`);
        demand(up.kind !== 'sink', `sink ${name} has no children`);
      }
    }
    this.#nodes.set(node.name, node);
    return this;
  }
}
