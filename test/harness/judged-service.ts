import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import type { Log, LogReader } from '../../src/log/log.ts';
import { javaReadCommitted } from './java-read-committed.ts';
import type { CommittedRecord } from './java-read-committed.ts';
import { uniqueName } from './kafka.ts';
import { recordsOfBatches } from './log-contract.ts';
import { produce } from './log-records.ts';
import { Millrace } from './millrace.ts';

const PARTITIONS = 3;
const KEYS = 20;
/** Nobody waits so long unless something is broken. */
const PATIENCE_MS = 40_000;

interface Total {
  readonly count: number;
  readonly sum: number;
}

/**
 * A service whose every answer can be judged: rows of an input are copied to one topic, and counted and summed by key
 * through a repartition into a table. Its server is a process of its own, which faults may befall; rows are
 * written by our own writer around them, and what came of them is read by Java's read-committed consumer.
 */
export class JudgedService {
  readonly name: string;
  readonly #brokers: string;
  readonly #log: Log;
  readonly #copies: LogReader;
  /** Keeps the server's state from one process to the next. */
  readonly #directory = mkdtempSync(join(tmpdir(), 'millrace-judged-'));
  /** Values in the order of writing, by key. */
  readonly #written = new Map<string, number[]>();
  #rows = 0;
  #copied = 0;
  #server: Millrace | null = null;
  #pulled = new Map<string, Total>();
  #url = '';

