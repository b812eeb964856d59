import { partitionOfKey } from '../../../src/log/partitioner.ts';
import type { Input, OracleCase, OutputRow } from './oracle-case.ts';
import type { Rec } from './reference-node.ts';
import { ReferenceTopology } from './reference-topology.ts';

/** A record that was processed: which, in the order in which it was. Internal topics go by the order they are made. */
export interface Step {
  readonly topic: string | { readonly internal: number };
  readonly partition: number;
  /** From 0 in each partition. */
  readonly offset: number;
}

/** Where an input belongs. */
export function partitionOf(key: string | null, partitions: number): number {
  if (key === null || partitions === 1) return 0;
  const bytes = Buffer.from(key);
  return partitionOfKey(bytes, 0, bytes.length, partitions);
}

/** The records of each input topic, by partition, then offset. */
export function placeInputs(inputs: readonly Input[], partitions: number): Map<string, Rec[][]> {
  const placed = new Map<string, Rec[][]>();
  for (const { topic, key = null, value = null, ts } of inputs)
    if (topic !== undefined) append(placed, topic, partitions, { key, value, old: null, ts: ts! });
  return placed;
}

/** Steps, from one index up to another, whose output is there although what they did to the state is not. */
export type Forgotten = readonly [from: number, to: number];

/**
 * What a case gives when its records are processed in the order of `steps`, in any number of partitions. Which order is
 * right is not asked here, and what the internal topics hold is the interpreter's own.
 */
export function replayCase(
  given: OracleCase,
  steps: readonly Step[],
  forgotten: readonly Forgotten[] = [],
): Map<string, OutputRow[][]> {
  const partitions = given.partitions ?? 1;
  const inputs = placeInputs(given.inputs, partitions);
  const sent = new Map<string, Rec[][]>();
  let isSent = true;
  const open = (): ReferenceTopology[] =>
    Array.from(
      { length: partitions },
      () =>
        new ReferenceTopology(given.ops, given.optimize === true, (topic, record) => {
          if (isSent) append(sent, topic, partitions, record);
        }),
    );
  let topologies = open();
  const internal = topologies[0]!.internalTopics;
  const process = ({ topic, partition, offset }: Step): void => {
    const name = typeof topic === 'string' ? topic : (internal[topic.internal] ?? 'no such topic');
    const record = (typeof topic === 'string' ? inputs : sent).get(name)?.[partition]?.[offset];
    if (record === undefined) throw new Error(`the reference has no record ${name}-${partition}@${offset}`);
    if (topologies[0]!.globals.has(name)) for (const each of topologies) each.globals.get(name)!(record);
    else topologies[partition]!.sources.get(name)!(record);
  };
  let kept: Step[] = [];
  let at = 0;
  for (const [from, to] of [...forgotten, [steps.length, steps.length] as const]) {
    kept = [...kept, ...steps.slice(at, from)];
    for (; at < to; at++) process(steps[at]!);
    if (from === to) continue;
    topologies = open();
    isSent = false;
    kept.forEach(process);
    isSent = true;
  }
  const outputs = new Map<string, OutputRow[][]>();
  for (const { op, topic } of given.ops)
    if (op === 'to')
      outputs.set(
        topic!,
        Array.from({ length: partitions }, (_, p) =>
          (sent.get(topic!)?.[p] ?? []).map(({ key, value, ts }): OutputRow => [key, value, ts]),
        ),
      );
  return outputs;
}

function append(topics: Map<string, Rec[][]>, topic: string, partitions: number, record: Rec): void {
  let rows = topics.get(topic);
  if (rows === undefined) topics.set(topic, (rows = Array.from({ length: partitions }, () => [])));
  // A subscription without a foreign key stays in the partition of its row.
  rows[partitionOf(record.key ?? record.foreign?.primaryKey ?? null, partitions)]!.push(record);
}
