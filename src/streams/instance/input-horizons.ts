import { must } from '../../common/assert.ts';
import type { TopicPartition } from '../../log/log.ts';
import type { Topology } from '../topology/topology.ts';
import type { Task } from '../task/task.ts';
import type { Horizon } from '../task/input-queue.ts';

export interface HorizonsHost {
  readonly tasks: readonly Task[];
  /** The log's name of a topic that the topology names. */
  readonly topicName: (topic: string) => string;
  /** The earliest time of a record that may be in a partition, or on its way to it, and was not fetched. */
  unfetchedFrom(input: TopicPartition): number;
}

/**
 * How far a repartition topic has come in time, as those of its writers know that run in this process. An input that is
 * empty because its sub-topology has not got there yet is not at its end: a task that joins it with another input would
 * otherwise run ahead, and drop as late what comes through the topic.
 *
 * Only tasks of this process are known. What other processes still have in hand would have to come with the records of
 * the topic; `of` is where that would be added.
 */
export class InputHorizons {
  readonly #host: HorizonsHost;
  /** By the log's name of a repartition topic: the sub-topologies that write to it. */
  readonly #writers = new Map<string, number[]>();
  /** By sub-topology: all those whose output reaches it, itself too where there is a cycle. */
  readonly #above = new Map<number, ReadonlySet<number>>();
  /** Holds until something is processed, sent or fetched. */
  readonly #known = new Map<string, number>();

  constructor(topology: Topology, host: HorizonsHost) {
    this.#host = host;
    const own = new Set(topology.repartitionTopics.map(({ name }) => name));
    const subs = topology.subTopologies();
    for (const { index, nodes } of subs)
      for (const node of nodes)
        if (node.kind === 'sink' && typeof node.topic === 'string' && own.has(node.topic)) {
          const name = host.topicName(node.topic);
          this.#writers.set(name, [...(this.#writers.get(name) ?? []), index]);
        }
    const direct = new Map(
      subs.map(({ index, nodes }) => [
        index,
        nodes.flatMap((node) =>
          node.kind === 'source'
            ? node.topics.flatMap((topic) => this.#writers.get(host.topicName(topic)) ?? [])
            : [],
        ),
      ]),
    );
    for (const { index } of subs) {
      const above = new Set<number>();
      const visit = (sub: number): void => {
        for (const each of must(direct.get(sub)))
          if (!above.has(each)) {
            above.add(each);
            visit(each);
          }
      };
      visit(index);
      this.#above.set(index, above);
    }
  }

  /** To be called when something was processed, sent or fetched. */
  changed(): void {
    this.#known.clear();
  }

  /**
   * The horizon of an input of the sub-topology `reader`; null when no task of this process writes to it, and when what is
   * written there answers to the reader itself (a join by foreign key): each of its rows would wait for the answers to
   * those before, which takes two transactions where output is seen when it is committed.
   */
  of(reader: number, { topic, partition }: TopicPartition): Horizon | null {
    const writers = this.#writers.get(topic);
    if (writers === undefined || writers.some((sub) => must(this.#above.get(sub)).has(reader))) return null;
    const key = `${topic}-${partition}`;
    return () => {
      let time = this.#known.get(key);
      if (time === undefined) {
        time = this.#host.unfetchedFrom({ topic, partition });
        if (time === Infinity) time = this.#earliest(writers, reader);
        this.#known.set(key, time);
      }
      return time;
    };
  }

  /**
   * The earliest record that any task of these sub-topologies, or of those above them, has not processed. At equal times
   * they go before the reader, unless they in turn wait for it.
   */
  #earliest(writers: readonly number[], reader: number): number {
    const above = new Set(writers);
    for (const sub of writers) for (const each of must(this.#above.get(sub))) above.add(each);
    let earliest = Infinity;
    for (const task of this.#host.tasks) {
      const sub = task.subTopology.index;
      if (sub === reader || !above.has(sub)) continue;
      const time = task.earliest((input) => this.#host.unfetchedFrom(input));
      earliest = Math.min(earliest, this.#above.get(sub)!.has(reader) ? time : time - 0.5);
    }
    return earliest;
  }
}
