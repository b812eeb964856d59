import { createHash } from 'node:crypto';
import { SqlError } from '../common/error.ts';
import type { Log, LogWriter, ProducerOptions } from '../log/log.ts';
import type { ParsedStatement } from '../sql/parser/parse.ts';
import { ownName } from './reserved-topics.ts';
import { definitionOf, isChange } from './statements/statements.ts';

/** The statements of script files, which run one after another. */
export class Script {
  readonly statements: readonly ParsedStatement[];
  /** Null where progress is not kept: every statement runs at every start. */
  readonly progress: ScriptProgress | null;
  /** The things that its statements have made in this run, as `source:S`, `type:T`, …: a second one of a name is a mistake. */
  readonly made = new Set<string>();
  /** How many of the next ALTERs of a source took effect in earlier runs, by its name. */
  readonly altered = new Map<string, number>();
  #index = 0;

  constructor(statements: readonly ParsedStatement[], progress: ScriptProgress | null) {
    this.statements = statements;
    this.progress = progress;
  }

  /** The statement that is running. */
  get index(): number {
    return this.#index;
  }

  set index(index: number) {
    this.#index = index;
    if (this.progress !== null) this.progress.index = index;
  }

  /** Whether the running statement must not take effect again. */
  isDone(): boolean {
    const { progress, index, statements } = this;
    return progress !== null && index < progress.done && isChange(statements[index]!.statement);
  }

  /** The script has ended. */
  async finish(): Promise<void> {
    await this.progress?.finish();
  }

  async close(): Promise<void> {
    await this.progress?.close();
  }
}

/**
 * How far a script has come, kept in the durable log in the same step as what its statements write: a script that
 * was killed half-way and is run again neither repeats its INSERTs nor trips over its own CREATEs. A script that
 * ended is forgotten, so that running it again runs it again. Scripts are told apart by their files. What is done up to
 * the last INSERT … VALUES must not have been changed since; what comes after it may, for it does no harm twice.
 */
export class ScriptProgress {
  readonly #log: Log;
  readonly #group: string;
  readonly #topic: string;
  readonly #digests: Digests;
  readonly writer: LogWriter;
  /** Statements below this index took effect in an earlier run. */
  readonly done: number;
  /** The statement that is running. */
  index = 0;

  private constructor(
    log: Log,
    group: string,
    topic: string,
    digests: Digests,
    writer: LogWriter,
    done: number,
  ) {
    this.#log = log;
    this.#group = group;
    this.#topic = topic;
    this.#digests = digests;
    this.writer = writer;
    this.done = done;
  }

  /**
   * `topic` is any topic of the log that always exists; `fresh`: what was done before is forgotten. Throws `SqlError` when
   * the script was stopped behind statements that are others now.
   */
  static async open(
    log: Log,
    {
      serviceId,
      topic,
      fresh,
      producer,
    }: {
      readonly serviceId: string;
      readonly topic: string;
      readonly fresh: boolean;
      readonly producer: ProducerOptions;
    },
    files: readonly string[],
    statements: readonly ParsedStatement[],
  ): Promise<ScriptProgress> {
    const group = ownName(serviceId, `script_${digestOf(files)}`);
    const [committed] = fresh ? [] : await log.admin.committed(group);
    const digests = new Digests(statements);
    const done =
      committed === undefined ? 0 : digests.stillDone(committed.offset, committed.metadata?.split(' ') ?? []);
    if (done === null)
      throw new SqlError(
        'ML_UNSUPPORTED',
        `the script was stopped after ${committed!.offset} of its statements, and those have been changed since: which of its INSERTs are done cannot be told`,
        {
          hint: 'write them as they were (what comes after them may be edited), or start with --fresh to begin anew',
        },
      );
    return new ScriptProgress(log, group, topic, digests, await log.openWriter({ ...producer, group }), done);
  }

  /** Everything gathered in `writer`, and that the running statement is done, in one step. */
  async commit(): Promise<void> {
    const offset = this.index + 1;
    const metadata = this.#digests.marksOf(offset).join(' ');
    await this.writer.commit([{ topic: this.#topic, partition: 0, offset, metadata }]);
  }

  /** The next run begins at the first statement. */
  async finish(): Promise<void> {
    await this.writer.close();
    await this.#log.admin.alterCommitted(this.#group, [{ topic: this.#topic, partition: 0, offset: null }]);
  }

  async close(): Promise<void> {
    await this.writer.close();
  }
}

/** Digests of the first so many statements, each made from the one before. */
class Digests {
  readonly #statements: readonly ParsedStatement[];
  readonly #digests: string[] = [''];

  constructor(statements: readonly ParsedStatement[]) {
    this.#statements = statements;
  }

  /** Marks of the first `done` statements, by which `stillDone` knows later whether they are the same. */
  marksOf(done: number): readonly string[] {
    let inserted = done;
    while (inserted > 0 && !this.#writesRecords(inserted - 1)) inserted--;
    return [this.#ofFirst(done), String(inserted), this.#ofFirst(inserted)];
  }

  /** How many of the first `done` statements need not run again; null where that cannot be told. */
  stillDone(done: number, [all, inserted, untilInserted]: readonly string[]): number | null {
    if (all === this.#ofFirst(done)) return done;
    const count = Number(inserted ?? Number.NaN);
    return count <= done && untilInserted === this.#ofFirst(count) ? count : null;
  }

  #writesRecords(index: number): boolean {
    const parsed = this.#statements[index];
    return parsed !== undefined && definitionOf(parsed.statement).effect === 'records';
  }

  #ofFirst(count: number): string {
    for (let i = this.#digests.length; i <= count; i++)
      this.#digests.push(
        digestOf([this.#digests[i - 1]!, this.#statements[i - 1]?.resolvedText.trim() ?? 'nothing']),
      );
    return this.#digests[count]!;
  }
}

function digestOf(texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 16);
}