  /** `brokers`: the address that the server is told; `direct`: that for the rows and the judge. */
  static async create(brokers: string, direct: string): Promise<JudgedService> {
    const log = await openKafkaLog({
      brokers: direct.split(','),
      clientId: 'judge',
      clock: systemClock,
      logger: silentLogger,
    });
    const service = new JudgedService(brokers, log);
    for (const topic of [service.#input, service.#copy, service.#table])
      await log.admin.createTopic({ name: topic, partitions: PARTITIONS });
    for (let partition = 0; partition < PARTITIONS; partition++)
      service.#copies.assign({ topic: service.#copy, partition, offset: 0 });
    return service;
  }

  private constructor(brokers: string, log: Log) {
    this.name = uniqueName('judged');
    this.#brokers = brokers;
    this.#log = log;
    this.#copies = log.openReader();
  }

  get #input(): string {
    return `${this.name}-in`;
  }
  get #copy(): string {
    return `${this.name}-copy`;
  }
  get #table(): string {
    return `${this.name}-table`;
  }

  /** Starts the server; resolves when it listens. */
  async start(): Promise<void> {
    const server = this.startUnheard();
    await server.until(() => server.stdout.includes('\n'), 'it listens');
    this.#url = /http:\/\/\S+/.exec(server.stdout)![0];
  }

  /** Starts the server and waits for nothing. */
  startUnheard(): Millrace {
    const service = ['--kafka', this.#brokers, '--service-id', `${this.name}_`];
    const settings = ['--data-dir', this.#directory, '--set', 'commit.interval.ms=100'];
    this.#server = new Millrace(['server', '--port', '0', ...service, ...settings]);
    return this.#server;
  }

  async kill(): Promise<void> {
    await this.#server?.kill('SIGKILL');
  }

  /** Creates the queries. */
  async declare(): Promise<void> {
    const format = "KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON'";
    const ksql = `
      CREATE STREAM S (K STRING KEY, G STRING, V BIGINT) WITH (KAFKA_TOPIC='${this.#input}', ${format});
      CREATE STREAM COPY WITH (KAFKA_TOPIC='${this.#copy}') AS SELECT K, V FROM S;
      CREATE TABLE T WITH (KAFKA_TOPIC='${this.#table}') AS SELECT G, COUNT(*) AS N, SUM(V) AS TOTAL FROM S GROUP BY G;`;
    const response = await fetch(`${this.#url}/ksql`, { method: 'POST', body: JSON.stringify({ ksql }) });
    expect(response.status, await response.text()).toBe(200);
  }

  /** Writes `count` rows more, around all faults. */
  async write(count: number): Promise<void> {
    const rows = Array.from({ length: count }, () => {
      const value = this.#rows++;
      const key = `k${value % KEYS}`;
      const values = this.#written.get(key);
      if (values === undefined) this.#written.set(key, [value]);
      else values.push(value);
      return { key, value: JSON.stringify({ G: key, V: value }), timestamp: value };
    });
    await produce(this.#log, this.#input, rows);
  }

  /** Resolves when every row is in the copy and in the table's state, and throws when there is more, or none for a minute. */
  async settled(): Promise<void> {
    let deadline = systemClock.monotonic() + PATIENCE_MS;
    let seen = '';
    for (;;) {
      await this.#readCopies(50);
      if (this.#copied > this.#rows) throw new Error(`${this.#copied} copies of ${this.#rows} rows`);
      const state = await this.#state();
      const counted = [...state.values()].reduce((sum, { count }) => sum + count, 0);
      if (counted > this.#rows) throw new Error(`${counted} of ${this.#rows} rows are counted`);
      if (this.#copied === this.#rows && counted === this.#rows) return;
      const now = `${this.#copied} copied and ${counted} counted of ${this.#rows}`;
      if (now !== seen) deadline = systemClock.monotonic() + PATIENCE_MS;
      seen = now;
      if (systemClock.monotonic() > deadline)
        throw new Error(`it does not go on: ${now}\n${this.#server!.stderr}`);
    }
  }

  async #readCopies(waitMs: number): Promise<void> {
    this.#copied += recordsOfBatches(await this.#copies.poll(waitMs)).length;
  }

  /** What a pull query says; nothing while it is refused. */
  async #state(): Promise<Map<string, Total>> {
    try {
      const body = JSON.stringify({ sql: 'SELECT G, N, TOTAL FROM T;' });
      const response = await fetch(`${this.#url}/query-stream`, { method: 'POST', body });
      const text = await response.text();
      if (response.status !== 200) return new Map();
      const rows = text.trimEnd().split('\n').slice(1);
      return new Map(
        rows.map((row) => {
          const [group, count, sum] = JSON.parse(row) as [string, number, number];
          return [group, { count, sum }];
        }),
      );
    } catch {
      return new Map();
    }
  }

  /** Settles, keeps what pull queries say and stops the server in order. */
  async finish(): Promise<void> {
    await this.settled();
    this.#pulled = await this.#state();
    expect(await this.#server!.kill('SIGTERM')).toMatchObject({ code: 0 });
  }

  /**
   * Fails unless Java's read-committed consumer sees of each service that is finished: in the copy each row once, in the order
   * of its key; in the table at each of its changes a sum of the first rows of its key, the last of them of all; unless
   * pull queries said the same; and unless no transaction is open.
   */
  static async judge(direct: string, services: readonly JudgedService[]): Promise<void> {
    const topics = services.flatMap((service) => [service.#copy, service.#table]);
    const { records, ends } = await javaReadCommitted(direct, topics);
    for (const service of services) service.#judge(records);
    expect(ends.filter(({ lastStableOffset, highWatermark }) => lastStableOffset < highWatermark)).toEqual(
      [],
    );
  }

  #judge(records: readonly CommittedRecord[]): void {
    const copied = new Map<string, number[]>();
    const changes = new Map<string, Total[]>();
    for (const record of records) {
      const { key, value } = textsOf(record);
      const { V, N, TOTAL } = JSON.parse(value) as { V?: number; N?: number; TOTAL?: number };
      if (record.topic === this.#copy) push(copied, key, V!);
      else if (record.topic === this.#table) push(changes, key, { count: N!, sum: TOTAL! });
    }
    expect([this.name, copied]).toEqual([this.name, this.#written]);
    for (const [key, values] of this.#written) {
      const sums = values.reduce<number[]>((all, value) => [...all, (all.at(-1) ?? 0) + value], []);
      let last = 0;
      for (const { count, sum } of changes.get(key) ?? []) {
        expect([this.name, key, count, count > last, sum]).toEqual([
          this.name,
          key,
          count,
          true,
          sums[count - 1],
        ]);
        last = count;
      }
      const total = { count: values.length, sum: sums.at(-1)! };
      expect([this.name, key, last, this.#pulled.get(key)]).toEqual([this.name, key, values.length, total]);
    }
  }

  async close(): Promise<void> {
    await this.kill();
    await this.#log.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function textsOf({ key, value }: CommittedRecord): { readonly key: string; readonly value: string } {
  return { key: String(key), value: String(value) };
}

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
