import { must } from '../common/assert.ts';
import type { Clock, Random } from '../common/clock.ts';
import { messageOf, SqlError } from '../common/error.ts';
import type { Logger } from '../common/logger.ts';
import type { EvaluationContext, FunctionRegistry, SqlFunction } from '../functions/function.ts';
import { builtinFunctions } from '../functions/registry.ts';
import { type Log, LogError, type LogErrorKind, type LogWriter } from '../log/log.ts';
import { Catalog } from '../sql/catalog/catalog.ts';
import type { CatalogSource } from '../sql/catalog/source.ts';
import { type ParsedStatement, parseStatements } from '../sql/parser/parse.ts';
import type { Rule } from '../sql/optimizer/rule.ts';
import type { StateBackend } from '../state/store.ts';
import { CommandLog } from './command-log.ts';
import type { Command } from './command.ts';
import { CommandTail } from './command-tail.ts';
import { Commands, type ReplayHost } from './commands.ts';
import { drainQueries, type RestlessCycle } from './drain.ts';
import { DEMO_STATEMENT, startDemo } from './demo.ts';
import type { FailedStatement } from './failed-statements.ts';
import { KeptQueries } from './kept-queries.ts';
import { keptProperties } from './kept-properties.ts';
import { ChangedElsewhere, type Owned, Ownership } from './ownership.ts';
import type { PersistentQuery } from './persistent-query.ts';
import { OpenQueries } from './open-queries.ts';
import { openingText } from './opening-text.ts';
import { ProcessingLog } from './processing-log.ts';
import { propertyValue } from './properties.ts';
import type { PushQuery } from './push-query.ts';
import { producerOptions } from './query-application.ts';
import { ReservedTopics } from './reserved-topics.ts';
import type { StatementResult } from './result.ts';
import { InsertWriters } from './insert-writers.ts';
import { RowBudget } from './row-budget.ts';
import { forgetKept } from './script-queries.ts';
import { Script, ScriptProgress } from './script.ts';
import { newSession, type Session } from './session.ts';
import { type Answer, StatementOrder } from './statement-order.ts';
import { dropMadeBy } from './statements/script-drops.ts';
import { definitionOf, isChange, runStatement } from './statements/statements.ts';
import type { StoredQuery } from './stored-query.ts';
import { CreatedFunctions } from './user-functions/created-functions.ts';

const LOG_PATIENCE_MS = 30_000;
/** After what time somebody who waits is told what for. */
const OPENING_TOLD_MS = 1000;

export interface EngineOptions {
  readonly log: Log;
  /** Where task states live; null keeps them in memory. */
  readonly stateDirectory: string | null;
  readonly state: StateBackend;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Names this service's internal topics, groups and queries. */
  readonly serviceId: string;
  /** Whether statements are kept in, and replayed from, the command topic. */
  readonly commandLog: boolean;
  /**
   * Whether a script says at each start what runs, and its queries go on: what was accepted for them is kept then, in a
   * topic of its own. Default false.
   */
  readonly keepQueries?: boolean;
  /** Whether those that were kept are forgotten with their offsets and state. Default false. */
  readonly fresh?: boolean;
  readonly version: string;
  /** What the optimizer does to plans of new queries. Default its own rules. */
  readonly rules?: readonly Rule[];
  /** Functions beside the built-in ones. */
  readonly functions?: FunctionRegistry;
  /**
   * Whether persistent queries run as soon as they are created. `stepped`: they stay as created, and who opened the
   * engine drives their topologies record by record (the test runner). `behind`: statements are taken while queries that
   * were there before open their state, which may take long; else `openEngine` waits for them. Default running.
   */
  readonly startQueries?: 'running' | 'behind' | 'stepped';
  /** Told after a second, with how far they are, when `openEngine` waits for queries that open their state. */
  readonly onOpening?: (progress: string) => void;
  /** What functions such as UNIX_TIMESTAMP read. Default `clock`; apart from it where that one stands still. */
  readonly functionClock?: Clock;
  /** Properties of the whole process, by canonical name: what sessions do not set themselves. Default none. */
  readonly properties?: ReadonlyMap<string, string>;
  /** Queries of clients that may be open at once: with EMIT, over a stream, over a whole table, PRINT. Default 1000. */
  readonly openQueriesMax?: number;
  /** Memory for rows that one client has not taken, after which its query waits, in bytes. Default 512 KiB. */
  readonly clientBytesMax?: number;
  /** The same of all clients together. Default 256 MiB. */
  readonly clientsBytesMax?: number;
  /** The command log is compacted when it holds so many commands that nothing needs, and more than others. Default 100. */
  readonly deadCommandsMax?: number;
  /** How long a client waits for the log to take what it writes. Default 30 s, as Kafka's own request timeout. */
  readonly logPatienceMs?: number;
  /** The URL at which clients reach this process; null, the default, where they cannot. */
  readonly address?: string | null;
  /**
   * Where other processes of the service may own its queries, and a script runs here, it waits until they have ended: told
   * after a second, and when it changes, with where they run (null while nobody knows).
   */
  readonly onWaiting?: (owner: string | null) => void;
}

