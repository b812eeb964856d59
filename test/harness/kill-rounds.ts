import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { bundleTs } from '../../scripts/bundle-ts.js';
import { nextTurn, systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { readAll } from './log-records.ts';
import { SeededRandom } from './random.ts';

/**
 * A server that is killed again and again under inserts, replaced queries, compaction and a repartition. Whoever was
 * told that something is done finds it done; nothing is there twice.
 */

/** Inserters, by how many rows they send in a request at most. */
const REQUEST_ROWS = [1, 5, 40, 80];
const GROUPS = 12;

const CREATE = `
CREATE STREAM S (ID STRING KEY, G STRING, V BIGINT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=2);
CREATE STREAM COPY WITH (KAFKA_TOPIC='copy') AS SELECT * FROM S WHERE V > -1;
CREATE TABLE COUNTS WITH (KAFKA_TOPIC='counts') AS SELECT G, COUNT(*) AS N, SUM(V) AS T FROM S GROUP BY G;
CREATE STREAM BY_GROUP WITH (KAFKA_TOPIC='by_group') AS SELECT G, ID, V FROM S PARTITION BY G;
CREATE TABLE AGAIN WITH (KAFKA_TOPIC='again') AS SELECT G, COUNT(*) AS N FROM BY_GROUP GROUP BY G;`;

/** Sends statements; false when the server was killed meanwhile, so that nobody knows. Throws when they are refused. */
type Send = (sql: string) => Promise<boolean>;

export interface KillOptions {
  readonly seed: number;
  readonly kills: number;
  /** How many requests a server answers before it is killed, at most. */
  readonly answersMax: number;
  /** Rows that must have been acknowledged in the end; more kills follow until they were: a slow machine does less between two. */
  readonly acknowledgedMin: number;
}

/** Rejects, naming the seed, when something was lost, doubled or could not be started again. */
export async function killRounds(options: KillOptions): Promise<{ rows: number; acknowledged: number }> {
  const rounds = new KillRounds(options);
  try {
    return await rounds.run();
  } catch (error) {
    throw new Error(`seed ${options.seed}, after kill ${rounds.kills}`, { cause: error });
  } finally {
    await rounds.close();
  }
}

class KillRounds {
  kills = 0;
  readonly #options: KillOptions;
  readonly #random: SeededRandom;
  readonly #directory = mkdtempSync(join(tmpdir(), 'millrace-kills-'));
  /** It stands inside the repository, where the native packages are found. */
  readonly #code = mkdtempSync(join(tmpdir(), 'millrace-kills-code-'));
  #bundle = '';
  #server: ChildProcess | null = null;
  #stderr = '';
  /** Ids of rows whose insert was acknowledged, and of those where nobody knows. */
  readonly #acknowledged = new Set<string>();
  readonly #unknown = new Set<string>();
  #answers = 0;
  #nextRow = 0;
  #replacements = 0;
  #acknowledgedReplacement = 0;

  constructor(options: KillOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  async run(): Promise<{ rows: number; acknowledged: number }> {
    this.#bundle = await bundleTs('test/harness/small-server.ts', this.#code);
    const first = await this.#listening();
    expect(await sender(first)(CREATE)).toBe(true);
    await this.#stop('SIGKILL');
    const { kills, acknowledgedMin } = this.#options;
    while (this.kills < kills || this.#acknowledged.size < acknowledgedMin) {
      if (this.#random.chance(0.2)) await this.#killWhileStarting();
      else await this.#killUnderLoad();
      this.kills++;
    }
    return this.#check();
  }

  async close(): Promise<void> {
    await this.#stop('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
    rmSync(this.#code, { recursive: true, force: true });
  }

  #start(): ChildProcess {
    this.#stderr = '';
    const server = spawn(process.execPath, [this.#bundle, this.#directory], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    server.stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.#server = server;
    return server;
  }

  /** Starts a server; gives its address. */
  async #listening(): Promise<string> {
    const server = this.#start();
    const line = await Promise.race([
      once(server.stdout!, 'data').then(([chunk]) => String(chunk)),
      once(server, 'close').then(([code]) => {
        throw new Error(`the server ended with ${String(code)} instead of starting: ${this.#stderr}`);
      }),
    ]);
    return `http://127.0.0.1:${line.trim()}`;
  }

  async #stop(signal: NodeJS.Signals): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    const closed = once(server, 'close');
    server.kill(signal);
    await closed;
  }

  async #killWhileStarting(): Promise<void> {
    this.#start();
    await sleep(this.#random.integer(0, 700));
    await this.#stop('SIGKILL');
  }

  async #killUnderLoad(): Promise<void> {
    const url = await this.#listening();
    await this.#checkReplacement(url);
    const send = sender(url);
    // By what was done, not by time alone: a slow machine has kills under load too.
    const answersBefore = this.#answers;
    const answers = this.#random.integer(0, this.#options.answersMax);
    const load = [
      ...REQUEST_ROWS.map((rowsMax) => this.#insert(send, this.#random.integer(1, rowsMax))),
      this.#replace(send),
    ];
    const failed = Promise.all(load);
    while (this.#answers < answersBefore + answers) await Promise.race([nextTurn(), failed]);
    await Promise.race([sleep(this.#random.integer(0, 60)), failed]);
    await this.#stop('SIGKILL');
    await Promise.all(load);
  }

  /** Until the server is gone: so many rows in a request. */
  async #insert(send: Send, rowsPerRequest: number): Promise<void> {
    for (let sent = true; sent;) {
      const ids = Array.from({ length: rowsPerRequest }, () => `r${this.#nextRow++}`);
      const rows = ids.map((id) => `INSERT INTO S VALUES ('${id}', '${groupOf(id)}', ${valueOf(id)});`);
      sent = await send(rows.join('\n'));
      this.#answers++;
      for (const id of ids) (sent ? this.#acknowledged : this.#unknown).add(id);
    }
  }

  /** Until the server is gone: the query that copies gets another condition, which is as true; the table stays as it is. */
  async #replace(send: Send): Promise<void> {
    for (let sent = true; sent;) {
      const n = ++this.#replacements;
      sent = await send(
        `CREATE OR REPLACE STREAM COPY WITH (KAFKA_TOPIC='copy') AS SELECT * FROM S WHERE V > -${n + 1};`,
      );
      if (sent) this.#acknowledgedReplacement = n;
      if (sent && this.#random.chance(0.5))
        sent = await send(
          `CREATE OR REPLACE TABLE COUNTS WITH (KAFKA_TOPIC='counts') AS
           SELECT G, COUNT(*) AS N, SUM(V) AS T FROM S GROUP BY G;`,
        );
    }
  }

  /** The newest replacement that somebody was told of, or a later one. */
  async #checkReplacement(url: string): Promise<void> {
    const [{ queries }] = (await ask(url, 'ksql', { ksql: 'SHOW QUERIES;' })) as [
      { queries: { queryString: string; state: string }[] },
    ];
    const text = queries.map(({ queryString }) => queryString).find((each) => each.includes('STREAM COPY'));
    const n = Number(/V > -(\d+)/.exec(text ?? '')?.[1]) - 1;
    expect(n, `the condition of ${text}`).toBeGreaterThanOrEqual(this.#acknowledgedReplacement);
    expect(queries.map(({ state }) => state)).toEqual(['RUNNING', 'RUNNING', 'RUNNING', 'RUNNING']);
  }

  async #check(): Promise<{ rows: number; acknowledged: number }> {
    let url = await this.#listening();
    await this.#stop('SIGTERM');
    const source = await this.#read('s');
    const ids = source.map(({ key }) => key!);
    expect(repeated(ids), 'rows that are in the source twice').toEqual([]);
    const there = new Set(ids);
    expect(
      [...this.#acknowledged].filter((id) => !there.has(id)),
      'acknowledged rows that are gone',
    ).toEqual([]);
    expect(
      ids.filter((id) => !this.#acknowledged.has(id) && !this.#unknown.has(id)),
      'rows that nobody sent',
    ).toEqual([]);

    url = await this.#listening();
    const counts = new Map<string, [n: number, total: number]>();
    for (const id of ids) {
      const [n, total] = counts.get(groupOf(id)) ?? [0, 0];
      counts.set(groupOf(id), [n + 1, total + valueOf(id)]);
    }
    const sum = (rows: readonly (readonly unknown[])[]): number =>
      rows.reduce((total, row) => total + Number(row[1]), 0);
    // What was not processed yet is processed now; too much shows at once.
    let tables = [[], []] as Row[][];
    while (tables.some((rows) => sum(rows) < ids.length)) {
      await sleep(20);
      tables = [await pull(url, 'SELECT G, N, T FROM COUNTS;'), await pull(url, 'SELECT G, N FROM AGAIN;')];
    }
    const byGroup = [...counts].map(([group, [n, total]]) => [group, n, total]);
    expect(tables[0]!.toSorted(byKey)).toEqual(byGroup.toSorted(byKey));
    expect(tables[1]!.toSorted(byKey)).toEqual(byGroup.map(([group, n]) => [group, n]).toSorted(byKey));
    await this.#stop('SIGTERM');

    for (const [topic, idOf] of [
      ['copy', ({ key }: Stored) => key!],
      ['by_group', ({ value }: Stored) => (JSON.parse(value!) as { ID: string }).ID],
    ] as const) {
      const copies = (await this.#read(topic)).map(idOf);
      expect(repeated(copies), `rows that are in ${topic} twice`).toEqual([]);
      expect(new Set(copies), `rows of ${topic}`).toEqual(there);
    }
    for (const topic of ['counts', 'again']) {
      const last = new Map(
        (await this.#read(topic)).map(({ key, value }) => [key, JSON.parse(value!) as { N: number }]),
      );
      expect(
        [...last].map(([group, { N }]) => [group, N]).toSorted(byKey),
        `last counts in ${topic}`,
      ).toEqual(byGroup.map(([group, n]) => [group, n]).toSorted(byKey));
    }
    return { rows: ids.length, acknowledged: this.#acknowledged.size };
  }

  async #read(topic: string): Promise<Stored[]> {
    const log = await openEmbeddedLog({
      clock: systemClock,
      logger: silentLogger,
      directory: join(this.#directory, 'log'),
    });
    try {
      return await readAll(log, topic);
    } finally {
      await log.close();
    }
  }
}

type Row = readonly unknown[];
type Stored = Awaited<ReturnType<typeof readAll>>[number];

function byKey(a: Row, b: Row): number {
  return String(a[0]) < String(b[0]) ? -1 : 1;
}

function groupOf(id: string): string {
  return `g${Number(id.slice(1)) % GROUPS}`;
}

function valueOf(id: string): number {
  return Number(id.slice(1)) % 1000;
}

function repeated(ids: readonly string[]): string[] {
  const seen = new Set<string>();
  return ids.filter((id) => seen.size === seen.add(id).size);
}

function sender(url: string): Send {
  return async (sql) => {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url}/ksql`, { method: 'POST', body: JSON.stringify({ ksql: sql }) });
      text = await response.text();
    } catch {
      return false;
    }
    if (!response.ok) throw new Error(`${response.status} for ${sql.slice(0, 200)}: ${text}`);
    return true;
  };
}

async function ask(url: string, path: string, body: object): Promise<unknown> {
  const response = await fetch(`${url}/${path}`, { method: 'POST', body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status}: ${text}`);
  return JSON.parse(text);
}

async function pull(url: string, sql: string): Promise<Row[]> {
  const response = await fetch(`${url}/query-stream`, { method: 'POST', body: JSON.stringify({ sql }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status}: ${text}`);
  return text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line) as Row);
}
