import { createHash } from 'node:crypto';
import type { Log, LogWriter } from '../log/log.ts';
import { ownName } from './reserved-topics.ts';

/** Statements that change the log or the catalog: done once. All others read, or change the session: always run. */
export const CHANGING_STATEMENTS: ReadonlySet<string> = new Set([
  'createSource',
  'createSourceAs',
  'alterSource',
  'dropSource',
  'insertSelect',
  'insertValues',
  'createType',
  'dropType',
  'createFunction',
  'dropFunction',
  'terminate',
  'pause',
  'resume',
  'alterSystem',
]);

/**
 * How far a script has come, kept in the durable log in the same step as what its statements write: a script that
 * was killed half-way and is run again neither repeats its INSERTs nor trips over its own CREATEs. A script that
 * ended is forgotten, so that running it again runs it again.
 */
export class Script {
  readonly #log: Log;
  readonly #group: string;
  readonly #topic: string;
  readonly writer: LogWriter;
  /** Statements below this index took effect in an earlier run. */
  readonly done: number;
  /** The statement that is running. */
  index = 0;

  private constructor(log: Log, group: string, topic: string, writer: LogWriter, done: number) {
    this.#log = log;
    this.#group = group;
    this.#topic = topic;
    this.writer = writer;
    this.done = done;
  }

  /** `text` identifies the script; `topic` is any topic of the log that always exists. */
  static async open(log: Log, serviceId: string, topic: string, text: string): Promise<Script> {
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
    const group = ownName(serviceId, `script_${digest}`);
    const committed = await log.admin.committed(group);
    return new Script(log, group, topic, await log.openWriter({ group }), committed[0]?.offset ?? 0);
  }

  /** Whether the statement at `index` must not take effect again. */
  isDone(kind: string): boolean {
    return this.index < this.done && CHANGING_STATEMENTS.has(kind);
  }

  /** Everything gathered in `writer`, and that the running statement is done, in one step. */
  async commit(): Promise<void> {
    await this.writer.commit([{ topic: this.#topic, partition: 0, offset: this.index + 1, metadata: '' }]);
  }

  /** The script has ended: the next run begins at its first statement. */
  async finish(): Promise<void> {
    await this.writer.close();
    await this.#log.admin.alterCommitted(this.#group, [{ topic: this.#topic, partition: 0, offset: null }]);
  }

  async close(): Promise<void> {
    await this.writer.close();
  }
}
