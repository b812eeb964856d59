import type { StateStore, StateStoreOptions } from '../../src/state/store.ts';
import { openStateBackend } from '../../src/state/task-state.ts';
import type { Processor, ProcessorContext } from '../../src/streams/topology/processor.ts';
import { RecordKey } from '../../src/streams/topology/record-key.ts';
import { stringSerde } from '../../src/streams/topology/serde.ts';

export interface Forwarded {
  readonly key: string | null;
  /** [start, end] of a windowed key. */
  readonly window: readonly [number, number] | null;
  readonly value: unknown;
  readonly old: unknown;
  readonly timestamp: number;
}

export interface OpenedProcessor {
  readonly processor: Processor;
  /** What was forwarded since it was emptied last. */
  readonly forwarded: Forwarded[];
  readonly skipped: string[];
  readonly stores: ReadonlyMap<string, StateStore>;
  commitsRequested: number;
  /** Called before each forward is noted; may throw, as a child may. */
  onForward: () => void;
  process(
    key: string | null,
    value: unknown,
    old: unknown,
    timestamp: number,
    window?: [number, number],
  ): void;
  /** What was forwarded since the last call. */
  taken(): Forwarded[];
}

/** One operator by itself, over stores in memory: what it forwards and drops is kept. Keys are texts. */
export async function openProcessor(
  open: () => Processor,
  options: { readonly stores?: readonly StateStoreOptions[]; readonly taskId?: string } = {},
): Promise<OpenedProcessor> {
  const state = await openStateBackend().openTaskState(null);
  const stores = new Map((options.stores ?? []).map((store) => [store.name, state.openStore(store)]));
  const numbers = new Map<string, { value: number }>();
  const number = (name: string, initial: number): { value: number } => {
    const found = numbers.get(name) ?? { value: initial };
    numbers.set(name, found);
    return found;
  };
  const opened: OpenedProcessor = {
    processor: open(),
    forwarded: [],
    skipped: [],
    stores,
    commitsRequested: 0,
    onForward: () => undefined,
    process(key, value, old, timestamp, window) {
      const record = new RecordKey(stringSerde);
      record.setValue(key);
      if (window !== undefined) {
        const inner = record;
        const windowed = new RecordKey(stringSerde);
        windowed.setWindowed(inner, window[0], window[1]);
        opened.processor.process(windowed, value, old, timestamp);
      } else opened.processor.process(record, value, old, timestamp);
    },
    taken: () => opened.forwarded.splice(0),
  };
  const forward = (key: RecordKey, value: unknown, old: unknown, timestamp: number): void => {
    opened.onForward();
    opened.forwarded.push({
      key: key.present ? Buffer.from(key.buffer.subarray(key.start, key.end)).toString() : null,
      window: key.windowed ? [key.windowStart, key.windowEnd] : null,
      value,
      old,
      timestamp,
    });
  };
  const context: ProcessorContext = {
    applicationId: 'app',
    taskId: options.taskId ?? '0_0',
    nodeName: 'node',
    record: {
      topic: 't',
      partition: 0,
      offset: 0,
      headers: () => [],
      replaceHeaders: () => null,
    },
    keepRecord: () => () => undefined,
    streamTime: () => -1,
    now: () => 0,
    forward,
    forwardTo: (_child, key, value, old, timestamp) => forward(key, value, old, timestamp),
    store(name) {
      const store = stores.get(name);
      if (store === undefined) throw new Error(`no store ${name}`);
      return store;
    },
    schedule: () => () => undefined,
    requestCommit: () => void opened.commitsRequested++,
    persisted: number,
    shared: number,
    skip: (reason, detail) => void opened.skipped.push(`${reason}: ${detail}`),
  };
  opened.processor.init?.(context);
  return opened;
}
