import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuSecondsOf, peakMegabytes, residentMegabytes } from './process-cpu.ts';

const POLL_MS = 250;

interface OffsetSummary {
  readonly topicSummaries: readonly {
    readonly kafkaTopic: string;
    readonly offsets: readonly { readonly logEndOffset: number; readonly consumerOffset: number }[];
  }[];
}

/** What a server has used since it was started. */
export interface Usage {
  /** User and system, all its threads. */
  readonly cpuSeconds: number;
  readonly residentMb: number;
  readonly peakMb: number;
}

/** The built server (`npm run build`) in a process of its own, spoken to over HTTP. Needs Linux. */
export class BenchServer {
  readonly url: string;
  /** From the start of the process until its port was open. */
  readonly listenedMs: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;

  private constructor(child: ChildProcess, exited: Promise<number | null>, url: string, listenedMs: number) {
    this.#child = child;
    this.#exited = exited;
    this.url = url;
    this.listenedMs = listenedMs;
  }

  /** Resolves when it listens. `nodeOptions`: of Node.js itself. */
  static async start(options: readonly string[], nodeOptions: readonly string[] = []): Promise<BenchServer> {
    const begin = performance.now();
    const args = [
      '--enable-source-maps',
      ...nodeOptions,
      'dist/main.js',
      'server',
      '--port',
      '0',
      ...options,
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const url = await new Promise<string>((resolve, reject) => {
      void exited.then((code) => reject(new Error(`the server ended with exit ${String(code)}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const found = /listens on (http:\S+)/.exec(line);
        if (found !== null) resolve(found[1]!);
      });
    });
    return new BenchServer(child, exited, url, performance.now() - begin);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  usage(): Usage {
    return {
      cpuSeconds: cpuSecondsOf(this.pid),
      residentMb: residentMegabytes(this.pid),
      peakMb: peakMegabytes(this.pid),
    };
  }

  /** What `/ksql` answers. Throws when it is an error. */
  async execute(text: string, properties: Readonly<Record<string, string>> = {}): Promise<unknown[]> {
    return (await this.#post('/ksql', { ksql: text, streamsProperties: properties })) as unknown[];
  }

  /** The rows of a pull query, without the header. */
  async pull(text: string): Promise<unknown[][]> {
    const answer = (await this.#post('/query', { ksql: text })) as { row?: { columns: unknown[] } }[];
    return answer.flatMap(({ row }) => (row === undefined ? [] : [row.columns]));
  }

  async #post(path: string, body: unknown): Promise<unknown> {
    const response = await fetch(new URL(path, this.url), {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.ksql.v1+json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text.slice(0, 400)}`);
    return JSON.parse(text);
  }

  /** Resolves when the queries that write `sources` have committed all that their topics hold. Throws when one has failed. */
  async drained(sources: readonly string[], timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!(await this.#haveDrained(sources))) {
      if (performance.now() > deadline) throw new Error(`not drained in ${timeoutMs / 1000} s`);
      await delay(POLL_MS);
    }
  }

  async #haveDrained(sources: readonly string[]): Promise<boolean> {
    for (const source of sources) {
      const [answer] = (await this.execute(`DESCRIBE ${source} EXTENDED;`)) as [
        {
          sourceDescription: {
            writeQueries: readonly { state: string }[];
            queryOffsetSummaries: readonly OffsetSummary[];
          };
        },
      ];
      const { writeQueries, queryOffsetSummaries } = answer.sourceDescription;
      if (writeQueries.some(({ state }) => state === 'ERROR'))
        throw new Error(`the query of ${source} failed`);
      const offsets = queryOffsetSummaries.flatMap(({ topicSummaries }) =>
        topicSummaries.flatMap((topic) => topic.offsets),
      );
      if (offsets.some(({ logEndOffset, consumerOffset }) => consumerOffset < logEndOffset)) return false;
    }
    return true;
  }

  /** SIGTERM, and waits. Throws when it did not end well. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const code = await this.#exited;
    if (code !== 0) throw new Error(`the server ended with exit ${String(code)} after SIGTERM`);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
