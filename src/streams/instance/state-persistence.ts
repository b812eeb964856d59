import type { Committer } from './committer.ts';
import { stateOwner } from './local-state.ts';
import type { StreamsOptions } from './streams-options.ts';
import type { Task } from '../task/task.ts';
import type { TaskMeta } from './task-meta.ts';

/** Writes committed state of all tasks of an instance to disk, and keeps what is in memory within its budget. */
export class StatePersistence {
  readonly #options: StreamsOptions;
  readonly #committer: Committer;
  #lastMs: number;

  constructor(options: StreamsOptions, committer: Committer) {
    this.#options = options;
    this.#committer = committer;
    this.#lastMs = options.clock.now();
  }

  async persistWhenDue(tasks: readonly Task[], now: number): Promise<void> {
    if (this.#options.stateDirectory === null) return;
    const bytes = tasks.reduce((sum, task) => sum + task.state.unpersistedBytes, 0);
    const interval = this.#options.persistIntervalMs ?? 2000;
    const full = bytes > (this.#options.unpersistedBytesMax ?? 64 * 1024 * 1024);
    if (bytes === 0 || (!full && now - this.#lastMs < interval)) return;
    await this.persist(tasks);
  }

  /** Right after a commit, with nothing processed in between: what is written is what is committed. */
  async persist(tasks: readonly Task[]): Promise<void> {
    if (this.#options.stateDirectory === null) return;
    for (const task of tasks) {
      if (task.stores.size === 0 || task.commitNeeded) continue;
      // No database for a task that never had a row.
      if (task.state.meta === null && task.state.unpersistedBytes === 0) continue;
      await task.state.persist(JSON.stringify(this.#metaOf(task)));
    }
    const budget = this.#options.stateBytesMax ?? 512 * 1024 * 1024;
    const total = tasks.reduce((sum, task) => sum + task.state.memoryBytes, 0);
    if (total > budget)
      for (const task of tasks) task.state.evict((task.state.memoryBytes / total) * budget * 0.75);
    this.#lastMs = this.#options.clock.now();
  }

  #metaOf(task: Task): TaskMeta {
    const inputs: Record<string, number> = {};
    // Not its position, which steps over markers: state is not taken from a directory that is ahead of what is committed.
    for (const { topic, partition, committed } of task.inputs) inputs[`${topic}-${partition}`] = committed;
    return {
      format: 1,
      owner: stateOwner(this.#options.applicationId, task.id),
      inputs,
      changelogs: Object.fromEntries(this.#committer.changelogPositions(task)),
      numbers: task.persistedNumbers(),
    };
  }
}
