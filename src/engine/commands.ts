import type { Clock } from '../common/clock.ts';
import { SqlError } from '../common/error.ts';
import type { Logger } from '../common/logger.ts';
import type { Statement } from '../sql/parser/ast.ts';
import { type ParsedStatement, parseStatements } from '../sql/parser/parse.ts';
import { CommandHistory, type HistoryEntry } from './command-history.ts';
import type { CommandLog } from './command-log.ts';
import { addedToBy, type CatalogKey, definedBy, mentionedBy } from './statements/names.ts';
import { type Command, COMMAND_BYTES_MAX, encodeCommand } from './command.ts';
import { type FailedStatement, FailedStatements, reasonOf } from './failed-statements.ts';
import type { ScriptProgress } from './script.ts';

/** The engine, as replaying sees it. */
export interface ReplayHost {
  /** The number that the next query's name is made from. */
  sequence: number;
  /** Executes a command as it was executed first. Rejects with what keeps it from taking effect. */
  replay(parsed: ParsedStatement, command: Command): Promise<void>;
  /** Takes back a query that was made by replaying, with what it writes. */
  undo(queryId: string): Promise<void>;
  /** Starts the queries that replaying has made, but those that `holds` names, if they are to run here. */
  startQueries(holds: ReadonlySet<string>): Promise<void>;
  /** When no other statement changes the catalog. */
  alone(action: () => Promise<void>): Promise<void>;
}

const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 5 * 60 * 1000;
const DEAD_COMMANDS_MAX = 100;

/**
 * The commands of a service: replayed when it starts, recorded as statements change the catalog, and compacted.
 * Whatever is in the log, the service starts. What cannot be replayed is kept, with its reason, and so is what depends
 * on it; both are tried again, in order, until they can be or are given up.
 */
export class Commands {
  readonly failed: FailedStatements;
  readonly #log: CommandLog;
  readonly #host: ReplayHost;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #parsed = new Map<number, ParsedStatement>();
  #history: CommandHistory;
  /** Commands in the log, needed or not. */
  #count = 0;
  /** How many commands there must be for compaction to be thought of. */
  #compactAt: number;
  readonly #deadMax: number;
  /** The greatest id that was read or given. */
  #lastId = -1;
  /** A command was given up by the log, which may have it all the same. */
  #isUncertain = false;
  #retries = 0;
  #cancelRetry: () => void = () => undefined;
  #closed = false;

  /** `builtIn`: what is in the catalog without a command. */
  constructor(
    log: CommandLog,
    host: ReplayHost,
    builtIn: readonly CatalogKey[],
    {
      clock,
      logger,
      deadCommandsMax = DEAD_COMMANDS_MAX,
    }: { readonly clock: Clock; readonly logger: Logger; readonly deadCommandsMax?: number },
  ) {
    this.#log = log;
    this.#host = host;
    this.#clock = clock;
    this.#logger = logger;
    this.#deadMax = this.#compactAt = deadCommandsMax;
    this.#history = new CommandHistory(builtIn);
    this.failed = new FailedStatements(clock);
  }

  get topic(): string {
    return this.#log.topic;
  }

