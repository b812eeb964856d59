import type { Clock } from '../../common/clock.ts';
import type { TopicPartition } from '../../log/log.ts';
import type { SubTopology, Topology } from '../topology/topology.ts';
import { Chunk } from '../task/chunk.ts';
import type { Task } from '../task/task.ts';

/**
 * Whether a sub-topology writes to other partitions than it reads: the next reader then gets records of several tasks in
 * one partition, in the order in which those tasks wrote them.
 */
export function mixesPartitions({ nodes }: SubTopology, { repartitionTopics }: Topology): boolean {
  return nodes.some(
    (node) =>
      node.kind === 'sink' &&
      (node.repartitions === true || repartitionTopics.some(({ name }) => name === node.topic)),
  );
}

/**
 * The tasks of a sub-topology whose output mixes partitions, run as one: whichever has the oldest record goes on, until
 * another has an older one. So the partitions are merged by time, and nothing is late for a reader of the output that
 * was in time by its data. Tasks that took turns of thousands of records would leave windows and joins behind them
 * hours of stream time apart.
 */
export class MergedTasks {
  readonly #tasks: readonly Task[];
  readonly #clock: Clock;
  readonly #ofEmpty: (input: TopicPartition) => number;
  readonly #times: Float64Array;

  /** `ofEmpty`: the earliest time of a record that may come into an input that is empty. */
  constructor(tasks: readonly Task[], clock: Clock, ofEmpty: (input: TopicPartition) => number) {
    this.#tasks = tasks;
    this.#clock = clock;
    this.#ofEmpty = ofEmpty;
    this.#times = new Float64Array(tasks.length);
  }

  /** As `TaskTurn.processChunk`, for all of them together. */
  async processChunk(recordsMax: number, deadlineMs: number): Promise<number> {
    const tasks = this.#tasks;
    const times = this.#times;
    if (tasks.some((task) => task.paused)) return 0;
    for (const [i, task] of tasks.entries()) {
      await task.turn.prepare(recordsMax);
      times[i] = task.earliest(this.#ofEmpty);
    }
    const chunk = new Chunk(recordsMax, deadlineMs);
    for (;;) {
      let oldest = 0;
      let time = times[0]!;
      let next = Infinity;
      for (let i = 1; i < times.length; i++) {
        const each = times[i]!;
        if (each < time) {
          next = time;
          time = each;
          oldest = i;
        } else if (each < next) {
          next = each;
        }
      }
      if (time === Infinity) return chunk.done;
      const task = tasks[oldest]!;
      const before = chunk.done;
      if (!task.turn.run(chunk, next)) {
        await task.load();
        continue;
      }
      const { done, nextMs } = chunk;
      // It waits for records that are on their way, which may be older than all that are here; or there was enough.
      if (done === before || done >= recordsMax || task.paused) return done;
      if ((done & 127) === 0 && this.#clock.monotonic() >= deadlineMs) return done;
      times[oldest] = nextMs >= 0 ? nextMs : task.earliest(this.#ofEmpty);
    }
  }
}
