import { processAsync } from '../../src/streams/processors/process-async.ts';
import type { Processor, ProcessorContext } from '../../src/streams/topology/processor.ts';
import { Topology } from '../../src/streams/topology/topology.ts';

/** Told of each record when it is processed; again, when it was undone in between. */
export type OnRecord = (topic: string, partition: number, offset: number) => void;

/**
 * The same topology, with a processor behind each source that tells which record is processed; with `wait` also an
 * asynchronous one in front of it, which changes nothing but when.
 */
export function traceRecords(
  topology: Topology,
  onRecord: OnRecord,
  wait: (() => Promise<void>) | null = null,
): Topology {
  const traced = new Topology();
  for (const topic of topology.repartitionTopics) traced.addRepartitionTopic(topic);
  for (const topics of topology.copartitions)
    traced.addCopartition(
      topology.nodes.flatMap((node) =>
        node.kind === 'source' && node.topics.some((topic) => topics.includes(topic)) ? [node.name] : [],
      ),
    );
  const sources = new Set(topology.nodes.flatMap((node) => (node.kind === 'source' ? [node.name] : [])));
  const parentsOf = (parents: readonly string[]): string[] =>
    parents.map((name) => (sources.has(name) ? `${name}-trace` : name));
  for (const node of topology.nodes)
    if (node.kind === 'source') {
      traced.addSource(node);
      if (wait !== null)
        traced.addProcessor({ name: `${node.name}-wait`, parents: [node.name], open: waiting(wait) });
      traced.addProcessor({
        name: `${node.name}-trace`,
        parents: [wait === null ? node.name : `${node.name}-wait`],
        open: () => new Trace(onRecord),
      });
    } else if (node.kind === 'processor') traced.addProcessor({ ...node, parents: parentsOf(node.parents) });
    else traced.addSink({ ...node, parents: parentsOf(node.parents) });
  for (const store of topology.stores) traced.addStore(store);
  for (const global of topology.globalStores)
    traced.addGlobalStore({ ...global, open: () => new TracedProcessor(global.open(), onRecord) });
  return traced;
}

function waiting(wait: () => Promise<void>): () => Processor {
  return processAsync(
    (_key, value) => () => wait().then(() => value),
    (value, key, timestamp, context) => context.forward(key, value, undefined, timestamp),
    { concurrency: 4, timeoutMs: 1_000_000 },
  );
}

class Trace implements Processor {
  readonly #onRecord: OnRecord;
  #context!: ProcessorContext;

  constructor(onRecord: OnRecord) {
    this.#onRecord = onRecord;
  }

  init(context: ProcessorContext): void {
    this.#context = context;
  }

  process(...[key, value, old, timestamp]: Parameters<Processor['process']>): void {
    const { topic, partition, offset } = this.#context.record;
    this.#onRecord(topic, partition, offset);
    this.#context.forward(key, value, old, timestamp);
  }
}

/** Tells of each record before an operator gets it. */
class TracedProcessor implements Processor {
  readonly #processor: Processor;
  readonly #onRecord: OnRecord;
  #context!: ProcessorContext;

  constructor(processor: Processor, onRecord: OnRecord) {
    this.#processor = processor;
    this.#onRecord = onRecord;
  }

  init(context: ProcessorContext): void {
    this.#context = context;
    this.#processor.init?.(context);
  }

  process(...[key, value, old, timestamp]: Parameters<Processor['process']>): void {
    const { topic, partition, offset } = this.#context.record;
    this.#onRecord(topic, partition, offset);
    this.#processor.process(key, value, old, timestamp);
  }
}