  /**
   * Executes what today's catalog comes from, and starts its queries when this process is the `owner`. Rejects only when the
   * log cannot be read.
   */
  async replay(owner: boolean): Promise<void> {
    if (owner) await this.#log.own();
    const { commands, sequence } = await this.#log.read();
    this.#count = commands.length;
    this.#lastId = Math.max(-1, ...commands.map(({ id }) => id));
    const dismissed = new Set(commands.flatMap(({ command }) => command?.dismisses ?? []));
    const faults = new Map<HistoryEntry, string>();
    let next = sequence;
    for (const logged of commands) {
      if (dismissed.has(logged.id) || logged.command?.statement === '') {
        // Names that were given up are not given again.
        next = Math.max(next, (logged.command?.sequence ?? -1) + (dismissed.has(logged.id) ? 1 : 0));
        continue;
      }
      const parsed = logged.command === null ? logged.fault! : parse(logged.command.statement);
      const fault = typeof parsed === 'string' ? parsed : null;
      const entry = this.#history.add(logged, typeof parsed === 'string' ? null : parsed.statement);
      if (typeof parsed === 'string') faults.set(entry, parsed);
      else this.#parsed.set(logged.id, parsed);
      if (logged.command !== null)
        next = Math.max(next, logged.command.sequence + (entry.queryId === null && fault === null ? 0 : 1));
    }
    for (const entry of this.#history.live()) await this.#try(entry, faults.get(entry) ?? null);
    // A statement that replaced one that could not be replayed comes later in the log than those that waited for it.
    while ((await this.#tryFailed()) > 0);
    this.#host.sequence = next;
    for (const { id, text, errors } of this.failed.all())
      this.#logger.error(
        { id, statement: text, error: errors.at(-1)?.message },
        'a statement could not be replayed; it is tried again',
      );
    await this.#host.startQueries(this.#held());
    if (owner) await this.compactWhenDue();
    this.#retryLater();
  }

  /** Keeps the service's other processes from adding commands, and executes those that they have added. */
  async take(): Promise<void> {
    await this.#log.own();
    await this.follow();
    this.#isUncertain = false;
  }

  /** Leaves the log to another process. */
  async disown(): Promise<void> {
    await this.#log.disown();
  }

  startQueries(): Promise<void> {
    return this.#host.startQueries(this.#held());
  }

  /** Executes what has come into the log since it was read, by whomever. */
  async follow(): Promise<void> {
    const { commands, sequence } = await this.#log.read();
    const late = commands.filter(({ id }) => id > this.#lastId);
    const dismissed = new Set(late.flatMap(({ command }) => command?.dismisses ?? []));
    let next = Math.max(this.#host.sequence, sequence);
    this.#count = commands.length;
    for (const logged of late) {
      this.#lastId = logged.id;
      for (const id of logged.command?.dismisses ?? []) await this.#undo(id);
      this.#forget(logged.command?.dismisses);
      if (dismissed.has(logged.id) || logged.command?.statement === '') {
        next = Math.max(next, (logged.command?.sequence ?? -1) + (dismissed.has(logged.id) ? 1 : 0));
        continue;
      }
      const parsed = logged.command === null ? logged.fault! : parse(logged.command.statement);
      const entry = this.#history.add(logged, typeof parsed === 'string' ? null : parsed.statement);
      if (typeof parsed !== 'string') this.#parsed.set(logged.id, parsed);
      await this.#try(entry, typeof parsed === 'string' ? parsed : null);
      if (logged.command !== null)
        next = Math.max(next, logged.command.sequence + (entry.queryId === null ? 0 : 1));
    }
    this.#host.sequence = next;
    if (late.length > 0) this.#retryLater();
  }

  /** What took effect here, and was taken back where it was accepted: its query could never be started. */
  async #undo(id: number): Promise<void> {
    const entry = this.#history.entries.find(({ logged }) => logged.id === id);
    if (entry === undefined || entry.queryId === null || this.failed.has(entry)) return;
    await this.#host.undo(entry.queryId);
  }

  /** `fault`: why it cannot be executed at all. */
  async #try(entry: HistoryEntry, fault: string | null): Promise<boolean> {
    const reason = fault ?? this.#obstacle(entry) ?? (await this.#execute(entry));
    if (reason === null) this.failed.delete(entry);
    else this.failed.add(entry, this.#nameOf(entry), reason);
    return reason === null;
  }

  async #execute({ logged }: HistoryEntry): Promise<string | null> {
    const parsed = this.#parsed.get(logged.id);
    if (parsed === undefined || logged.command === null) return 'it cannot be read';
    this.#host.sequence = logged.command.sequence;
    try {
      await this.#host.replay(parsed, logged.command);
      return null;
    } catch (error) {
      return reasonOf(error);
    }
  }

  /** Why it must not be executed even if it could be. */
  #obstacle(entry: HistoryEntry): string | null {
    const first = [...entry.needs, ...(entry.ends ?? [])]
      .map((each) => this.failed.get(each))
      .find((each) => each !== undefined);
    if (first !== undefined) return `it depends on ${first.id}, which could not be replayed`;
    if (!this.failed.has(entry) || entry.statement === null) return null;
    const key = definedBy(entry.statement);
    const later = key === null ? undefined : this.#history.meaningOf(key);
    return later === undefined || later === entry || this.failed.has(later)
      ? null
      : 'a later statement has taken its name: it is tried when the service starts again';
  }

  /** Queries that must not run as they are: what has replaced them could not be replayed. */
  #held(): ReadonlySet<string> {
    return new Set(this.failed.all().flatMap(({ entry }) => this.#queryOf(entry) ?? []));
  }

  #nameOf(entry: HistoryEntry): string {
    return this.#queryOf(entry) ?? `STATEMENT_${entry.logged.id}`;
  }

  /** The query that the command makes, unless another one has replaced it. */
  #queryOf(entry: HistoryEntry): string | null {
    const { queryId } = entry;
    return queryId !== null && this.#history.meaningOf(`query:${queryId}`) === entry ? queryId : null;
  }

