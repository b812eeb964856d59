import type { Clock } from '../common/clock.ts';
import { SqlError } from '../common/error.ts';
import type { Statement } from '../sql/parser/ast.ts';
import type { CommandHistory, HistoryEntry } from './command-history.ts';
import { addedToBy, definedBy, droppedBy, sinkOf } from './statements/names.ts';
import type { QueryError } from './persistent-query.ts';

const TEXT_MAX = 1000;
const ERRORS_MAX = 10;

/** A statement in the command log that could not be replayed. It is tried again until it can be, or is given up. */
export interface FailedStatement {
  readonly entry: HistoryEntry;
  /** The id that TERMINATE takes: that of the query that it makes, else `STATEMENT_<n>`. */
  readonly id: string;
  readonly text: string;
  /** Names in the catalog of what its query would write. */
  readonly sinks: readonly string[];
  /** The latest reasons, oldest first; repeated ones once. */
  readonly errors: readonly QueryError[];
}

/** Those that could not be replayed, in their order. */
export class FailedStatements {
  readonly #clock: Clock;
  /** By command. */
  readonly #failed = new Map<number, FailedStatement & { entry: HistoryEntry; errors: QueryError[] }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#failed.size;
  }

  all(): readonly FailedStatement[] {
    return [...this.#failed.values()];
  }

  has(entry: HistoryEntry): boolean {
    return this.#failed.has(entry.logged.id);
  }

  get(entry: HistoryEntry): FailedStatement | undefined {
    return this.#failed.get(entry.logged.id);
  }

  /** Unquoted names arrive in upper case. */
  byId(id: string): FailedStatement | undefined {
    return this.all().find((each) => each.id === id || each.id === id.toUpperCase());
  }

  /** Those that a statement makes meaningless because it defines or drops the same name. */
  supersededBy(statement: Statement): readonly FailedStatement[] {
    const key = definedBy(statement) ?? droppedBy(statement);
    if (key === null || addedToBy(statement) !== null) return [];
    return this.all().filter(
      ({ entry }) =>
        entry.statement !== null && (definedBy(entry.statement) ?? droppedBy(entry.statement)) === key,
    );
  }

  add(entry: HistoryEntry, id: string, message: string): void {
    const { logged, statement } = entry;
    let failed = this.#failed.get(logged.id);
    if (failed === undefined) {
      const text = logged.command?.statement ?? logged.value.toString('utf8').slice(0, TEXT_MAX);
      const sink = statement === null ? null : sinkOf(statement);
      failed = {
        entry,
        id,
        text,
        sinks: sink === null ? [] : [sink],
        errors: [],
      };
      this.#failed.set(logged.id, failed);
    }
    if (failed.errors.at(-1)?.message === message) failed.errors.pop();
    failed.errors.push({ timestamp: this.#clock.now(), message });
    if (failed.errors.length > ERRORS_MAX) failed.errors.shift();
  }

  delete({ logged }: HistoryEntry): void {
    this.#failed.delete(logged.id);
  }

  /** Some commands are no longer in the history. */
  follow(history: CommandHistory): void {
    const entries = new Map(history.entries.map((entry) => [entry.logged.id, entry]));
    for (const [id, failed] of this.#failed) {
      const entry = entries.get(id);
      if (entry === undefined) this.#failed.delete(id);
      else failed.entry = entry;
    }
  }
}

/** Why something failed, in a sentence. */
export function reasonOf(error: unknown): string {
  if (error instanceof SqlError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
