import { branch } from '../processors/branch.ts';
import { passThrough } from '../processors/pass-through.ts';
import type { Predicate } from '../topology/processor.ts';
import { type GraphNode, userKey } from './graph.ts';
import type { KStream } from './kstream.ts';
import { holds, plain } from './user-function.ts';
import type { Named } from './options.ts';

/** Branches of a stream: each record goes to the first whose predicate holds. */
export class BranchedKStream<K, V> {
  readonly #stream: KStream<K, V>;
  readonly #node: GraphNode;
  readonly #prefix: string;
  readonly #predicates: { readonly child: string; readonly predicate: Predicate }[] = [];
  readonly #branches = new Map<string, KStream<K, V>>();
  #otherwise: string | null = null;

  /** @internal */
  constructor(stream: KStream<K, V>, named: Named) {
    const { graph, node: parent } = stream.handle;
    this.#stream = stream;
    const name = graph.nameFor(named.name, 'KSTREAM-BRANCH-');
    this.#prefix = name;
    this.#node = graph.addProcessor([parent], {
      name,
      open: branch(this.#predicates, () => this.#otherwise),
    });
  }

  /** The next branch, under `prefix + name` (its number when it has none) in the result. */
  branch(predicate: (key: K, value: V) => boolean, named: Named = {}): this {
    const child = this.#prefix + (named.name ?? String(this.#predicates.length + 1));
    plain(predicate, child);
    this.#predicates.push({
      child,
      predicate: (value, key) => holds(predicate(userKey(key) as K, value as V), 'predicate'),
    });
    this.#add(child);
    return this;
  }

  /** The branch of the rest, under `prefix + name` (`0` when it has none). Gives all branches. */
  defaultBranch(named: Named = {}): ReadonlyMap<string, KStream<K, V>> {
    this.#otherwise = this.#prefix + (named.name ?? '0');
    this.#add(this.#otherwise);
    return this.#branches;
  }

  /** All branches; the rest is dropped. */
  noDefaultBranch(): ReadonlyMap<string, KStream<K, V>> {
    return this.#branches;
  }

  #add(name: string): void {
    const { graph } = this.#stream.handle;
    // Kafka Streams uses up a name for each branch.
    graph.newName(name);
    const node = graph.addProcessor([this.#node], { name, open: passThrough() });
    this.#branches.set(name, graph.fluent.stream({ ...this.#stream.handle, node }));
  }
}
