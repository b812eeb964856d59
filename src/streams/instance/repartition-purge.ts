import type { LogAdmin } from '../../log/log.ts';
import type { Task } from '../task/task.ts';

/** How often consumed repartition records are deleted (Kafka Streams: repartition.purge.interval.ms). */
const PURGE_INTERVAL_MS = 30_000;

/** Deletes records of repartition topics once the task that reads them has committed that it did. */
export class RepartitionPurge {
  readonly #admin: LogAdmin;
  /** The log's names. */
  readonly #topics: ReadonlySet<string>;
  #lastMs: number;

  constructor(admin: LogAdmin, topics: ReadonlySet<string>, now: number) {
    this.#admin = admin;
    this.#topics = topics;
    this.#lastMs = now;
  }

  async purgeWhenDue(tasks: readonly Task[], now: number): Promise<void> {
    if (now - this.#lastMs < PURGE_INTERVAL_MS) return;
    this.#lastMs = now;
    for (const task of tasks)
      for (const { topic, partition, committed } of task.inputs)
        if (this.#topics.has(topic) && !task.commitNeeded)
          await this.#admin.deleteRecords({ topic, partition, offset: committed });
  }
}
