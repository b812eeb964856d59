import { Millrace } from './millrace.ts';

/** A server as a process of its own, and what its clients see of it. */
export class ServiceProcess {
  readonly process: Millrace;
  url = '';

  private constructor(args: readonly string[]) {
    this.process = new Millrace(['server', '--port', '0', ...args]);
  }

  /** Resolves when it listens. */
  static async start(
    address: string,
    serviceId: string,
    more: readonly string[] = [],
  ): Promise<ServiceProcess> {
    const server = new ServiceProcess(['--kafka', address, '--service-id', serviceId, ...more]);
    await server.process.until(() => server.process.stdout.includes('\n'), 'it listens');
    server.url = /http:\/\/\S+/.exec(server.process.stdout)![0];
    return server;
  }

  /** Its answer to statements. Rejects with the message when there is none. */
  async post(ksql: string): Promise<readonly Record<string, unknown>[]> {
    const response = await fetch(`${this.url}/ksql`, { method: 'POST', body: JSON.stringify({ ksql }) });
    const body = (await response.json()) as unknown;
    if (response.status !== 200) throw new Error((body as { message: string }).message);
    return body as readonly Record<string, unknown>[];
  }

  /** State and owner of each query, by its id. */
  async queries(): Promise<Record<string, string>> {
    const [answer] = await this.post('SHOW QUERIES;');
    const listed = answer!['queries'] as { id: string; state: string; owner?: string }[];
    return Object.fromEntries(
      listed.map(({ id, state, owner }) => [id, owner === undefined ? state : `${state} ${owner}`]),
    );
  }

  /** The rows of a pull query. Rejects with the message when there are none. */
  async pull(sql: string): Promise<unknown[][]> {
    const response = await fetch(`${this.url}/query-stream`, {
      method: 'POST',
      body: JSON.stringify({ sql }),
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error((JSON.parse(text) as { message: string }).message);
    const [, ...rows] = text.trimEnd().split('\n');
    return rows.map((line) => {
      const row = JSON.parse(line) as unknown[] | { readonly message: string };
      // It began with rows, and then went wrong.
      if (!Array.isArray(row)) throw new Error(row.message);
      return row;
    });
  }

  /** Resolves when `asked` gives `expected`, as JSON; what goes wrong until then is not of interest. */
  async until<T>(asked: () => Promise<T>, expected: T): Promise<void> {
    for (;;) {
      const answer = await asked().catch(() => undefined);
      if (JSON.stringify(answer) === JSON.stringify(expected)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
