import type { Statement } from '../sql/parser/ast.ts';
import type { LoggedCommand } from './command.ts';
import {
  addedToBy,
  type CatalogKey,
  controlOf,
  definedBy,
  droppedBy,
  mentionedBy,
  type QueryControl,
  queryIdOf,
  sinkOf,
} from './statements/names.ts';

/** A command among the others: what it needs of those before it, and what it ended of them. */
export interface HistoryEntry {
  readonly logged: LoggedCommand;
  /** Null for what is no statement that this release can read. */
  readonly statement: Statement | null;
  /** The query that it made. */
  readonly queryId: string | null;
  /** Without them it cannot be executed as it was. */
  readonly needs: readonly HistoryEntry[];
  /** For commands that only end things (DROP, TERMINATE, RESUME): what they ended. Null for all others. */
  readonly ends: readonly HistoryEntry[] | null;
  /** Whether what it ended was there without a command. */
  readonly endsBuiltIn: boolean;
}

/**
 * Which commands today's catalog comes from. Executing those alone, in their order, gives the same streams, tables, types,
 * functions, properties and queries as executing all.
 *
 * A name stands for the commands that have defined it since it was last free: the latest of them is what it means, and
 * DROP ends them all. A command is needed while a name stands for it, or a needed one was executed over it (a type, a
 * source, a function, the columns before ALTER); what ended a needed one is needed to end it again. What cannot be read
 * may need everything that was there.
 */
export class CommandHistory {
  readonly #entries: HistoryEntry[] = [];
  /** By name: the commands that have defined it since it was free. */
  readonly #chains = new Map<CatalogKey, HistoryEntry[]>();
  /** Names that are there without a command. */
  readonly #builtIn: readonly CatalogKey[];
  /** Those that have not been dropped. */
  readonly #builtInLeft: Set<CatalogKey>;

  constructor(builtIn: readonly CatalogKey[] = []) {
    this.#builtIn = builtIn;
    this.#builtInLeft = new Set(builtIn);
  }

  get entries(): readonly HistoryEntry[] {
    return this.#entries;
  }

  /** The command that made what `key` means now; undefined where none did. */
  meaningOf(key: CatalogKey): HistoryEntry | undefined {
    return this.#chains.get(key)?.at(-1);
  }

  /** `statement`: of its text; null when it cannot be read. */
  add(logged: LoggedCommand, statement: Statement | null): HistoryEntry {
    const entry = statement === null ? this.#unreadable(logged) : this.#read(logged, statement);
    this.#entries.push(entry);
    return entry;
  }

  #unreadable(logged: LoggedCommand): HistoryEntry {
    const needs = [...this.#chains.values()].flatMap((chain) => chain.slice(-1));
    return {
      logged,
      statement: null,
      queryId: null,
      needs: [...new Set(needs)],
      ends: null,
      endsBuiltIn: false,
    };
  }

