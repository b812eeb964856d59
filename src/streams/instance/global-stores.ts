import type { GlobalStoreNode, TopologyNode } from '../topology/topology.ts';
import type { InputBuffers } from './input-buffers.ts';
import type { InputQueue } from '../task/input-queue.ts';
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
    const { options, reader } = this.#host;
    const ends = new Map<InputQueue, number>();
    for (const node of this.task.subTopology.nodes) {
      if (node.kind !== 'source') continue;
      for (const topic of node.topics)
        for (const [partition, { start, end }] of (await options.log.admin.offsets(topic)).entries()) {
          const input = this.task.addInput(topic, start, partition);
          ends.set(input, end);
          this.#inputs.add(input);
        }
    }
    while ([...ends].some(([input, end]) => this.#inputs.position(input) < end)) {
      this.#inputs.push(await reader.poll(100));
      await this.follow(chunk);
    }
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