  #retryLater(): void {
    this.#cancelRetry();
    // A statement that cannot be read now cannot be read later.
    if (this.#closed || !this.failed.all().some(({ entry }) => entry.statement !== null)) return;
    const waitMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** this.#retries++);
    this.#cancelRetry = this.#clock.setTimer(waitMs, () => {
      void this.#host
        .alone(() => this.#retry())
        .catch((error: unknown) => {
          this.#logger.error({ error: reasonOf(error) }, 'statements could not be tried again');
        });
    });
  }

  async #retry(): Promise<void> {
    if (this.#closed) return;
    const { sequence } = this.#host;
    const done = await this.#tryFailed();
    this.#host.sequence = sequence;
    if (done > 0) {
      this.#retries = 0;
      await this.#host.startQueries(this.#held());
    }
    this.#retryLater();
  }

  /** Returns how many of those that had failed have taken effect. */
  async #tryFailed(): Promise<number> {
    let done = 0;
    for (const { entry, id } of this.failed.all()) {
      if (entry.statement === null || !(await this.#try(entry, null))) continue;
      done++;
      this.#logger.info({ id }, 'a statement that could not be replayed has taken effect');
    }
    return done;
  }

  /** Commands that were given up and are in the log: they were recorded, so they take effect, before anything else. */
  async #takeLate(): Promise<void> {
    await this.#log.ownedWriter();
    const { commands } = await this.#log.read();
    for (const logged of commands) {
      if (logged.id <= this.#lastId) continue;
      this.#lastId = logged.id;
      this.#count++;
      if (logged.command === null) continue;
      this.#forget(logged.command.dismisses);
      if (logged.command.statement === '') continue;
      const parsed = parse(logged.command.statement);
      if (typeof parsed === 'string') continue;
      this.#parsed.set(logged.id, parsed);
      const entry = this.#history.add(logged, parsed.statement);
      this.failed.add(entry, this.#nameOf(entry), 'the log had it only after it was given up');
    }
    this.#isUncertain = false;
    await this.#retry();
  }

  /**
   * Throws `SqlError` when the statement would be built on what could not be replayed. Rejects when nobody can know
   * what it would be built on, because the log is away.
   */
  async check(statement: Statement): Promise<void> {
    if (this.#isUncertain) await this.#takeLate();
    this.explain(statement);
  }

  /** Throws `SqlError` when the statement names what could not be replayed: why it is not there. */
  explain(statement: Statement): void {
    const keys = new Set(mentionedBy(statement));
    const addedTo = addedToBy(statement);
    if (addedTo !== null) keys.add(addedTo);
    for (const key of keys) {
      const meaning = this.#history.meaningOf(key);
      const failed = meaning === undefined ? undefined : this.failed.get(meaning);
      if (failed === undefined) continue;
      const name = key.slice(key.indexOf(':') + 1);
      throw new SqlError(
        'ML_IN_USE',
        `${name} waits for ${failed.id}, which could not be replayed: ${failed.errors.at(-1)!.message}`,
        { span: statement.span, hint: `mend what keeps it, or TERMINATE ${failed.id}; gives it up` },
      );
    }
  }

  /**
   * Makes a statement durable, and gives up what could not be replayed and has the same name. Throws `SqlError` for one
   * that is too long to be kept.
   */
  async record(
    parsed: ParsedStatement,
    given: Omit<Command, 'version' | 'statement' | 'dismisses'>,
    progress: ScriptProgress | null,
    gaveUp: readonly FailedStatement[] = [],
  ): Promise<number> {
    const superseded = [...new Set([...this.failed.supersededBy(parsed.statement), ...gaveUp])];
    const dismisses = superseded.map(({ entry }) => entry.logged.id);
    const command: Command = {
      version: given.query === undefined ? (dismisses.length === 0 ? 1 : 2) : 3,
      statement: parsed.resolvedText,
      ...given,
      ...(dismisses.length === 0 ? {} : { dismisses }),
    };
    const sizeBytes = encodeCommand(command).length;
    if (sizeBytes > COMMAND_BYTES_MAX)
      throw new SqlError(
        'ML_LIMIT',
        `this statement is too long to be kept: ${sizeBytes} bytes of at most ${COMMAND_BYTES_MAX}`,
        { span: parsed.statement.span },
      );
    const id = await this.#append(command, progress);
    this.#parsed.set(id, parsed);
    this.#history.add({ id, value: encodeCommand(command), command, fault: null }, parsed.statement);
    return id;
  }

  /** Forgets commands, as if they had never been. */
  async dismiss(ids: readonly number[], progress: ScriptProgress | null): Promise<void> {
    const { sequence } = this.#host;
    await this.#append({ version: 2, statement: '', properties: {}, sequence, dismisses: ids }, progress);
  }

  async #append(command: Command, progress: ScriptProgress | null): Promise<number> {
    const id = await this.#log.append(command, this.#clock.now(), progress).catch((error: unknown) => {
      this.#isUncertain = true;
      throw error;
    });
    this.#lastId = id;
    this.#count++;
    this.#forget(command.dismisses);
    // Whatever it did may be what others waited for.
    if (this.failed.size > 0) {
      this.#retries = 0;
      this.#retryLater();
    }
    return id;
  }

  #forget(ids: readonly number[] | undefined): void {
    if (ids === undefined) return;
    this.#history = this.#history.without(new Set(ids));
    this.failed.follow(this.#history);
  }

  /** Writes a snapshot when much of the log is needed by nothing. What goes wrong is logged: the log is good as it is. */
  async compactWhenDue(): Promise<void> {
    if (this.#count < this.#compactAt) return;
    const live = this.#history.live(this.failed.all().map(({ entry }) => entry));
    const dead = this.#count - live.length;
    const due = Math.max(this.#deadMax, live.length);
    this.#compactAt = this.#count + Math.max(1, due - dead);
    if (dead < due) return;
    try {
      await this.#log.compact(
        live.map(({ logged }) => logged),
        this.#host.sequence,
        this.#clock.now(),
      );
      this.#logger.info(
        { topic: this.topic, kept: live.length, dropped: dead },
        'the command log was compacted',
      );
      this.#count = live.length;
      this.#compactAt = live.length + due;
      const kept = new Set(live.map(({ logged }) => logged.id));
      const gone = this.#history.entries.filter(({ logged }) => !kept.has(logged.id));
      for (const { logged } of gone) this.#parsed.delete(logged.id);
      this.#history = this.#history.without(new Set(gone.map(({ logged }) => logged.id)));
      this.failed.follow(this.#history);
    } catch (error) {
      this.#compactAt = this.#count + this.#deadMax;
      this.#logger.warn(
        { topic: this.topic, error: reasonOf(error) },
        'the command log could not be compacted',
      );
    }
  }

  stopRetrying(): void {
    this.#closed = true;
    this.#cancelRetry();
  }

  async close(): Promise<void> {
    this.stopRetrying();
    await this.#log.close();
  }
}

/** Why it cannot be parsed is given as text. */
function parse(statement: string): ParsedStatement | string {
  try {
    const parsed = parseStatements(statement);
    return parsed.length === 1 ? parsed[0]! : 'it is not one statement';
  } catch (error) {
    return reasonOf(error);
  }
}
