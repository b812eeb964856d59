import type { Committer } from './committer.ts';
import { stateOwner } from './local-state.ts';
import type { StreamsOptions } from './streams-options.ts';
import type { Task } from '../task/task.ts';
import type { TaskMeta } from './task-meta.ts';

/** What stays of an application's bytes when they are too many, so that they are not again at once. */
const KEPT_SHARE = 0.75;
/** How much comes, as a part of what may stay, before room is made again. */
const GROWTH_SHARE = 1 / 4;

/** Writes committed state of all tasks of an instance to disk, and keeps what is in memory within its budget. */
export class StatePersistence {
  readonly #options: StreamsOptions;
  readonly #committer: Committer;
  #lastMs: number;
  /** What the tasks held after the last time. */
  #heldBytes = 0;

  constructor(options: StreamsOptions, committer: Committer) {
    this.#options = options;
    this.#committer = committer;
    this.#lastMs = options.clock.now();
  }

  async persistWhenDue(tasks: readonly Task[], now: number): Promise<void> {
    const {
      stateDirectory,
      persistIntervalMs = 2000,
      unpersistedBytesMax = 64 * 1024 * 1024,
    } = this.#options;
    let held = 0;
    let unpersisted = 0;
    for (const { state } of tasks) {
      held += state.memoryBytes;
      unpersisted += state.unpersistedBytes;
    }
    const kept = this.#keptBytes(tasks, held);
    const isDue = now - this.#lastMs >= persistIntervalMs;
    // Some of it may be what cannot leave memory: it is not tried again for every record.
    if (kept < held && (isDue || held - this.#heldBytes > kept * GROWTH_SHARE)) return this.persist(tasks);
    if (stateDirectory === null || unpersisted === 0) return;
    if (isDue || unpersisted > unpersistedBytesMax) await this.persist(tasks);
  }

  /** Right after a commit, with nothing processed in between: what is written is what is committed. */
  async persist(tasks: readonly Task[]): Promise<void> {
    const isDurable = this.#options.stateDirectory !== null;
    const held = heldBytes(tasks);
    const kept = this.#keptBytes(tasks, held);
    if (!isDurable && kept >= held) return;
    for (const task of tasks) {
      const { state } = task;
      if (task.stores.size === 0 || task.commitNeeded || !state.canShrink) continue;
      if (!isDurable) await state.spill();
      // No database for a task that never had a row.
      if (state.meta === null && state.unpersistedBytes === 0) continue;
      await state.persist(isDurable ? JSON.stringify(this.#metaOf(task)) : '');
    }
    if (kept < held) for (const { state } of tasks) state.evict((state.memoryBytes / held) * kept);
    this.#heldBytes = heldBytes(tasks);
    this.#lastMs = this.#options.clock.now();
  }

  /** How many of the bytes that the tasks hold may stay, by what is allowed to the application and to the process. */
  #keptBytes(tasks: readonly Task[], held: number): number {
    let share = 0;
    for (const { state } of tasks) share += state.claim();
    const { stateBytesMax = Infinity } = this.#options;
    return held > stateBytesMax ? Math.min(share, stateBytesMax * KEPT_SHARE) : share;
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

function heldBytes(tasks: readonly Task[]): number {
  return tasks.reduce((sum, { state }) => sum + state.memoryBytes, 0);
}
