import type { OracleCase, OutputRow } from './oracle-case.ts';
import type { Rec } from './reference-node.ts';
import { ReferenceTopology } from './reference-topology.ts';

/**
 * Runs a case in one partition, a record at a time, as the oracle does: an input is piped only when all earlier work is
 * done, and of the waiting records the one with the lowest timestamp is next.
 */
export function interpretCase(given: OracleCase): Record<string, OutputRow[]> {
  const outputs: Record<string, OutputRow[]> = {};
  for (const op of given.ops) if (op.op === 'to') outputs[op.topic!] = [];
  let sent: { topic: string; record: Rec }[] = [];
  const topology = new ReferenceTopology(given.ops, given.optimize === true, (topic, record) =>
    sent.push({ topic, record }),
  );
  const queues = new WaitingRecords();
  for (const input of given.inputs) {
    if (input.topic === undefined) continue;
    const record: Rec = { key: input.key ?? null, value: input.value ?? null, old: null, ts: input.ts! };
    topology.globals.get(input.topic)?.(record);
    if (!topology.sources.has(input.topic)) continue;
    queues.add(input.topic, record);
    for (let next = queues.take(); next !== null; next = queues.take()) {
      topology.sources.get(next.topic)!(next.record);
      const made = sent;
      sent = [];
      for (const { topic, record: each } of made) {
        if (topology.sources.has(topic)) queues.add(topic, each);
        else outputs[topic]!.push([each.key, each.value, each.ts]);
      }
    }
  }
  return outputs;
}

/**
 * A queue a topic; the one with the oldest head is next. Ties are decided by the binary heap that Kafka Streams keeps
 * them in: they are nobody's semantics, but outputs are compared row by row.
 */
class WaitingRecords {
  readonly #queues = new Map<string, Rec[]>();
  readonly #heap: string[] = [];

  add(topic: string, record: Rec): void {
    const queue = this.#queues.get(topic) ?? [];
    this.#queues.set(topic, queue);
    queue.push(record);
    if (queue.length === 1) this.#offer(topic);
  }

  take(): { topic: string; record: Rec } | null {
    const topic = this.#poll();
    if (topic === undefined) return null;
    const queue = this.#queues.get(topic)!;
    const record = queue.shift()!;
    if (queue.length > 0) this.#offer(topic);
    return { topic, record };
  }

  #head(topic: string): number {
    return this.#queues.get(topic)![0]!.ts;
  }

  #offer(topic: string): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (this.#head(topic) >= this.#head(heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = topic;
  }

  #poll(): string | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return first;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && this.#head(heap[child]!) > this.#head(heap[child + 1]!)) child++;
      if (this.#head(last) <= this.#head(heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
