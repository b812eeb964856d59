import { ByteWriter } from '../../../src/common/bytes.ts';
import { readHeaders } from '../../../src/log/record-batch-codec.ts';
import type { Log } from '../../../src/log/log.ts';
import type { Topology } from '../../../src/streams/topology/topology.ts';
import type { SteppedStreams } from '../../../src/streams/application/stepped-streams.ts';
import { StoreQueries } from '../../../src/streams/application/store-queries.ts';
import type { SimulatedTopics } from '../simulate-loop.ts';
import { buildTopology } from './build-topology.ts';
import { customLength, type Value } from './case-functions.ts';
import { WINDOW_MS } from './user-processors.ts';
import type { Input, LibraryCase, Op, OutputRow, Step, TextHeader } from './case.ts';
import {
  placeInputs,
  rowLine,
  runModel,
  type StoreContent,
  storesAfter,
  versionLine,
  windowLine,
} from './model/model.ts';

/** The topics of a case of the library on a log: its inputs are written bit by bit, its outputs held to the model. */
export class LibraryTopics implements SimulatedTopics<Step> {
  readonly #case: LibraryCase;
  readonly #applicationId: string;
  #log: Log;
  #produced = 0;
  /** Rows that were compared. */
  rows = 0;

  private constructor(given: LibraryCase, log: Log, applicationId: string) {
    this.#case = given;
    this.#log = log;
    this.#applicationId = applicationId;
  }

  static async create(given: LibraryCase, log: Log, applicationId: string): Promise<LibraryTopics> {
    for (const topic of given.topics) await log.admin.createTopic(topic);
    return new LibraryTopics(given, log, applicationId);
  }

  useLog(log: Log): void {
    this.#log = log;
  }

