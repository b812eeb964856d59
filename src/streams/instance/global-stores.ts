import type { GlobalStoreNode, TopologyNode } from '../topology/topology.ts';
import type { InputBuffers } from './input-buffers.ts';
import type { InputQueue } from '../task/input-queue.ts';
import { sourcesOf } from './internal-topics.ts';
import type { Task } from '../task/task.ts';
import { newTask, type TaskHost } from './task-host.ts';

/** The stores that every task of an instance may read, kept by a task of their own that commits nothing. */
export class GlobalStores {
  readonly task: Task;
  readonly #host: TaskHost;
  readonly #inputs: InputBuffers;

  private constructor(task: Task, host: TaskHost, inputs: InputBuffers) {
    this.task = task;
    this.#host = host;
    this.#inputs = inputs;
  }

  /** `index` is a sub-topology number that no other has. Empty until `readToEnd`. */
  static async open(
    globals: readonly GlobalStoreNode[],
    index: number,
    host: TaskHost,
    inputs: InputBuffers,
  ): Promise<GlobalStores> {
    const nodes: TopologyNode[] = [];
    for (const { source, processorName, open } of globals)
      nodes.push(
        { kind: 'source', ...source },
        { kind: 'processor', name: processorName, open, parents: [source.name] },
      );
    const stores = globals.map(({ store, processorName }) => ({
      options: store,
      processors: [processorName],
    }));
    const state = await host.options.state.openTaskState(null);
    try {
      const task = newTask(
        host,
        { index, repeatable: false, nodes, stores },
        0,
        state,
        {},
        { maxIdleMs: -1, lagOf: () => 0 },
      );
      task.init();
      return new GlobalStores(task, host, inputs);
    } catch (error) {
      await state.close();
      throw error;
    }
  }

  /** Reads the topics to their present end. */
  async readToEnd(chunk: (task: Task) => Promise<number>): Promise<void> {
    const { reader } = this.#host;
    const ends = await this.openInputs();
    while ([...ends].some(([input, end]) => this.#inputs.position(input) < end)) {
      this.#inputs.push(await reader.poll(100));
      await this.follow(chunk);
    }
  }

  /** Reads all partitions that are not read yet from their beginning. Returns where each of them ends now. */
  async openInputs(): Promise<ReadonlyMap<InputQueue, number>> {
    const { admin } = this.#host.options.log;
    const opened = new Map<InputQueue, number>();
    for (const topic of sourcesOf(this.task.subTopology))
      for (const [partition, { start, end }] of (await admin.offsets(topic)).entries()) {
        const isThere = this.task.inputs.some(
          (input) => input.topic === topic && input.partition === partition,
        );
        if (isThere) continue;
        const input = this.task.addInput(topic, start, partition);
        opened.set(input, end);
        this.#inputs.add(input);
      }
    return opened;
  }

  /** Processes what has come. Returns how many records. */
  async follow(chunk: (task: Task) => Promise<number>): Promise<number> {
    if (this.task.inputs.every((input) => input.isEmpty)) return 0;
    const processed = await chunk(this.task);
    this.settle();
    return processed;
  }

  /** There is no changelog: what changed need not be remembered. */
  settle(): void {
    for (const store of this.task.stores.values()) this.task.state.drainChangelog(store, () => undefined);
    this.task.commitNeeded = false;
  }
}
