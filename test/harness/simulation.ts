import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../../src/common/assert.ts';
import { ByteWriter } from '../../src/common/bytes.ts';
import { ManualClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { Log, LogWriter, TopicPartition } from '../../src/log/log.ts';
import { openStateBackend } from '../../src/state/task-state.ts';
import { Serdes } from '../../src/streams/dsl/serdes.ts';
import type { InputQueue } from '../../src/streams/task/input-queue.ts';
import { SteppedStreams } from '../../src/streams/application/stepped-streams.ts';
import type { Task } from '../../src/streams/task/task.ts';
import { HeadQueue } from '../../src/streams/test-driver/head-queue.ts';
import { traceWrites } from '../../src/streams/test-driver/traced-log.ts';
import { Crash, CrashingLog } from './crashing-log.ts';
import { type OracleCase, type OracleInput, type OracleOutputs, topologyOf } from './oracle-cases.ts';
import { drain } from './open-streams.ts';
import { SeededRandom } from './random.ts';

export interface SimulationResult {
  readonly outputs: OracleOutputs;
  readonly crashes: number;
  readonly persists: number;
}

export interface SimulationOptions {
  /** Whether state lives on disk and nothing of it stays in memory after it was written. */
  readonly onDisk: boolean;
  /** How likely the process dies at a commit. */
  readonly crashRate: number;
}

/**
 * Runs a case as the test driver does, one record at a time, while the process dies at random commits, before or
 * after they took effect, and starts again on the same log and directory; state goes to disk, and out of memory, at
 * random commits. What comes out must be what comes out without any of this: a commit is whole or has not happened.
 */
export async function simulate(
  test: OracleCase,
  seed: number,
  options: SimulationOptions,
): Promise<SimulationResult> {
  const directory = options.onDisk ? mkdtempSync(join(tmpdir(), 'simulation-')) : null;
  try {
    const simulation = new Simulation(test, seed, options, directory);
    return await simulation.run();
  } finally {
    if (directory !== null) rmSync(directory, { recursive: true, force: true });
  }
}

interface Ready {
  /** Of the process that runs now. */
  task: Task;
  input: InputQueue;
  queued: boolean;
}

class Simulation {
  readonly #test: OracleCase;
  readonly #options: SimulationOptions;
  readonly #directory: string | null;
  readonly #random: SeededRandom;
  readonly #clock = new ManualClock(0);
  readonly #parts: ReturnType<typeof topologyOf>;
  readonly #ready = new HeadQueue<Ready>((ready) => ready.input.headTimestamp());
  readonly #inputs = new Map<string, Ready>();
  /** Inputs of the records that were processed since the last commit, in order. */
  #uncommitted: Ready[] = [];
  #written: TopicPartition[] = [];
  #log!: Log;
  #writer!: LogWriter;
  #process!: CrashingLog;
  #streams!: SteppedStreams;
  #crashes = 0;
  #persists = 0;

  constructor(test: OracleCase, seed: number, options: SimulationOptions, directory: string | null) {
    this.#test = test;
    this.#options = options;
    this.#directory = directory;
    this.#random = new SeededRandom(seed);
    this.#parts = topologyOf(test);
  }

  async run(): Promise<SimulationResult> {
    const { sinks, topics, topology } = this.#parts;
    this.#log = await openEmbeddedLog({ clock: this.#clock, logger: silentLogger });
    const names = new Set([
      ...sinks,
      ...topics,
      ...topology.globalStores.flatMap(({ source }) => source.topics),
    ]);
    const own = new Set(topology.repartitionTopics.map(({ name }) => name));
    for (const node of topology.nodes)
      if (node.kind === 'source') for (const topic of node.topics) if (!own.has(topic)) names.add(topic);
    for (const name of names) await this.#log.admin.createTopic({ name, partitions: 1 });
    this.#writer = await this.#log.openWriter();
    await this.#start();
    for (const input of this.#test.inputs) {
      if ('wall' in input) {
        this.#clock.advance(input.wall);
        await this.#streams.punctuate();
        continue;
      }
      await this.#pipe(input);
    }
    while (!(await this.#commit()));
    const outputs: OracleOutputs = {};
    for (const sink of sinks) outputs[sink] = await readRows(this.#log, sink);
    await this.#streams.close();
    await this.#log.close();
    return { outputs, crashes: this.#crashes, persists: this.#persists };
  }

  async #start(): Promise<void> {
    this.#process = new CrashingLog(this.#log);
    this.#streams = new SteppedStreams(this.#parts.topology, {
      applicationId: 'simulated',
      log: traceWrites(this.#process, (at) => this.#written.push(at)),
      state: openStateBackend({ residentBytes: 0 }),
      stateDirectory: this.#directory,
      stateBytesMax: 0,
      clock: this.#clock,
      logger: silentLogger,
    });
    await this.#streams.open();
    for (const task of this.#streams.allTasks)
      for (const input of task.inputs) {
        const name = `${input.topic}/${input.partition}`;
        const ready = this.#inputs.get(name);
        if (ready === undefined) this.#inputs.set(name, { task, input, queued: false });
        else Object.assign(ready, { task, input });
      }
    await this.#streams.fetch();
  }

  async #pipe(record: Exclude<OracleInput, { wall: number }>): Promise<void> {
    append(this.#writer, record);
    await this.#writer.flush();
    await this.#streams.fetch();
    this.#written.push({ topic: record.topic, partition: 0 });
    await this.#drain();
  }

  async #drain(): Promise<void> {
    for (;;) {
      for (const at of this.#written) {
        const ready = this.#inputs.get(`${at.topic}/${at.partition}`);
        if (ready === undefined || ready.queued || ready.input.isEmpty) continue;
        ready.queued = true;
        this.#ready.offer(ready);
      }
      this.#written = [];
      const next = this.#ready.poll();
      if (next === undefined) return;
      await this.#process1(next);
      next.queued = !next.input.isEmpty;
      if (next.queued) this.#ready.offer(next);
      // Records in repartition topics are seen when they are committed, and global tables are read to their end by a
      // restart: the order of results depends on both.
      const { topology } = this.#parts;
      const ordered = topology.repartitionTopics.length > 0 || topology.globalStores.length > 0;
      if (ordered || this.#random.chance(0.5)) {
        while (!(await this.#commit()));
        await this.#streams.fetch();
      }
    }
  }

  async #process1(ready: Ready): Promise<void> {
    await this.#streams.processOne(ready.task, ready.input);
    this.#uncommitted.push(ready);
  }

  /** Returns false when the process died before the commit: what it held has been processed again then. */
  async #commit(): Promise<boolean> {
    const { crashRate, onDisk } = this.#options;
    if (this.#random.chance(crashRate))
      this.#process.crashAt(this.#random.pick(['before-commit', 'after-commit']));
    try {
      await this.#streams.commit();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.#crashes++;
      await this.#restart(error.message.endsWith('after-commit'));
      return this.#uncommitted.length === 0;
    }
    this.#uncommitted = [];
    if (onDisk && this.#random.chance(0.3)) {
      await this.#streams.persist();
      this.#persists++;
    }
    return true;
  }

  async #restart(committed: boolean): Promise<void> {
    await this.#streams.close();
    const again = committed ? [] : this.#uncommitted;
    const written = committed ? this.#written : [];
    this.#uncommitted = [];
    this.#written = [];
    await this.#start();
    this.#written = written;
    const global = this.#streams.allTasks.find((task) => !this.#streams.tasks.includes(task));
    // A restarted process has read global tables to their end already.
    for (const ready of again) if (ready.task !== global) await this.#process1(ready);
    if (again.length === 0) return;
  }
}

/** Appends a record of a case to its topic. */
function append(writer: LogWriter, record: Exclude<OracleInput, { wall: number }>): void {
  const none = Buffer.alloc(0);
  const key = record.key === null ? null : Buffer.from(record.key);
  const values = new ByteWriter(8);
  if (record.value !== null) Serdes.long.serialize(record.value, values);
  const valueStart = record.value === null ? -1 : 0;
  writer
    .appender({ topic: record.topic, partition: 0 })
    .append(
      record.ts,
      key ?? none,
      key === null ? -1 : 0,
      key?.length ?? 0,
      values.buffer,
      valueStart,
      values.length,
      null,
    );
}

async function readRows(log: Log, topic: string): Promise<OracleOutputs[string]> {
  const rows: OracleOutputs[string] = [];
  const reader = log.openReader();
  const at = { topic, partition: 0 };
  reader.assign({ ...at, offset: 0 });
  const end = must((await log.admin.offsets(topic))[0]).end;
  while (reader.position(at) < end)
    for (const batch of await reader.poll(0))
      for (let i = batch.first; i < batch.count; i++) {
        const keyStart = batch.keyStart[i]!;
        const valueStart = batch.valueStart[i]!;
        rows.push([
          keyStart < 0 ? null : batch.buffer.toString('utf8', keyStart, batch.keyEnd[i]!),
          valueStart < 0 ? null : Serdes.long.deserialize(batch.buffer, valueStart, batch.valueEnd[i]!),
          batch.timestamps[i]!,
        ]);
      }
  await reader.close();
  return rows;
}

/**
 * Runs a case as an application runs: all that a topic holds is fetched at once and processed in chunks, over state
 * that was written to disk and dropped from memory in between. Null for cases whose order depends on when what is
 * read: those with repartition topics or global tables.
 */
export async function runInChunks(test: OracleCase): Promise<OracleOutputs | null> {
  const { topology, sinks, topics } = topologyOf(test);
  if (topology.repartitionTopics.length > 0 || topology.globalStores.length > 0) return null;
  const clock = new ManualClock(0);
  const log = await openEmbeddedLog({ clock, logger: silentLogger });
  const directory = mkdtempSync(join(tmpdir(), 'chunks-'));
  try {
    const names = new Set([...sinks, ...topics]);
    for (const node of topology.nodes)
      if (node.kind === 'source') for (const topic of node.topics) names.add(topic);
    for (const name of names) await log.admin.createTopic({ name, partitions: 1 });
    const streams = new SteppedStreams(topology, {
      applicationId: 'chunks',
      log,
      state: openStateBackend({ residentBytes: 0 }),
      stateDirectory: directory,
      stateBytesMax: 0,
      clock,
      logger: silentLogger,
    });
    await streams.open();
    const writer = await log.openWriter();
    const records = test.inputs.filter((input) => 'topic' in input);
    const third = Math.ceil(records.length / 3);
    for (let from = 0; from < records.length; from += third) {
      for (const record of records.slice(from, from + third)) append(writer, record);
      await writer.flush();
      await drain(streams);
      await streams.persist();
    }
    const outputs: OracleOutputs = {};
    for (const sink of sinks) outputs[sink] = await readRows(log, sink);
    await streams.close();
    await log.close();
    return outputs;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