/** Given to a statement when it runs. */
export interface StatementCall {
  readonly engine: Engine;
  readonly session: Session;
  /** The properties that hold for the statement: the session's over the system's. */
  readonly properties: ReadonlyMap<string, string>;
  readonly parsed: ParsedStatement;
  /** Set while a script runs. */
  readonly script: Script | undefined;
  /**
   * The command that is replayed: it was accepted once, so that what only holds then is not asked again (topics, the
   * values of properties), and nothing but the catalog changes. Null for a statement of now.
   */
  readonly replayed: Command | null;
  /** The answer waits for `work`, the statements behind it do not. */
  readonly answerAfter: (work: Promise<void>) => void;
  /** Answers that the outcome of the statement, which goes on, is unknown. */
  readonly answerUnknown: (error: SqlError) => void;
}

/** What the log says that no waiting mends, however often a query is started. */
const NEVER_STARTS: Partial<Record<LogErrorKind, 'ML_TOPIC' | 'ML_UNSUPPORTED'>> = {
  'invalid-topic': 'ML_TOPIC',
  'partition-count': 'ML_TOPIC',
  unsupported: 'ML_UNSUPPORTED',
  'invalid-setting': 'ML_UNSUPPORTED',
};

/** How long the rows that were inserted here are waited for. */
const SETTLE_MS_MAX = 5000;

/**
 * The engine: a catalog, the queries that run, and statements that change both. One in a process, behind the REPL,
 * scripts, the server or a program. A user's mistake rejects with `SqlError` and changes nothing.
 */
export class Engine {
  readonly options: EngineOptions;
  readonly log: Log;
  /** Changed by CREATE FUNCTION and DROP FUNCTION. */
  readonly functions: Map<string, SqlFunction>;
  readonly createdFunctions: CreatedFunctions;
  /** By canonical name. Changed by ALTER SYSTEM. */
  readonly systemProperties: Map<string, string>;
  readonly reservedTopics: ReservedTopics;
  readonly evaluation: EvaluationContext;
  readonly queries = new Map<string, PersistentQuery>();
  readonly pushQueries = new Map<string, PushQuery>();
  readonly openQueries: OpenQueries;
  readonly rowBudget: RowBudget;
  readonly processingLog: ProcessingLog;
  catalog = new Catalog();
  /** The queries of the script that says what runs here; null where there is none, or nothing outlives the process. */
  readonly kept: KeptQueries | null;
  /** Which process of the service runs its queries; null where there can be one only. */
  readonly ownership: Ownership | null;
  /** Null where nothing outlives the process. */
  readonly #commands: Commands | null;
  /** The queries that are being started. */
  readonly #starting = new Set<Promise<void>>();
  /** Follows the commands of the process that is active, while this one is not. */
  #tail: CommandTail | null = null;
  #closing = false;
  readonly #insertWriters: InsertWriters;
  readonly #order: StatementOrder;
  #sequence = 0;
  #transients = 0;
  #insertTimeMs = -Infinity;
  /** Rows were inserted, or queries set off, since it was last seen that the queries have processed all. */
  #unsettled = false;

