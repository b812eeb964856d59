import type { Log } from '../src/log/log.ts';
import { type TextRecord, writeRecords } from './write-records.ts';

/**
 * What every peer does: read orders of about 190 bytes of JSON, keep those of more than five units, and write four
 * of their columns as JSON under the same key and time. Same seed, same orders, on every machine.
 */
export interface Workload {
  readonly input: string;
  readonly output: string;
  readonly partitions: number;
  readonly records: number;
  readonly keys: number;
  readonly seed: number;
}

export const ORDERS: Omit<Workload, 'input' | 'output'> = {
  partitions: 4,
  records: 1_000_000,
  keys: 100_000,
  seed: 7,
};

/** Orders of this many units or fewer are left out. */
export const UNITS_OVER = 5;

export interface Measured {
  readonly records: number;
  readonly written: number;
  /** Of this process alone, user and system, all threads. */
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

export function recordsPerCpuSecond({ records, cpuSeconds }: Measured): number {
  return records / cpuSeconds;
}

/** Runs `work`, which resolves to how many records it wrote. Loading and connecting belong before it. */
export async function measure(records: number, work: () => Promise<number>): Promise<Measured> {
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const written = await work();
  const { user, system } = process.cpuUsage(cpu);
  return {
    records,
    written,
    cpuSeconds: (user + system) / 1e6,
    wallSeconds: (performance.now() - begin) / 1000,
  };
}

/** A small generator (mulberry32), so that the orders do not depend on the machine. */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** The orders of a workload, in the order of their times. */
export function* orders({
  records,
  keys,
  seed,
}: Pick<Workload, 'records' | 'keys' | 'seed'>): Generator<TextRecord> {
  const random = randomOf(seed);
  for (let i = 0; i < records; i++) {
    const item = Math.floor(random() * keys);
    const timestampMs = 1_700_000_000_000 + i;
    const units = Math.floor(random() * 1000) / 100;
    const zip = 10_000 + Math.floor(random() * 90_000);
    const key = `Item_${item}`;
    const value =
      `{"ordertime":${timestampMs},"orderid":${i},"itemid":"${key}","orderunits":${units},` +
      `"address":{"city":"City_${zip % 97}","state":"State_${zip % 50}","zipcode":${zip},` +
      `"street":"${1 + (zip % 900)} Long Street, Second Floor"}}`;
    yield { key, timestampMs, value };
  }
}

/** Creates the topics (anew) and writes the orders, partitioned by key as Kafka's clients do. */
export async function writeOrders(log: Log, workload: Workload): Promise<void> {
  const { input, output, partitions } = workload;
  for (const name of [input, output]) {
    await log.admin.deleteTopic(name);
    await log.admin.createTopic({ name, partitions });
  }
  await writeRecords(log, input, partitions, orders(workload));
}
