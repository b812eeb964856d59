import { expect } from 'vitest';
import { LogError } from '../../src/log/log.ts';
import type { Log, LogWriter } from '../../src/log/log.ts';
import { appendRecord } from './append-record.ts';
import { javaReadCommitted } from './java-read-committed.ts';

export const PARTITIONS = 3;
const STEP = 6;

/**
 * What an application with exactly once does, without all else: it writes the numbers from where its group has committed,
 * some in each transaction, and commits how far it has come. A writer that is told that its transaction is
 * undone, or that another one has come, is replaced at the last commit.
 */
export class MiniatureApplication {
  readonly #log: Log;
  readonly topic: string;
  #writer: LogWriter | null = null;
  #next = 0;
  /** Kinds of the errors after which a writer was replaced. */
  readonly replaced: string[] = [];
  /** Whether it ends with its writer: a process in whose place another one has come. */
  isAbandoned = false;

  constructor(log: Log, topic: string) {
    this.#log = log;
    this.topic = topic;
  }

  /** How far the application has come, whoever of it. */
  async committed(): Promise<number> {
    const [committed] = await this.#log.admin.committed(this.topic, [{ topic: this.topic, partition: 0 }]);
    return committed?.offset ?? 0;
  }

  /** Runs `count` transactions to their ends. */
  async run(count: number): Promise<void> {
    for (let done = 0; done < count;)
      try {
        await this.#transaction();
        done++;
      } catch (error) {
        const kind = error instanceof LogError ? error.kind : '';
        if (this.isAbandoned || (kind !== 'transaction-aborted' && kind !== 'fenced')) throw error;
        this.replaced.push(kind);
        await this.#writer?.close();
        this.#writer = null;
      }
  }

  async #transaction(): Promise<void> {
    const writer = (this.#writer ??= await this.#open());
    const end = this.#next + STEP;
    for (let number = this.#next; number < end; number++) {
      appendRecord(writer, { topic: this.topic, partition: number % PARTITIONS }, { value: `${number}` });
      // Early in the transaction and again at its end.
      if (number === this.#next + STEP / 2) await writer.flush();
    }
    await writer.commit([{ topic: this.topic, partition: 0, offset: end, metadata: '' }]);
    this.#next = end;
  }

  async #open(): Promise<LogWriter> {
    const writer = await this.#log.openWriter({ group: this.topic, transactionalId: this.topic });
    this.#next = await this.committed();
    return writer;
  }

  async close(): Promise<void> {
    await this.#writer?.close();
  }
}

/** Fails unless Java's read-committed consumer sees the numbers below `end`, each once and in order, and no transaction is open. */
export async function judgeNumbers(address: string, ended: ReadonlyMap<string, number>): Promise<void> {
  const { records, ends } = await javaReadCommitted(address, [...ended.keys()]);
  const found = new Map(
    [...ended.keys()].map((topic) => [topic, Array.from({ length: PARTITIONS }, (): number[] => [])]),
  );
  for (const { topic, partition, value } of records)
    found.get(topic)![partition]!.push(Number(String(value)));
  for (const [topic, end] of ended)
    expect([topic, found.get(topic)]).toEqual([
      topic,
      Array.from({ length: PARTITIONS }, (_, partition) =>
        Array.from({ length: end }, (__, number) => number).filter(
          (number) => number % PARTITIONS === partition,
        ),
      ),
    ]);
  expect(ends.filter(({ lastStableOffset, highWatermark }) => lastStableOffset < highWatermark)).toEqual([]);
}