  private constructor(
    options: EngineOptions,
    commandLog: CommandLog | null,
    kept: KeptQueries | null,
    processingLog: ProcessingLog,
    ownership: Ownership | null,
  ) {
    this.options = options;
    this.ownership = ownership;
    this.openQueries = new OpenQueries(options.openQueriesMax);
    this.rowBudget = new RowBudget(options.clientBytesMax, options.clientsBytesMax);
    this.log = options.log;
    this.functions = new Map([...builtinFunctions, ...(options.functions ?? [])]);
    this.createdFunctions = new CreatedFunctions(options.clock);
    this.systemProperties = new Map(options.properties);
    this.reservedTopics = new ReservedTopics(options.serviceId, this.systemProperties);
    this.evaluation = { now: () => (options.functionClock ?? options.clock).now(), random: options.random };
    this.kept = kept;
    this.#sequence = kept?.nextSequence ?? 0;
    this.processingLog = processingLog;
    this.#insertWriters = new InsertWriters(options.log, options.clock);
    this.#order = new StatementOrder(options.clock, this.logPatienceMs);
    this.catalog.add(processingLog.source);
    this.#commands =
      commandLog === null
        ? null
        : new Commands(commandLog, this.#replayHost(), [`source:${processingLog.source.name}`], options);
  }

  /**
   * Replays the command log: afterwards the catalog is as it was and its queries run, or open their state (`startQueries`), here or in the process of the service
   * that is active. A script waits until that is this one.
   */
  static async open(options: EngineOptions): Promise<Engine> {
    const { log, serviceId, properties = new Map(), keepQueries = false } = options;
    const replicas = Number(propertyValue(properties, 'ksql.internal.topic.replicas'));
    const ownership = options.commandLog || keepQueries ? await openOwnership(options) : null;
    if (keepQueries) await ownership?.untilActive(options.onWaiting);
    const commandLog = options.commandLog ? await CommandLog.open(log, serviceId, replicas) : null;
    const kept = keepQueries ? await KeptQueries.open(options, replicas) : null;
    const processingLog = await ProcessingLog.open(options, replicas);
    const engine = new Engine(options, commandLog, kept, processingLog, ownership);
    if (options.fresh === true) await forgetKept(engine);
    await engine.#commands?.replay(engine.isActive);
    if (!engine.isActive) engine.#followOthers();
    ownership?.follow(engine.#owned());
    return engine;
  }

  /** Whether the service's queries run in this process. */
  get isActive(): boolean {
    return this.ownership === null || this.ownership.isActive;
  }

  get serviceId(): string {
    return this.options.serviceId;
  }

  get clusterId(): string {
    return `millrace-${this.options.serviceId}`;
  }

  get logPatienceMs(): number {
    return this.options.logPatienceMs ?? LOG_PATIENCE_MS;
  }

  get hasFailedQuery(): boolean {
    return [...this.queries.values()].some((query) => query.state === 'ERROR');
  }

  /**
   * Runs one statement. Statements that change the catalog run one after another, in all sessions.
   * Rejects with `SqlError` (spans in the statement's own text) for the user's mistakes.
   */
  async execute(parsed: ParsedStatement, session: Session, script?: Script): Promise<StatementResult> {
    if (isChange(parsed.statement))
      return this.#order.change(session, (answer) => this.#change(parsed, session, script, answer));
    // A statement that only reads may wait long: it takes no turn, so that others do not wait for it.
    await this.#order.changesOf(session);
    return this.#run(this.#call(parsed, session, script));
  }

  async #run(call: StatementCall): Promise<StatementResult> {
    try {
      return await runStatement(call);
    } catch (error) {
      // There may be a reason for it not being there.
      if (error instanceof SqlError && error.code === 'ML_NAME_UNKNOWN')
        this.#commands?.explain(call.parsed.statement);
      throw error;
    }
  }

  /** The answer may come before the statement is through, when the log is away, and INSERT lets others go on before it. */
  async #change(
    parsed: ParsedStatement,
    session: Session,
    script: Script | undefined,
    answer: Answer<StatementResult>,
  ): Promise<void> {
    let later: Promise<void> | null = null;
    const call: StatementCall = {
      ...this.#call(parsed, session, script),
      properties: new Map([...this.systemProperties, ...session.properties]),
      answerAfter: (work) => {
        later = work;
      },
      answerUnknown: answer.reject,
    };
    const { statement } = parsed;
    const definition = definitionOf(statement);
    if (definition.endsQueries?.(statement) === true) await this.settle();
    if (definition.effect === 'catalog') {
      // A script's statements are for whoever runs it, and are not accepted elsewhere.
      if (this.kept !== null) await this.ownership?.untilActive();
      else this.ownership?.check('send the statement', statement.span);
      await this.#commands?.check(statement);
    }
    const result = await this.#run(call);
    answer.resolve(later === null ? result : (later as Promise<void>).then(() => result));
    await this.#commands?.compactWhenDue();
  }

