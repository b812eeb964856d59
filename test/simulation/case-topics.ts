import { ByteWriter } from '../../src/common/bytes.ts';
import type { Log } from '../../src/log/log.ts';
import { Serdes } from '../../src/streams/dsl/serdes.ts';
import type { Topology } from '../../src/streams/topology/topology.ts';
import { type OracleCase as DslCase, topologyOf } from '../harness/oracle-cases.ts';
import type { OracleCase, OutputRow } from '../harness/reference/oracle-case.ts';
import {
  type Forgotten,
  partitionOf,
  placeInputs,
  replayCase,
  type Step,
} from '../harness/reference/replay-case.ts';

/** The topics of a case on a log: its inputs are written bit by bit, its outputs compared in the end. */
export class CaseTopics {
  readonly globalTopics: ReadonlySet<string>;
  readonly #case: OracleCase;
  #log: Log;
  readonly #partitions: number;
  /** By topic of the log: its place among them, by the number in its name, which counts operations. */
  readonly #internalTopics = new Map<string, number>();
  #produced = 0;

  private constructor(given: OracleCase, log: Log) {
    this.#case = given;
    this.#log = log;
    this.#partitions = given.partitions ?? 1;
    this.globalTopics = new Set(given.ops.flatMap((op) => (op.op === 'globalTable' ? [op.topic!] : [])));
  }

  static async create(given: OracleCase, log: Log, applicationId: string): Promise<CaseTopics> {
    const topics = new CaseTopics(given, log);
    for (const { topic } of given.ops)
      if (topic !== undefined) await log.admin.createTopic({ name: topic, partitions: topics.#partitions });
    const numberOf = (name: string): number => Number(/-(\d{10})-(repartition|topic)$/.exec(name)![1]);
    const names = topics.topology().repartitionTopics.map(({ name }) => name);
    names.sort((a, b) => numberOf(a) - numberOf(b));
    names.forEach((name, i) => topics.#internalTopics.set(`${applicationId}-${name}`, i));
    return topics;
  }

  useLog(log: Log): void {
    this.#log = log;
  }

  topology(): Topology {
    return topologyOf(this.#case as DslCase).topology;
  }

  get allProduced(): boolean {
    return this.#produced === this.#case.inputs.length;
  }

  /** A record of the log as the reference knows it. */
  stepOf(topic: string, partition: number, offset: number): Step {
    const internal = this.#internalTopics.get(topic);
    return { topic: internal === undefined ? topic : { internal }, partition, offset };
  }

  /** Every record that the global topics hold now. */
  async globalSteps(): Promise<Step[]> {
    const steps: Step[] = [];
    for (const topic of this.globalTopics)
      for (const [partition, { end }] of (await this.#log.admin.offsets(topic)).entries())
        for (let offset = 0; offset < end; offset++) steps.push({ topic, partition, offset });
    return steps;
  }

  async produce(count: number): Promise<void> {
    const writer = await this.#log.openWriter();
    const key = new ByteWriter();
    const value = new ByteWriter();
    for (const input of this.#case.inputs.slice(this.#produced, this.#produced + count)) {
      if (input.topic === undefined) continue;
      key.length = value.length = 0;
      const hasKey = input.key !== null && input.key !== undefined;
      const hasValue = input.value !== null && input.value !== undefined;
      if (hasKey) Serdes.string.serialize(input.key, key);
      if (hasValue) Serdes.long.serialize(input.value, value);
      const partition = partitionOf(input.key ?? null, this.#partitions);
      writer
        .appender({ topic: input.topic, partition })
        .append(
          input.ts!,
          key.buffer,
          hasKey ? 0 : -1,
          key.length,
          value.buffer,
          hasValue ? 0 : -1,
          value.length,
          null,
        );
    }
    this.#produced = Math.min(this.#produced + count, this.#case.inputs.length);
    await writer.flush();
    await writer.close();
  }

  /** What differs between the outputs and those of the reference for `steps`; null when nothing does. */
  async compare(steps: readonly Step[], forgotten: readonly Forgotten[] = []): Promise<string | null> {
    const inputs = placeInputs(this.#case.inputs, this.#partitions);
    for (const [topic, rows] of inputs)
      for (const [partition, { end }] of (await this.#log.admin.offsets(topic)).entries())
        if (rows[partition]!.length !== end) return `${topic}-${partition} was not written as a whole`;
    const wanted = replayCase(this.#case, steps, forgotten);
    for (const [topic, partitions] of wanted)
      for (const [partition, rows] of partitions.entries()) {
        const found = await this.#read(topic, partition);
        const at = rows.findIndex((row, i) => String(row) !== String(found[i]));
        if (at < 0 && rows.length === found.length) continue;
        const first = at < 0 ? rows.length : at;
        const part = (all: readonly OutputRow[]): string => JSON.stringify(all.slice(first, first + 3));
        return `${topic}-${partition}, row ${first} of ${rows.length}/${found.length}: wanted ${part(rows)}, found ${part(found)}`;
      }
    return null;
  }

  async #read(topic: string, partition: number): Promise<OutputRow[]> {
    const { end } = (await this.#log.admin.offsets(topic))[partition]!;
    const reader = this.#log.openReader();
    reader.assign({ topic, partition, offset: 0 });
    const rows: OutputRow[] = [];
    while (reader.position({ topic, partition }) < end)
      for (const batch of await reader.poll(0))
        for (let i = batch.first; i < batch.count; i++) {
          const [key, value] = [batch.keyStart[i]!, batch.valueStart[i]!];
          rows.push([
            key < 0 ? null : (Serdes.string.deserialize(batch.buffer, key, batch.keyEnd[i]!) as string),
            value < 0 ? null : Number(Serdes.long.deserialize(batch.buffer, value, batch.valueEnd[i]!)),
            batch.timestamps[i]!,
          ]);
        }
    await reader.close();
    return rows;
  }
}
