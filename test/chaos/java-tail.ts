import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { SeenRecord } from './judge.ts';

const JVM = [
  '-Xmx384m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
];

/** A Java consumer that tells what it sees of topics with read_committed, as it comes. */
export class JavaTail {
  readonly #process: ChildProcess;
  readonly #ended: Promise<number | null>;
  /** Partitions in which something is not decided. */
  readonly #undecided: string[] = [];

  constructor(
    classpath: string,
    address: string,
    topics: readonly string[],
    see: (record: SeenRecord) => void,
  ) {
    const program = ['-cp', classpath, 'test/harness/java/TailCommitted.java', address, ...topics];
    const java = spawn('java', [...JVM, ...program], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process = java;
    java.stdin.on('error', () => {});
    const read = (async () => {
      for await (const line of createInterface({ input: java.stdout })) {
        const cells = line.split('\t') as [string, string, string, string, string, string];
        if (cells[0] === 'end') {
          if (cells[3] !== cells[4])
            this.#undecided.push(`${cells[1]}-${cells[2]}: stable to ${cells[3]} of ${cells[4]}`);
          continue;
        }
        const [topic, partition, offset, timestamp, key, value] = cells;
        see({
          topic,
          partition: Number(partition),
          offset: Number(offset),
          timestamp: Number(timestamp),
          key,
          value,
        });
      }
    })();
    const exit = new Promise<number | null>((resolve) => java.once('close', resolve));
    this.#ended = Promise.all([exit, read]).then(([code]) => code);
  }

  get isThere(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Reads to the end; partitions whose last stable offset is not their end. */
  async end(): Promise<readonly string[]> {
    this.#process.stdin!.end();
    if ((await this.#ended) !== 0) throw new Error("Java's reader failed");
    return this.#undecided;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

/** How all transactions ended in each partition, by the segments of a broker; faults, and how many were committed and undone. */
export async function transactionOutcomes(
  classpath: string,
  address: string,
  directory: string,
): Promise<{ readonly faults: readonly string[]; readonly committed: number; readonly undone: number }> {
  const program = ['-cp', classpath, 'test/harness/java/TransactionOutcomes.java', address, directory];
  const java = spawn('java', [...JVM, ...program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = new Promise<number | null>((resolve) => java.once('close', resolve));
  const faults: string[] = [];
  let totals = [-1, -1];
  for await (const line of createInterface({ input: java.stdout })) {
    if (line.startsWith('outcomes\t')) totals = line.split('\t').slice(1).map(Number);
    else faults.push(line);
  }
  if ((await exit) !== 0) throw new Error('the transactions could not be read');
  return { faults, committed: totals[0]!, undone: totals[1]! };
}
