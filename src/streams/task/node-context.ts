import { must } from '../../common/assert.ts';
import type { StateStore } from '../../state/store.ts';
import type {
  PersistedNumber,
  Processor,
  ProcessorContext,
  PunctuationKind,
  RecordContext,
  RecordPart,
  SkipReason,
} from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';
import { shown } from '../topology/record-time.ts';
import { demand, named } from '../topology/topology-error.ts';
import type { StoreNode, SubTopology, TopologyNode } from '../topology/topology.ts';
import type { CurrentRecord } from './current-record.ts';
import type { PersistedNumbers } from './persisted-numbers.ts';
import type { Punctuations } from './punctuations.ts';
import type { RecordFailures } from './record-failures.ts';
import type { TaskOptions } from './task-options.ts';

/** A node's task, as the node sees it. */
export interface OwnTask {
  readonly id: string;
  readonly subTopology: SubTopology;
  readonly stores: ReadonlyMap<string, StateStore>;
  commitRequested: boolean;
}

/** The parts of a task that its nodes share. */
export interface TaskInternals {
  readonly options: TaskOptions;
  readonly record: CurrentRecord;
  readonly numbers: PersistedNumbers;
  /** The greatest timestamp seen; -1 before the first. */
  readonly streamTime: PersistedNumber;
  readonly failures: RecordFailures;
  readonly streamPunctuations: Punctuations;
  readonly wallPunctuations: Punctuations;
}

/** One operator in one task: hands records to it, and is its context. */
export class NodeContext implements ProcessorContext {
  readonly processor: Processor;
  readonly nodeName: string;
  readonly applicationId: string;
  readonly taskId: string;
  readonly record: RecordContext;
  readonly #task: OwnTask;
  readonly #internals: TaskInternals;
  readonly #stores: readonly StoreNode[];
  #children: NodeContext[] = [];
  #only: NodeContext | null = null;

  constructor(task: OwnTask, internals: TaskInternals, node: TopologyNode, processor: Processor) {
    this.processor = processor;
    this.nodeName = node.name;
    this.#task = task;
    this.#internals = internals;
    this.applicationId = this.#internals.options.applicationId;
    this.taskId = task.id;
    this.record = this.#internals.record;
    this.#stores = task.subTopology.stores.filter((store) => store.processors.includes(node.name));
  }

  keepRecord(): () => void {
    return this.#internals.record.keep();
  }

  addChild(child: NodeContext): void {
    this.#children.push(child);
    this.#only = this.#children.length === 1 ? child : null;
  }

  streamTime(): number {
    return this.#internals.streamTime.value;
  }

  now(): number {
    return this.#internals.options.clock.now();
  }

  /** When a child fails on the data, its siblings still get the record, and the caller may forward more. */
  forward(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    if (this.#only !== null) return this.#only.receive(key, value, old, timestamp);
    const children = this.#children;
    for (let i = 0; i < children.length; i++) children[i]!.receive(key, value, old, timestamp);
    return undefined;
  }

  forwardTo(child: string, key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    const node = named(
      this.#children.find((each) => each.nodeName === child),
      `${this.nodeName} has no child ${child}`,
    );
    node.receive(key, value, old, timestamp);
  }

  receive(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    try {
      this.processor.process(key, value, old, timestamp);
    } catch (error) {
      this.#internals.failures.failed(this.nodeName, 'evaluation', error);
    }
  }

  store(name: string): StateStore {
    const global = this.#internals.options.globalStores?.get(name);
    if (global !== undefined) return global;
    demand(
      this.#stores.some((store) => store.options.name === name),
      `store ${name} is not connected to ${this.nodeName}`,
      'name it in the `stores` of the operation',
    );
    return must(this.#task.stores.get(name));
  }

  schedule(intervalMs: number, kind: PunctuationKind, callback: (timestamp: number) => void): () => void {
    const known: readonly string[] = ['stream-time', 'wall-clock'] satisfies PunctuationKind[];
    if (!known.includes(kind))
      throw new TypeError(
        `${this.nodeName} schedules by ${shown(kind)}: it is 'stream-time' or 'wall-clock'`,
      );
    if (!Number.isSafeInteger(intervalMs) || intervalMs < 1)
      throw new RangeError(
        `${this.nodeName} schedules each ${shown(intervalMs)} ms: it takes whole ones, 1 or more`,
      );
    if (typeof callback !== 'function')
      throw new TypeError(`${this.nodeName} schedules ${shown(callback)}: it takes a function`);
    const { streamPunctuations, wallPunctuations } = this.#internals;
    const punctuations = kind === 'stream-time' ? streamPunctuations : wallPunctuations;
    return punctuations.schedule(intervalMs, this.now(), (timestamp) => {
      try {
        callback(timestamp);
      } catch (error) {
        this.#internals.failures.failed(this.nodeName, 'evaluation', error);
      }
    });
  }

  requestCommit(): void {
    this.#task.commitRequested = true;
  }

  persisted(name: string, initial: number): PersistedNumber {
    return this.#internals.numbers.number(`${this.nodeName} ${name}`, initial);
  }

  shared(name: string, initial: number): PersistedNumber {
    return this.#internals.numbers.number(name, initial);
  }

  skip(reason: SkipReason, detail: string, error?: unknown, part?: RecordPart): void {
    this.#internals.failures.skip(this.nodeName, reason, detail, error, part);
  }
}
