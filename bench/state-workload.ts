import type { Log } from '../src/log/log.ts';
import { randomOf } from './workload.ts';
import { type TextRecord, writeRecords } from './write-records.ts';

/** Records over many keys: `{"ID":…,"TEXT":"…"}` of `valueBytes`, a millisecond apart, in the order of their times. */
export interface StateWorkload {
  readonly records: number;
  readonly keys: number;
  readonly valueBytes: number;
  readonly partitions: number;
  readonly seed: number;
}

export const EVENTS = 'events';
export const RESULT = 'result';
export const ITEMS = 'items';
export const WINDOW_MS = 300_000;
const BEGIN_MS = 1_700_000_000_000 - (1_700_000_000_000 % WINDOW_MS);

/** Calls `visit` with the key of each record, in order. */
function eachRecord({ records, keys, seed }: StateWorkload, visit: (item: number, id: number) => void): void {
  const random = randomOf(seed);
  for (let id = 0; id < records; id++) visit(Math.floor(random() * keys), id);
}

/** Creates the topic and writes the records. */
export async function writeEvents(log: Log, workload: StateWorkload): Promise<void> {
  await log.admin.createTopic({ name: EVENTS, partitions: workload.partitions });
  await writeRecords(log, EVENTS, workload.partitions, events(workload));
}

function* events({ records, keys, valueBytes, seed }: StateWorkload): Generator<TextRecord> {
  const padding = 'x'.repeat(Math.max(0, valueBytes - 30));
  const random = randomOf(seed);
  for (let id = 0; id < records; id++) {
    const key = `Item_${Math.floor(random() * keys)}`;
    yield { key, timestampMs: BEGIN_MS + id, value: `{"ID":${id},"TEXT":"${id % 1000}${padding}"}` };
  }
}

/** A row for each key but one in ten, older than any record. */
export async function writeItems(log: Log, { keys, partitions }: StateWorkload): Promise<void> {
  await log.admin.createTopic({ name: ITEMS, partitions });
  await writeRecords(log, ITEMS, partitions, items(keys));
}

function* items(keys: number): Generator<TextRecord> {
  for (let item = 0; item < keys; item++)
    if (hasItem(item))
      yield {
        key: `Item_${item}`,
        timestampMs: BEGIN_MS - 1_000_000_000,
        value: `{"NAME":"Name of item ${item}"}`,
      };
}

function hasItem(item: number): boolean {
  return item % 10 !== 9;
}

export type StateQuery = 'count' | 'windowed-count' | 'latest' | 'join';
export const STATE_QUERIES: readonly StateQuery[] = ['count', 'windowed-count', 'latest', 'join'];

/** The statements of a query; `number` tells several of them apart that run at once. */
export function statementsOf(query: StateQuery, { partitions }: StateWorkload, number = 0): string {
  const name = nameOf(query, number);
  const into = `WITH (KAFKA_TOPIC='${topicOf(number)}', PARTITIONS=${partitions}, VALUE_FORMAT='JSON')`;
  return {
    count: `CREATE TABLE ${name} ${into} AS SELECT K, COUNT(*) AS N FROM EVENTS GROUP BY K EMIT CHANGES;`,
    'windowed-count': `CREATE TABLE ${name} ${into} AS SELECT K, COUNT(*) AS N FROM EVENTS
      WINDOW TUMBLING (SIZE ${WINDOW_MS / 1000} SECONDS, RETENTION 3600 SECONDS, GRACE PERIOD 60 SECONDS)
      GROUP BY K EMIT CHANGES;`,
    latest: `CREATE TABLE ${name} ${into} AS
      SELECT K, LATEST_BY_OFFSET(ID) AS ID, LATEST_BY_OFFSET(TEXT) AS TEXT FROM EVENTS GROUP BY K EMIT CHANGES;`,
    join: `CREATE STREAM ${name} ${into} AS
      SELECT E.K AS K, E.ID AS ID, I.NAME AS NAME FROM EVENTS E JOIN ITEMS I ON E.K = I.ITEM EMIT CHANGES;`,
  }[query];
}

export function nameOf(query: StateQuery, number = 0): string {
  return `R_${query.replace('-', '_').toUpperCase()}_${number}`;
}

export function topicOf(number = 0): string {
  return `${RESULT}_${number}`;
}

export function declarations(query: StateQuery): string {
  const events = `CREATE STREAM EVENTS (K VARCHAR KEY, ID BIGINT, TEXT VARCHAR)
    WITH (KAFKA_TOPIC='${EVENTS}', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');`;
  if (query !== 'join') return events;
  return `${events} CREATE TABLE ITEMS (ITEM VARCHAR PRIMARY KEY, NAME VARCHAR)
    WITH (KAFKA_TOPIC='${ITEMS}', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');`;
}

