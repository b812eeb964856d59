import { appendFileSync, openSync } from 'node:fs';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** A stopped process takes requests and answers none. */
const ANSWER_MS = 2000;

/** One of the processes of a service: killed and started again, it is the same one, with the same directory. */
export class ServiceProcess {
  readonly name: string;
  readonly #command: readonly string[];
  readonly #log: string;
  #process: ChildProcess | null = null;
  #url: string | null = null;
  #isStopped = false;
  /** It has ended by itself. */
  #complaint: string | null = null;

  constructor(name: string, command: readonly string[], directory: string) {
    this.name = name;
    this.#command = command;
    this.#log = join(directory, `${name}.log`);
  }

  get isThere(): boolean {
    return this.#process !== null && !this.#isStopped;
  }

  get complaint(): string | null {
    return this.#complaint;
  }

  /** Does not wait until it listens. */
  start(): void {
    if (this.#process !== null) return;
    const output = openSync(this.#log, 'a');
    appendFileSync(output, `--- start\n`);
    const child = spawn(process.execPath, this.#command, { stdio: ['ignore', 'pipe', output] });
    this.#process = child;
    this.#isStopped = false;
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const url = /http:\/\/\S+/.exec(line)?.[0];
      if (url !== undefined && this.#process === child) this.#url = url;
    });
    child.once('exit', (code, signal) => {
      if (this.#process !== child) return;
      this.#gone();
      this.#complaint = `${this.name} ended by itself (${code ?? signal}), see ${this.#log}`;
    });
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    this.#gone();
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    appendFileSync(this.#log, `--- killed\n`);
  }

  pause(): void {
    if (!this.isThere) return;
    this.#process!.kill('SIGSTOP');
    this.#isStopped = true;
    appendFileSync(this.#log, `--- stopped\n`);
  }

  resume(): void {
    if (!this.#isStopped) return;
    this.#process!.kill('SIGCONT');
    this.#isStopped = false;
    appendFileSync(this.#log, `--- woken\n`);
  }

  /** Ends it as a person would; its exit code, null when it took longer. */
  async end(patienceMs: number): Promise<number | null> {
    const child = this.#process;
    if (child === null) return null;
    this.#process = null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const code = await Promise.race([ended, sleep(patienceMs, undefined, { ref: false })]);
    if (code === undefined) child.kill('SIGKILL');
    await ended;
    this.#gone();
    return code ?? null;
  }

  async post(ksql: string): Promise<readonly Record<string, unknown>[]> {
    return JSON.parse(await this.#ask('ksql', { ksql }, 60_000)) as readonly Record<string, unknown>[];
  }

  /** The rows of a pull query. */
  async pull(sql: string): Promise<unknown[][]> {
    const [, ...rows] = (await this.#ask('query-stream', { sql }, 60_000)).trimEnd().split('\n');
    return rows.map((row) => JSON.parse(row) as unknown[]);
  }

  /** States of its queries, without repetitions; none when it does not answer. */
  async states(): Promise<readonly string[]> {
    if (!this.isThere || this.#url === null) return [];
    try {
      const [answer] = JSON.parse(await this.#ask('ksql', { ksql: 'SHOW QUERIES;' }, ANSWER_MS)) as [
        { queries: { state: string }[] },
      ];
      return [...new Set(answer.queries.map(({ state }) => state))];
    } catch {
      return [];
    }
  }

  async #ask(path: string, body: object, patienceMs: number): Promise<string> {
    if (this.#url === null) throw new Error(`${this.name} does not listen`);
    const response = await fetch(`${this.#url}/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(patienceMs),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${this.name}: ${response.status} ${text}`);
    return text;
  }

  #gone(): void {
    this.#process = null;
    this.#url = null;
    this.#isStopped = false;
  }
}
