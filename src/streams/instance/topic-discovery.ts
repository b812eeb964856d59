import { nextTurn } from '../../common/clock.ts';
import { type LogAdmin, LogError, type TopicDescription } from '../../log/log.ts';
import type { Topology } from '../topology/topology.ts';
import { topicsRead } from './internal-topics.ts';

/** What a look at the log has found. */
export interface FoundTopics {
  /** The topology with every topic that its patterns match. */
  readonly topology: Topology;
  /** Each topic of the log that it reads, or writes by a fixed name; without those that are not there. */
  readonly topics: ReadonlyMap<string, TopicDescription>;
}

/** Looks for the topics that a topology's sources by pattern read, and for partitions that its topics have got. */
export class TopicDiscovery {
  readonly #topology: Topology;
  readonly #admin: LogAdmin;
  readonly #internalPrefix: string;
  readonly #intervalMs: number;
  #lastMs: number;
  #found: readonly string[] = [];
  #looking = false;
  #result: { readonly found: FoundTopics } | { readonly error: unknown } | null = null;

  constructor(
    topology: Topology,
    admin: LogAdmin,
    applicationId: string,
    { intervalMs, now }: { readonly intervalMs: number; readonly now: number },
  ) {
    this.#topology = topology;
    this.#admin = admin;
    this.#internalPrefix = `${applicationId}-`;
    this.#intervalMs = intervalMs;
    this.#lastMs = now;
  }

  /** When to look again; Infinity while it looks. */
  get dueMs(): number {
    return this.#looking ? Infinity : this.#lastMs + this.#intervalMs;
  }

  /**
   * The topology with every topic that is there now or was found before: one that is deleted while it is read is for the
   * reader to tell. Throws `LogError` `invalid-topic` when a topic would belong to two sources.
   */
  async resolve(now: number): Promise<Topology> {
    this.#lastMs = now;
    if (!this.#topology.hasPatterns) return this.#topology;
    const names = (await this.#admin.listTopics()).filter((name) => !this.#isInternal(name));
    this.#found = [...new Set([...this.#found, ...names])];
    return this.#topology.resolve(this.#found);
  }

  /**
   * Looks when that is due, and gives what was found since the last call, or null. Nothing waits for a log that takes its
   * time: what it says is given later; when it is away, that is for the reader to tell, and it is asked again when
   * that is due. Throws as `resolve` does.
   */
  async found(now: number): Promise<FoundTopics | null> {
    if (now >= this.dueMs) {
      this.#looking = true;
      void this.#look(now).finally(() => {
        this.#looking = false;
      });
      await nextTurn();
    }
    const result = this.#result;
    this.#result = null;
    if (result === null) return null;
    if ('error' in result) throw result.error;
    return result.found;
  }

  async #look(now: number): Promise<void> {
    try {
      const topology = await this.resolve(now);
      const topics = new Map<string, TopicDescription>();
      for (const topic of namedTopics(topology)) {
        const description = await this.#admin.describeTopic(topic);
        if (description !== undefined) topics.set(topic, description);
      }
      this.#result = { found: { topology, topics } };
    } catch (error) {
      if (!(error instanceof LogError && (error.kind === 'unavailable' || error.kind === 'closed')))
        this.#result = { error };
    }
  }

  /** Topics of the log itself, and those that the application makes: a pattern that takes all would read its own. */
  #isInternal(name: string): boolean {
    return (
      name.startsWith('__') ||
      (name.startsWith(this.#internalPrefix) && /-(changelog|repartition|topic)$/.test(name))
    );
  }
}

/** Topics that the topology did not make itself: those that it reads, and those that it writes by a fixed name. */
function namedTopics(topology: Topology): ReadonlySet<string> {
  const names = new Set(topicsRead(topology));
  for (const node of topology.nodes)
    if (node.kind === 'sink' && typeof node.topic === 'string') names.add(node.topic);
  for (const { name } of topology.repartitionTopics) names.delete(name);
  return names;
}