  #call(parsed: ParsedStatement, session: Session, script: Script | undefined): StatementCall {
    // Read when the statement's turn has come: those before it may have changed either.
    const { systemProperties } = this;
    return {
      engine: this,
      session,
      get properties() {
        return new Map([...systemProperties, ...session.properties]);
      },
      parsed,
      script,
      replayed: null,
      answerAfter: () => undefined,
      answerUnknown: () => undefined,
    };
  }

  #replayHost(): ReplayHost {
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const engine = this;
    return {
      get sequence() {
        return engine.#sequence;
      },
      set sequence(sequence) {
        engine.#sequence = sequence;
      },
      async replay(parsed, command) {
        const session = newSession();
        const properties = keptProperties(command.properties, engine.options.logger);
        const call = engine.#call(parsed, session, undefined);
        await runStatement({ ...call, properties, replayed: command });
      },
      undo: (queryId) => engine.#undo(queryId),
      startQueries: (holds) => engine.#startQueries(holds),
      alone: (action) => engine.#order.alone(action),
    };
  }

  /**
   * Starts the queries that were made by replaying, side by side, so that one that restores much keeps no other waiting, and
   * lets go on those that were released.
   */
  async #startQueries(holds: ReadonlySet<string>): Promise<void> {
    const { startQueries, onOpening, clock } = this.options;
    if (startQueries === 'stepped' || this.#closing || !this.isActive) return;
    const started: Promise<void>[] = [];
    for (const query of this.queries.values()) {
      if (holds.has(query.id)) continue;
      if (query.isStarted) query.acquire();
      else started.push(this.#start(query));
    }
    if (startQueries === 'behind') return;
    const cancel = clock.setTimer(OPENING_TOLD_MS, () => onOpening?.(openingText(this.queries.values())));
    await Promise.all(started).finally(cancel);
  }

  #start(query: PersistentQuery): Promise<void> {
    const starting = this.#startNow(query);
    const settled = starting
      .catch((error: unknown) => {
        this.options.logger.error({ queryId: query.id, error: messageOf(error) }, 'a query was not started');
      })
      .finally(() => this.#starting.delete(settled));
    this.#starting.add(settled);
    return starting;
  }

  async #startNow(query: PersistentQuery): Promise<void> {
    await query.start();
    // It may have been taken over while it began.
    if (!this.isActive) await query.release();
  }

  #owned(): Owned {
    return {
      take: async () => {
        await this.#tail?.stop();
        this.#tail = null;
        await this.#order.alone(async () => this.#commands?.take());
        const changed = await this.kept?.changedByOthers(this.log, [...this.queries.keys()]);
        if (changed !== undefined && changed.length > 0) throw new ChangedElsewhere(changed);
      },
      begin: () => {
        this.#unsettled = true;
        const start = (): Promise<void> => this.#commands?.startQueries() ?? this.#startQueries(new Set());
        void this.#order.alone(start).catch((error: unknown) => {
          this.options.logger.error({ error: messageOf(error) }, 'the queries could not be started');
        });
      },
      release: async () => {
        await Promise.all([...this.queries.values()].map((query) => query.release()));
        await this.#commands?.disown();
        this.#followOthers();
      },
    };
  }

  #followOthers(): void {
    const commands = this.#commands;
    if (commands === null || this.#closing) return;
    this.#tail ??= new CommandTail(this.log, commands.topic, this.options, () =>
      this.#order.alone(() => commands.follow()),
    );
  }

  /** A query that another process has made, and could not start. */
  async #undo(queryId: string): Promise<void> {
    const query = this.queries.get(queryId);
    if (query === undefined) return;
    this.#drop(queryId);
    await query.forget();
    if (query.sink !== null && this.catalog.get(query.sink)?.createdBy === queryId)
      this.catalog.remove(query.sink);
  }

  #drop(queryId: string): void {
    this.queries.delete(queryId);
    this.catalog.removeQuery(queryId);
  }

  /** The number that the next query's name is made from, without taking it. */
  get sequence(): number {
    return this.#sequence;
  }

  takeSequence(): number {
    return this.#sequence++;
  }

  /**
   * Adds a query to what runs. It is started unless a command is replayed (all start afterwards). What keeps it from
   * starting is tried again, but when the topics as they are, or the brokers, can never do: then `undo` takes the rest of the
   * statement back, whose command is `recorded`, and `SqlError` ML_TOPIC or ML_UNSUPPORTED is thrown. Null: there is no way
   * back.
   */
  async addQuery(
    query: PersistentQuery,
    call: StatementCall,
    recorded: number | null,
    undo: (() => void) | null,
  ): Promise<void> {
    this.queries.set(query.id, query);
    this.catalog.addQuery(query.id, { reads: query.sources, writes: query.sink });
    if (call.replayed !== null || this.options.startQueries === 'stepped') return;
    this.#unsettled = true;
    await this.#start(query);
    const { failure } = query;
    const code = failure instanceof LogError ? NEVER_STARTS[failure.kind] : undefined;
    if (undo === null || code === undefined) return;
    // Topics that were there before it stay.
    await query.close();
    this.#drop(query.id);
    await this.kept?.remove(query.id);
    undo();
    if (recorded !== null) await this.#commands?.dismiss([recorded], call.script?.progress ?? null);
    throw new SqlError(code, messageOf(failure), {
      span: call.parsed.statement.span,
      ...(code === 'ML_UNSUPPORTED' ? { hint: "or SET 'processing.guarantee'='at_least_once'" } : {}),
    });
  }

  resumeQuery(query: PersistentQuery): void {
    query.resume();
    this.#unsettled = true;
  }

  /** Stops a query for good. */
  async removeQuery(query: PersistentQuery, { replayed }: StatementCall): Promise<void> {
    this.#drop(query.id);
    // Who is active cleans up: another process may have begun a query of this name since.
    if (replayed === null || (query.isStarted && this.isActive)) await query.terminate();
    else if (query.isStarted) await query.forget();
    if (replayed === null) await this.kept?.remove(query.id);
  }

  transientId(alias: string, kind: 'transient' | 'SCALABLE_PUSH_QUERY' = 'transient'): string {
    return `${kind}_${alias}_${Math.floor(this.options.random() * 1e15)}${this.#transients++}`;
  }

  /**
   * Makes a statement durable that has changed the catalog: before anything of it starts, so that a crash either
   * replays it or never saw it. Resolves to the command's id, or null where none is kept. `queryId`: of the query that it
   * replaces and goes on with. `query`: what it runs. `gaveUp`: what could not be replayed and goes with it.
   */
  async record(
    { replayed, properties, parsed, script, answerUnknown }: StatementCall,
    sequence: number,
    {
      queryId,
      query,
      gaveUp,
    }: {
      readonly queryId?: string | undefined;
      readonly query?: StoredQuery;
      readonly gaveUp?: readonly FailedStatement[];
    } = {},
  ): Promise<number | null> {
    if (replayed !== null || this.#commands === null) return null;
    const given = {
      properties: Object.fromEntries(properties),
      sequence,
      ...(queryId === undefined ? {} : { queryId }),
      ...(query === undefined ? {} : { query }),
    };
    const cancel = this.options.clock.setTimer(this.logPatienceMs, () =>
      answerUnknown(
        new SqlError('ML_LOG', 'the log has not acknowledged the statement in time', {
          hint: 'it takes effect if the log (Kafka) comes back and has it: look before you send it again',
        }),
      ),
    );
    try {
      return await this.#commands.record(parsed, given, script?.progress ?? null, gaveUp);
    } catch (error) {
      if (this.ownership === null || !(error instanceof LogError) || error.kind !== 'fenced') throw error;
      this.ownership.fenced();
      throw this.ownership.refusal('send the statement', parsed.statement.span);
    } finally {
      cancel();
    }
  }

  /** The query of that id, which may be written in lower case. */
  query(id: string): PersistentQuery | undefined {
    return this.queries.get(id) ?? this.queries.get(id.toUpperCase());
  }

  /** A statement that could not be replayed, by the name that it or its query has, which may be in lower case. */
  failedStatement(id: string): FailedStatement | undefined {
    return this.#commands?.failed.byId(id);
  }

  /** Statements of the command log that could not be replayed. */
  get failedStatements(): readonly FailedStatement[] {
    return this.#commands?.failed.all() ?? [];
  }

  /** Gives up statements that could not be replayed. */
  async giveUp(statements: readonly FailedStatement[], { script }: StatementCall): Promise<void> {
    await this.#commands?.dismiss(
      statements.map(({ entry }) => entry.logged.id),
      script?.progress ?? null,
    );
  }

  /** The time of a row that says none. It never goes back, though the machine's clock may: later rows are not older. */
  insertTimeMs(): number {
    this.#insertTimeMs = Math.max(this.#insertTimeMs, this.options.clock.now());
    return this.#insertTimeMs;
  }

  /**
   * The writer of INSERT VALUES into a source, how many partitions its topic has, and what makes the records durable.
   * Throws `SqlError` ML_LOG, or ML_TOPIC when the topic is gone.
   */
  async inserter(
    source: CatalogSource,
    { script, properties }: Pick<StatementCall, 'script' | 'properties'>,
  ): Promise<{ writer: LogWriter; partitions: number; commit: () => Promise<void> }> {
    const progress = script?.progress ?? null;
    const partitions = await this.#insertWriters.partitionsOf(source);
    const writer =
      progress?.writer ?? (await this.#insertWriters.writer(source.topic, producerOptions(properties)));
    return {
      writer,
      partitions,
      commit: async () => {
        await (progress === null ? writer.flush() : progress.commit());
        this.#unsettled = true;
      },
    };
  }

  /**
   * A script, with its progress where statements are kept. `fresh`: what its statements have made in earlier runs is
   * dropped first, with all state; topics that they write stay as they are.
   */
  async openScript(
    files: readonly string[],
    statements: readonly ParsedStatement[],
    fresh = false,
  ): Promise<Script> {
    if (this.#commands === null) return new Script(statements, null);
    const { topic } = this.#commands;
    const { serviceId } = this;
    if (fresh) await dropMadeBy(statements, this);
    const producer = producerOptions(this.systemProperties);
    const options = { serviceId, topic, fresh, producer };
    const progress = await ScriptProgress.open(this.log, options, files, statements);
    return new Script(statements, progress);
  }

  /**
   * Resolves when every persistent query has processed all that its sources hold, including what follows from it in the
   * other queries, and has committed. Queries that failed or are paused are not waited for; queries that feed each other
   * without end are left after a while, with a warning that names them.
   */
  async drain(): Promise<void> {
    const { logger } = this.options;
    const restless = await this.#drainQueries();
    if (restless !== null)
      logger.warn(
        { queries: restless.queryIds },
        'these queries feed each other and do not come to rest: what is read now may still change',
      );
    await this.processingLog.flush();
  }

  /** A script's queries are waited for until they run here; others are not waited for while they run elsewhere. */
  async #drainQueries(): Promise<RestlessCycle | null> {
    for (;;) {
      if (this.kept !== null) await this.ownership?.untilActive();
      const claim = this.ownership?.claim;
      await Promise.all(this.#starting);
      const restless = await drainQueries([...this.queries.values()], this.log, this.options.clock);
      if (this.kept === null || this.ownership?.claim === claim || this.#closing) return restless;
    }
  }

  /**
   * Resolves when the queries have processed what was inserted here, and new or resumed ones what their sources held,
   * as `drain` does, or after a while without. Returns whether they have.
   */
  async settle(): Promise<boolean> {
    if (!this.#unsettled) return true;
    this.#unsettled = false;
    let cancel = (): void => undefined;
    const late = new Promise<boolean>((resolve) => {
      cancel = this.options.clock.setTimer(SETTLE_MS_MAX, () => resolve(false));
    });
    const settled = await Promise.race([this.drain().then(() => true), late]).finally(cancel);
    this.#unsettled ||= !settled;
    return settled;
  }

  /** Names of streams, tables, functions, for completion. */
  names(): Promise<readonly string[]> {
    return Promise.resolve([
      ...[...this.catalog.sources()].map((source) => source.name),
      ...this.functions.keys(),
    ]);
  }

  async logAnswers(): Promise<boolean> {
    try {
      await this.log.admin.listTopics();
      return true;
    } catch {
      return false;
    }
  }

  /** Declares and feeds the demo stream. Returns what stops it. */
  async startDemo(): Promise<() => Promise<void>> {
    const stop = await startDemo(this.log, this.options.clock, this.options.random);
    const [statement] = parseStatements(DEMO_STATEMENT);
    await this.execute(must(statement), newSession());
    return stop;
  }

  /** Stops queries, committing what they have done, and closes the log. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#commands?.stopRetrying();
    await Promise.all([...this.pushQueries.values()].map((query) => query.close()));
    await Promise.all([...this.queries.values()].map((query) => query.close()));
    await Promise.all(this.#starting);
    await this.#tail?.stop();
    await this.createdFunctions.close();
    await this.processingLog.close();
    await this.#commands?.close();
    await this.kept?.close();
    await this.#insertWriters.close();
    await this.ownership?.close();
    await this.log.close();
  }
}

function openOwnership({
  log,
  serviceId,
  address = null,
  clock,
  random,
  logger,
  properties = new Map(),
}: EngineOptions): Promise<Ownership | null> {
  const sessionTimeoutMs = Number(propertyValue(properties, 'session.timeout.ms'));
  return Ownership.open({ log, serviceId, address, sessionTimeoutMs, clock, random, logger });
}