  topology(note: (step: Step) => void): Topology {
    return buildTopology(this.#case, note);
  }

  get allProduced(): boolean {
    return this.#produced === this.#case.inputs.length;
  }

  stepOf(topic: string, partition: number, offset: number): Step {
    const own = `${this.#applicationId}-`;
    return { topic: topic.startsWith(own) ? topic.slice(own.length) : topic, partition, offset };
  }

  async produce(count: number): Promise<void> {
    const writer = await this.#log.openWriter();
    const inputs = this.#case.inputs.slice(this.#produced, this.#produced + count);
    const partitions = new Map<Input, number>();
    for (const placed of placeInputs(this.#case).values())
      placed.forEach((each, partition) => each.forEach((input) => partitions.set(input, partition)));
    for (const input of inputs) {
      const { topic, ts, headers } = input;
      const [key, value] = [bytesOf(input.key), bytesOf(input.value)];
      writer
        .appender({ topic, partition: partitions.get(input)! })
        .append(
          ts,
          key.buffer,
          input.key === null ? -1 : 0,
          key.length,
          value.buffer,
          input.value === null ? -1 : 0,
          value.length,
          headers.length === 0
            ? null
            : headers.map(([name, text]) => ({ key: name, value: text === null ? null : Buffer.from(text) })),
        );
    }
    this.#produced = Math.min(this.#produced + count, this.#case.inputs.length);
    await writer.flush();
    await writer.close();
  }

  async compare(steps: readonly Step[]): Promise<string | null> {
    const wanted = runModel(this.#case, steps);
    for (const op of this.#case.ops) {
      if (op.op !== 'to') continue;
      for (const [partition, rows] of wanted.get(op.topic!)!.entries()) {
        const found = await this.#read(op, partition);
        this.rows += rows.length;
        const difference = differenceOf(looksAt(op, this.#case), rows, found);
        if (difference !== null) return `${op.topic}-${partition}, ${difference}`;
      }
    }
    return null;
  }

  async compareState(instances: readonly SteppedStreams[], steps: readonly Step[]): Promise<string | null> {
    for (const [name, { kind, keys, lines }] of storesAfter(this.#case, steps)) {
      const found: string[] = [];
      for (const streams of instances) found.push(...(await linesOf(streams, name, kind, keys)));
      found.sort();
      const at = lines.findIndex((line, i) => line !== found[i]);
      if (at < 0 && lines.length === found.length) continue;
      const part = (all: readonly string[]): string => all.slice(Math.max(0, at), at + 4).join(' ');
      return `store ${name}, ${lines.length}/${found.length} rows: wanted ${part(lines)}, found ${part(found)}`;
    }
    return null;
  }

  async #read(op: Op, partition: number): Promise<OutputRow[]> {
    const topic = op.topic!;
    const { end } = (await this.#log.admin.offsets(topic))[partition]!;
    const keyOf = keyReader(op, this.#case);
    const reader = this.#log.openReader();
    reader.assign({ topic, partition, offset: 0 });
    const rows: OutputRow[] = [];
    while (reader.position({ topic, partition }) < end)
      for (const batch of await reader.poll(0))
        for (let i = batch.first; i < batch.count; i++) {
          const key = batch.keyStart[i]!;
          const value = batch.valueStart[i]!;
          const valueBytes = value < 0 ? null : batch.buffer.subarray(value, batch.valueEnd[i]!);
          rows.push([
            key < 0 ? null : keyOf(Buffer.from(batch.buffer.subarray(key, batch.keyEnd[i]!))),
            valueBytes === null
              ? null
              : op.type === 'long'
                ? String(Buffer.from(valueBytes).readBigInt64BE())
                : Buffer.from(valueBytes).toString(),
            batch.timestamps[i]!,
            readHeaders(batch, i).map(({ key: name, value: bytes }): TextHeader => [
              name,
              bytes === null ? null : Buffer.from(bytes).toString(),
            ]),
          ]);
        }
    await reader.close();
    return rows;
  }
}

function bytesOf(text: string | null): ByteWriter {
  const writer = new ByteWriter();
  if (text !== null) writer.writeBytes(Buffer.from(text));
  return writer;
}

type Look = 'all' | 'each key' | 'the last of each key';

/** What of the output is said: where the order between keys is not, or not every change comes, the rest is. */
function looksAt(op: Op, { ops }: LibraryCase): Look {
  const source = ops.find(({ id }) => id === op.in)!;
  if (source.op === 'coalesced') return 'the last of each key';
  return source.window === 'sliding' ? 'each key' : 'all';
}

function differenceOf(look: Look, wanted: readonly OutputRow[], found: readonly OutputRow[]): string | null {
  if (look === 'all') return firstDifference(wanted, found);
  const keys = new Set([...wanted, ...found].map(([key]) => key));
  for (const key of keys) {
    const [want, have] = [wanted, found].map((rows) => rows.filter((row) => row[0] === key));
    const difference =
      look === 'each key' ? firstDifference(distinct(want!), distinct(have!)) : lastDifference(want!, have!);
    if (difference !== null) return `key ${key}, ${difference}`;
  }
  return null;
}

function firstDifference(wanted: readonly OutputRow[], found: readonly OutputRow[]): string | null {
  const at = wanted.findIndex((row, i) => text(row) !== text(found[i]));
  if (at < 0 && wanted.length === found.length) return null;
  const first = at < 0 ? wanted.length : at;
  const part = (rows: readonly OutputRow[]): string => text(rows.slice(first, first + 3));
  return `row ${first} of ${wanted.length}/${found.length}: wanted ${part(wanted)}, found ${part(found)}`;
}

/** A window that is made for two records, as the right one of the first and the left one of the second, comes twice. */
function distinct(rows: readonly OutputRow[]): OutputRow[] {
  return rows.filter((row, i) => text(row) !== text(rows[i - 1]));
}

/** Some of the changes in their order, the last among them. */
function lastDifference(wanted: readonly OutputRow[], found: readonly OutputRow[]): string | null {
  let at = -1;
  for (const row of found) {
    at = wanted.findIndex((each, i) => i > at && text(each) === text(row));
    if (at < 0) return `${text(row)} is no change that is wanted, or not in its order: ${text(wanted)}`;
  }
  return at === wanted.length - 1 ? null : `wanted ${text(wanted.at(-1))} last, found ${text(found.at(-1))}`;
}

function text(of: unknown): string {
  return JSON.stringify(of) ?? 'nothing';
}

function keyReader(op: Op, { ops }: LibraryCase): (bytes: Buffer) => string {
  let made = ops.find(({ id }) => id === op.in)!;
  while (made.window === undefined && KEEPS_WINDOWS.has(made.op)) {
    const { in: from } = made;
    made = ops.find(({ id }) => id === from)!;
  }
  const { window, size } = made;
  if (window === undefined) return String;
  return (bytes) => {
    const at = bytes.length - (window === 'session' ? 16 : 8);
    const last = Number(bytes.readBigInt64BE(bytes.length - 8));
    const length = window === 'custom' ? customLength(last) : size!;
    const end = window === 'session' ? Number(bytes.readBigInt64BE(at)) : last + length;
    return `${bytes.subarray(0, at).toString()}@${last}-${end}`;
  };
}

const KEEPS_WINDOWS = new Set(['suppressClose', 'suppressTime', 'filterTable', 'mapTable']);

/** What a store of the application holds, in the lines of the model; none where this instance has no task with it. */
async function linesOf(
  streams: SteppedStreams,
  name: string,
  kind: StoreContent['kind'],
  keys: readonly string[],
): Promise<string[]> {
  if (streams.stores(name).length === 0) return [];
  const queries = new StoreQueries(streams);
  const lines: string[] = [];
  if (kind === 'key-value')
    for (const { key, value, timestamp } of await queries.keyValueStore<string, Value>(name).all())
      lines.push(rowLine(key, value, timestamp));
  else if (kind === 'window')
    for (const { key, windowStart, value } of await queries
      .windowStore<string, Value>(name)
      .fetchAll(0, FOREVER))
      lines.push(windowLine(key, windowStart, windowStart + WINDOW_MS, value));
  else if (kind === 'session')
    for (const { key, start, end, value } of await queries
      .sessionStore<string, Value>(name)
      .fetchAll(0, FOREVER))
      lines.push(windowLine(key, start, end, value));
  else {
    const store = queries.versionedStore<string, Value>(name);
    for (const key of keys) for (const each of await store.versions(key)) lines.push(versionLine(key, each));
  }
  return lines;
}

const FOREVER = Number.MAX_SAFE_INTEGER;