  #read(logged: LoggedCommand, statement: Statement): HistoryEntry {
    const dropped = droppedBy(statement);
    if (dropped !== null) return this.#drop(logged, statement, dropped);
    const control = controlOf(statement);
    if (control !== null) return this.#control(logged, statement, control);
    return this.#define(logged, statement);
  }

  #define(logged: LoggedCommand, statement: Statement): HistoryEntry {
    const key = definedBy(statement);
    const before = key === null ? undefined : this.meaningOf(key);
    const { queryId: given, sequence } = logged.command!;
    const made = sinkOf(statement) === null ? null : (before?.queryId ?? null);
    const goesOnWith = made !== null && this.#chains.has(`query:${made}`) ? made : null;
    const queryId = given ?? goesOnWith ?? queryIdOf(statement, sequence);
    const needs = [...mentionedBy(statement)].flatMap((each) => this.meaningOf(each) ?? []);
    const isComplete = addedToBy(statement) === null && (goesOnWith === null || given !== undefined);
    if (before !== undefined && !isComplete) needs.push(before);
    const entry = { logged, statement, queryId, needs: [...new Set(needs)], ends: null, endsBuiltIn: false };
    if (key !== null) this.#extend(key, entry);
    // A query that replaces another one runs, whether that one was paused or not.
    if (queryId !== null) this.#chains.delete(`paused:${queryId}`);
    if (queryId !== null) this.#extend(`query:${queryId}`, entry);
    return entry;
  }

  #extend(key: CatalogKey, entry: HistoryEntry): void {
    const chain = this.#chains.get(key);
    if (chain === undefined) this.#chains.set(key, [entry]);
    else chain.push(entry);
  }

  #drop(logged: LoggedCommand, statement: Statement, key: CatalogKey): HistoryEntry {
    const made = this.meaningOf(key)?.queryId;
    const query = made === undefined || made === null ? null : made;
    const keys: CatalogKey[] = query === null ? [key] : [key, `query:${query}`];
    // A PAUSE ends with its query, and needs nothing to end it.
    if (query !== null) this.#chains.delete(`paused:${query}`);
    const endsBuiltIn = this.#builtInLeft.delete(key);
    return { logged, statement, queryId: null, needs: [], ends: this.#end(keys), endsBuiltIn };
  }

  #control(logged: LoggedCommand, statement: Statement, { verb, queryId }: QueryControl): HistoryEntry {
    const ids = this.#queriesOf(queryId);
    const needs =
      queryId === null || verb === 'terminate'
        ? []
        : ids.flatMap((id) => this.meaningOf(`query:${id}`) ?? []);
    const entry = (ends: readonly HistoryEntry[] | null): HistoryEntry => {
      return { logged, statement, queryId: null, needs, ends, endsBuiltIn: false };
    };
    switch (verb) {
      case 'pause': {
        const paused = entry(null);
        for (const id of ids) this.#extend(`paused:${id}`, paused);
        return paused;
      }
      case 'resume':
        return entry(this.#end(ids.map((id): CatalogKey => `paused:${id}`)));
      case 'terminate': {
        // ALL leaves those that keep the rows of a SOURCE TABLE: they end with it.
        const keepsRows = (made: Statement | null | undefined): boolean =>
          made !== null && made !== undefined && sinkOf(made) === null;
        const ended = ids.filter((id) => !keepsRows(this.meaningOf(`query:${id}`)?.statement));
        for (const id of ended) this.#chains.delete(`paused:${id}`);
        return entry(this.#end(ended.map((id): CatalogKey => `query:${id}`)));
      }
    }
  }

  #queriesOf(queryId: string | null): readonly string[] {
    if (queryId === null)
      return [...this.#chains.keys()].flatMap((key) =>
        key.startsWith('query:') ? [key.slice('query:'.length)] : [],
      );
    return [queryId, queryId.toUpperCase()].filter((id) => this.#chains.has(`query:${id}`)).slice(0, 1);
  }

  #end(keys: readonly CatalogKey[]): readonly HistoryEntry[] {
    const ended = keys.flatMap((key) => this.#chains.get(key) ?? []);
    for (const key of keys) this.#chains.delete(key);
    return [...new Set(ended)];
  }

  /** The commands that are still needed, in order. `kept`: some that are needed whatever else is. */
  live(kept: Iterable<HistoryEntry> = []): readonly HistoryEntry[] {
    const live = new Set<HistoryEntry>();
    const pending = [...kept, ...[...this.#chains.values()].flatMap((chain) => chain.slice(-1))];
    for (const entry of this.#entries) if (entry.statement === null) pending.push(entry);
    while (pending.length > 0) {
      const entry = pending.pop()!;
      if (live.has(entry)) continue;
      live.add(entry);
      pending.push(...entry.needs);
    }
    let unreadable = false;
    for (const entry of this.#entries) {
      if (entry.statement === null) unreadable = true;
      if (entry.ends === null) continue;
      // Where no maker is known, a command that cannot be read may have made it.
      const endsWhatIsKept =
        entry.endsBuiltIn ||
        (entry.ends.length === 0 ? unreadable : entry.ends.some((each) => live.has(each)));
      if (endsWhatIsKept && entry.needs.every((each) => live.has(each))) live.add(entry);
    }
    return this.#entries.filter((entry) => live.has(entry));
  }

  /** The same without some commands, as if they had never been. */
  without(ids: ReadonlySet<number>): CommandHistory {
    const history = new CommandHistory(this.#builtIn);
    for (const { logged, statement } of this.#entries)
      if (!ids.has(logged.id)) history.add(logged, statement);
    return history;
  }
}
