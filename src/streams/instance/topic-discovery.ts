import type { LogAdmin } from '../../log/log.ts';
import type { Topology } from '../topology/topology.ts';

/** Looks for the topics that a topology's sources by pattern read. */
export class TopicDiscovery {
  readonly #topology: Topology;
  readonly #admin: LogAdmin;
  readonly #internalPrefix: string;
  readonly #intervalMs: number;
  #lastMs: number;
  #found: readonly string[] = [];

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

  /** When to look again; Infinity for a topology without patterns. */
  get dueMs(): number {
    return this.#topology.hasPatterns ? this.#lastMs + this.#intervalMs : Infinity;
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

  /** Topics of the log itself, and those that the application makes: a pattern that takes all would read its own. */
  #isInternal(name: string): boolean {
    return (
      name.startsWith('__') ||
      (name.startsWith(this.#internalPrefix) && /-(changelog|repartition|topic)$/.test(name))
    );
  }
}
