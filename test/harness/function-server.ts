import { readFileSync } from 'node:fs';
import { Millrace } from './millrace.ts';

/** `millrace server` as a process, for functions that mean harm: what they cost others is measured from outside. */
export class FunctionServer {
  readonly millrace: Millrace;
  readonly url: string;

  private constructor(millrace: Millrace) {
    this.millrace = millrace;
    this.url = /http:\/\/\S+/.exec(millrace.stdout)![0];
  }

  static async start(...args: string[]): Promise<FunctionServer> {
    const millrace = new Millrace(['server', '--port', '0', ...args]);
    await millrace.until(() => millrace.stdout.includes('\n'), 'it listens');
    return new FunctionServer(millrace);
  }

  /** Rejects with what the server says against the statement. */
  async run(sql: string): Promise<unknown[]> {
    const response = await fetch(`${this.url}/ksql`, { method: 'POST', body: JSON.stringify({ ksql: sql }) });
    const body: unknown = await response.json();
    if (response.status !== 200) throw new Error(JSON.stringify(body));
    return body as unknown[];
  }

  /** The rows of a query that ends. */
  async rows(sql: string): Promise<unknown[]> {
    const response = await fetch(`${this.url}/query-stream`, {
      method: 'POST',
      body: JSON.stringify({ sql, properties: { 'auto.offset.reset': 'earliest' } }),
    });
    const lines = (await response.text()).trimEnd().split('\n');
    if (response.status !== 200) throw new Error(lines.join('\n'));
    return lines.slice(1).map((line) => JSON.parse(line) as unknown);
  }

  /** How long `/info` was waited for at most, in milliseconds, until `work` has come to its end. */
  async longestInfo(work: Promise<unknown>): Promise<number> {
    let working = true;
    const end = (): void => {
      working = false;
    };
    work.then(end, end);
    let longest = 0;
    while (working) {
      const begun = performance.now();
      await (await fetch(`${this.url}/info`)).text();
      longest = Math.max(longest, performance.now() - begun);
    }
    return longest;
  }

  /** Resolves when the process takes less than a fifth of a processor. */
  async quiet(): Promise<void> {
    for (;;) {
      const begun = performance.now();
      const before = this.#processorMs();
      await new Promise((resolve) => setTimeout(resolve, 250));
      if (this.#processorMs() - before < (performance.now() - begun) / 5) return;
    }
  }

  /** Processor time of all threads, from Linux. */
  #processorMs(): number {
    const stat = readFileSync(`/proc/${this.millrace.process.pid!}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }
}

export function createFunction(name: string, body: string): string {
  return `CREATE FUNCTION ${name}(n BIGINT, t STRING) RETURNS STRING LANGUAGE JAVASCRIPT AS $body$${body}$body$;`;
}

/** A stream of two rows, and a function that is innocent. */
export const SETTING = `CREATE STREAM S (N BIGINT, T STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
  INSERT INTO S VALUES (1, 'a b'); INSERT INTO S VALUES (2, 'c d');
  ${createFunction('FINE', 'return `${t} ${n + 1}`;')}`;

export const FINE = 'SELECT FINE(N, T) FROM S EMIT CHANGES LIMIT 2;';
export const FINE_ROWS = [['a b 2'], ['c d 3']];
