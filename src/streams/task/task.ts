import { must } from '../../common/assert.ts';
import type { StateStore, TaskState } from '../../state/store.ts';
import { sourceOrder } from '../topology/source-order.ts';
import type { SourceNode, SubTopology, TopologyNode } from '../topology/topology.ts';
import { CurrentRecord } from './current-record.ts';
import { InputQueue } from './input-queue.ts';
import { NodeContext, type TaskInternals } from './node-context.ts';
import { PartitionGroup } from './partition-group.ts';
import { PersistedNumbers } from './persisted-numbers.ts';
import { Punctuations } from './punctuations.ts';
import { RecordFailures } from './record-failures.ts';
import { RecordSink } from './record-sink.ts';
import type { TaskOptions } from './task-options.ts';
import { TaskSource } from './task-source.ts';
import { TaskTurn } from './task-turn.ts';
import { failOnInvalidTimestamp } from './timestamp-extractors.ts';

/** One partition of one sub-topology: its operators, its state, its inputs. Runs in one thread, synchronously. */
export class Task {
  readonly id: string;
  /** Replaced when its sources by pattern have found more topics; the nodes stay the same. */
  subTopology: SubTopology;
  readonly partition: number;
  readonly state: TaskState;
  readonly inputs: InputQueue[] = [];
  readonly stores = new Map<string, StateStore>();
  /** Processes its records. */
  readonly turn: TaskTurn;
  /** Something happened since the last commit that a restart would need to know. */
  commitNeeded = false;
  commitRequested = false;
  recordsProcessed = 0;
  /** While it is set no chunk goes on to another record. */
  paused = false;

  readonly #internals: TaskInternals;
  /** By name, in topological order. */
  readonly #nodes = new Map<string, NodeContext>();
  /** Whose `init` was called, and whose `close` was not. */
  readonly #initialized: NodeContext[] = [];
  readonly #group: PartitionGroup;

  constructor(options: TaskOptions, restoredNumbers: Readonly<Record<string, number>>) {
    this.subTopology = options.subTopology;
    this.partition = options.partition;
    this.state = options.state;
    this.id = `${options.subTopology.index}_${options.partition}`;
    const record = new CurrentRecord();
    const numbers = new PersistedNumbers(restoredNumbers);
    this.#internals = {
      options,
      record,
      numbers,
      streamTime: numbers.number('task stream-time', -1),
      failures: new RecordFailures(options, this.id, record),
      streamPunctuations: new Punctuations('stream-time'),
      wallPunctuations: new Punctuations('wall-clock'),
    };
    this.#group = new PartitionGroup(options, (source) => must(sourceOrder(this.subTopology).get(source)));
    for (const store of options.subTopology.stores)
      this.stores.set(store.options.name, this.state.openStore(store.options));
    for (const node of options.subTopology.nodes) if (node.kind !== 'source') this.#addNode(node);
    const processors = [...this.#nodes.values()].map((node) => node.processor);
    this.turn = new TaskTurn(this, this.#internals, this.#group, processors);
  }

  /** The greatest timestamp seen. */
  get streamTime(): number {
    return this.#internals.streamTime.value;
  }

  /** Calls every operator's `init`. After the state is restored and `ready`, before the first record. */
  init(): void {
    for (const node of this.#nodes.values()) {
      this.#initialized.push(node);
      this.turn.redo.waiting(initialize, node);
    }
  }

  /**
   * Starts reading an input partition at `offset`: of this task's number, except for global stores, which read all.
   * `topic` is the topology's name.
   */
  addInput(topic: string, offset: number, partition = this.partition): InputQueue {
    const { options, numbers } = this.#internals;
    const source = must(
      this.#sourceNodes.find((node) => node.topics.includes(topic)),
      `no source for ${topic}`,
    );
    const queue = new InputQueue(options.topicName(topic), partition, offset);
    this.inputs.push(queue);
    const extractor = source.timestampExtractor ?? options.timestampExtractor ?? failOnInvalidTimestamp;
    const time = numbers.number(`input-time ${queue.topic}-${partition}`, -1);
    this.#group.add(new TaskSource(source, this.#children(source.name), queue, extractor, time));
    return queue;
  }

  /** See `PartitionGroup.earliest`. */
  earliest(ofEmpty: (input: InputQueue) => number): number {
    return this.#group.earliest(ofEmpty);
  }

  /** Loads the state that a reader from outside has missed; the task processes nothing meanwhile. */
  load(): Promise<void> {
    return this.turn.redo.load();
  }

  /** See `Redo.ready`. */
  ready(): Promise<void> {
    return this.turn.redo.ready();
  }

  /** Topics that it writes have other numbers of partitions: records go to all of them from now on. */
  sinkPartitionsChanged(): void {
    this.#internals.options.output.partitionsChanged();
    for (const { processor } of this.#nodes.values())
      if (processor instanceof RecordSink) processor.partitionsChanged();
  }

  /** Numbers that operators want back after a restart. */
  persistedNumbers(): Record<string, number> {
    return this.#internals.numbers.toObject();
  }

  /** Functions that close the operators that were opened, one each, so that one that throws does not keep others open. Once. */
  closers(): (() => Promise<void>)[] {
    const { redo } = this.turn;
    return this.#initialized.splice(0).map((node) => async () => {
      try {
        // The last commit may have taken out of memory what it reads.
        await redo.ready();
      } finally {
        redo.waiting(close, node);
      }
    });
  }

  get #sourceNodes(): readonly SourceNode[] {
    return this.subTopology.nodes.filter((node) => node.kind === 'source');
  }

  #children(parent: string): NodeContext[] {
    return this.subTopology.nodes
      .filter((node) => node.kind !== 'source' && node.parents.includes(parent))
      .map((node) => must(this.#nodes.get(node.name)));
  }

  #addNode(node: Exclude<TopologyNode, { kind: 'source' }>): void {
    const { topicName, output } = this.#internals.options;
    const processor = node.kind === 'sink' ? new RecordSink(node, topicName, output) : node.open();
    const context = new NodeContext(this, this.#internals, node, processor);
    this.#nodes.set(node.name, context);
    for (const parent of node.parents) this.#nodes.get(parent)?.addChild(context);
  }
}

function initialize(node: NodeContext): void {
  node.processor.init?.(node);
}

function close(node: NodeContext): void {
  node.processor.close?.();
}