/** Throws an error that names the first row that is not what an independent count of the same records gives. */
export async function verify(
  log: Log,
  query: StateQuery,
  workload: StateWorkload,
  number = 0,
): Promise<void> {
  const topic = topicOf(number);
  const check = {
    count: verifyCount,
    'windowed-count': verifyWindows,
    latest: verifyLatest,
    join: verifyJoin,
  };
  await check[query](log, topic, workload);
}

interface Row {
  readonly item: number;
  /** Of a windowed key; -1 where there is none. */
  readonly windowStart: number;
  readonly value: Record<string, unknown>;
}

async function eachRow(log: Log, topic: string, windowed: boolean, visit: (row: Row) => void): Promise<void> {
  const offsets = await log.admin.offsets(topic);
  const reader = log.openReader();
  offsets.forEach(({ start }, partition) => reader.assign({ topic, partition, offset: start }));
  while (offsets.some(({ end }, partition) => reader.position({ topic, partition }) < end))
    for (const { buffer, keyStart, keyEnd, valueStart, valueEnd, first, count } of await reader.poll(1000))
      for (let i = first; i < count; i++) {
        const end = keyEnd[i]! - (windowed ? 8 : 0);
        visit({
          item: Number(buffer.toString('latin1', keyStart[i]! + 'Item_'.length, end)),
          windowStart: windowed ? Number(buffer.readBigInt64BE(end)) : -1,
          value: JSON.parse(buffer.toString('utf8', valueStart[i], valueEnd[i])) as Row['value'],
        });
      }
  await reader.close();
}

async function verifyCount(log: Log, topic: string, workload: StateWorkload): Promise<void> {
  const expected = new Int32Array(workload.keys);
  eachRecord(workload, (item) => expected[item]!++);
  const found = new Int32Array(workload.keys);
  await eachRow(log, topic, false, ({ item, value }) => (found[item] = value['N'] as number));
  compare(expected, found, (item) => `the count of Item_${item}`);
}

async function verifyLatest(log: Log, topic: string, workload: StateWorkload): Promise<void> {
  const expected = new Int32Array(workload.keys).fill(-1);
  eachRecord(workload, (item, id) => (expected[item] = id));
  const found = new Int32Array(workload.keys).fill(-1);
  await eachRow(log, topic, false, ({ item, value: { ID: id, TEXT: text } }) => {
    if (!String(text).startsWith(String((id as number) % 1000)))
      throw new Error(`Item_${item} has the text of another record than ${String(id)}`);
    found[item] = id as number;
  });
  compare(expected, found, (item) => `the latest of Item_${item}`);
}

async function verifyJoin(log: Log, topic: string, workload: StateWorkload): Promise<void> {
  const expected = new Int32Array(workload.records).fill(-1);
  eachRecord(workload, (item, id) => hasItem(item) && (expected[id] = item));
  const found = new Int32Array(workload.records).fill(-1);
  await eachRow(log, topic, false, ({ item, value: { ID: id, NAME: name } }) => {
    if (name !== `Name of item ${item}`) throw new Error(`record ${String(id)} has ${String(name)}`);
    if (found[id as number] !== -1) throw new Error(`record ${String(id)} is there twice`);
    found[id as number] = item;
  });
  compare(expected, found, (id) => `the item of record ${id}`);
}

async function verifyWindows(log: Log, topic: string, workload: StateWorkload): Promise<void> {
  const windows = Math.ceil(workload.records / WINDOW_MS);
  const slots = new WindowSlots(workload.records);
  const expected = new Int32Array(workload.records);
  eachRecord(workload, (item, id) => {
    expected[slots.of(item * windows + Math.floor(id / WINDOW_MS))]!++;
  });
  const found = new Int32Array(workload.records);
  await eachRow(log, topic, true, ({ item, windowStart, value }) => {
    found[slots.of(item * windows + (windowStart - BEGIN_MS) / WINDOW_MS)] = value['N'] as number;
  });
  compare(expected, found, (slot) => `the count of a window (slot ${slot})`);
}

/** Numbers from 0 for those that are asked for, in the order of asking. */
class WindowSlots {
  readonly #mask: number;
  readonly #ids: Float64Array;
  readonly #slots: Int32Array;
  #count = 0;

  constructor(countMax: number) {
    const size = 2 ** Math.ceil(Math.log2(countMax * 2 + 2));
    this.#mask = size - 1;
    this.#ids = new Float64Array(size).fill(-1);
    this.#slots = new Int32Array(size);
  }

  of(id: number): number {
    let at = Math.imul(id | 0, 0x9e37_79b1) >>> 0;
    for (at = (at ^ (at >>> 15)) & this.#mask; this.#ids[at] !== id; at = (at + 1) & this.#mask)
      if (this.#ids[at] === -1) {
        this.#ids[at] = id;
        return (this.#slots[at] = this.#count++);
      }
    return this.#slots[at]!;
  }
}

function compare(expected: Int32Array, found: Int32Array, what: (i: number) => string): void {
  for (let i = 0; i < expected.length; i++)
    if (expected[i] !== found[i]) throw new Error(`${what(i)} is ${found[i]}, and should be ${expected[i]}`);
}
