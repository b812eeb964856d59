import { must } from '../common/assert.ts';
import { type Clock, ManualClock } from '../common/clock.ts';
import { SqlError } from '../common/error.ts';
import type { Engine } from '../engine/engine.ts';
import { applicationIdOf, streamsOptions } from '../engine/query-application.ts';
import type { PersistentQuery } from '../engine/persistent-query.ts';
import { propertyName } from '../engine/properties.ts';
import { newSession, type Session } from '../engine/session.ts';
import type { FunctionRegistry } from '../functions/function.ts';
import type { Log } from '../log/log.ts';
import { type ParsedStatement, parseStatements } from '../sql/parser/parse.ts';
import { SteppedStreams } from '../streams/application/stepped-streams.ts';
import type { TestCase } from './case.ts';
import { checkPost } from './check-post.ts';
import { compareOutput } from './compare-output.ts';
import { createTopics } from './create-topics.ts';
import { describeFailure, isForTheUser } from './describe-failure.ts';
import { FedLog } from './fed-log.ts';
import { openTestEngine } from './open-test-engine.ts';
import { stepThrough } from './stepped-queries.ts';
import { recordsOf, type TopicRecord } from './topic-records.ts';
import { writeRecords } from './write-records.ts';

export interface RunCaseOptions {
  /** False: plans run as they are built. */
  readonly optimizer: boolean;
  readonly functions?: FunctionRegistry;
  /** The machine's: what functions such as UNIX_TIMESTAMP read. Everything else stands still at 0. */
  readonly clock: Clock;
  /** Aborts when the case has taken too long. */
  readonly signal: AbortSignal;
}

const EXACT_NUMBERS = 'use.exact.numeric.comparison';

/**
 * Runs a case in an engine and log of its own, at the time 0. Returns null when it held, else why not.
 * Throws what went wrong inside.
 */
export async function runCase(test: TestCase, options: RunCaseOptions): Promise<string | null> {
  const engine = await openTestEngine(new ManualClock(), {
    startQueries: 'stepped',
    functionClock: options.clock,
    ...(options.functions === undefined ? {} : { functions: options.functions }),
  });
  try {
    return await new CaseRun(test, engine, options).run();
  } finally {
    await engine.close();
  }
}

class CaseRun {
  readonly #test: TestCase;
  readonly #engine: Engine;
  readonly #options: RunCaseOptions;
  readonly #session: Session = newSession();
  /** Why the first record was dropped that operators dropped, if any: often the cause of what is missing. */
  #dropped: string | null = null;
  /** Why the last statement or the processing was rejected. */
  #rejection: Error | null = null;

  constructor(test: TestCase, engine: Engine, options: RunCaseOptions) {
    this.#test = test;
    this.#engine = engine;
    this.#options = options;
    for (const [name, value] of test.properties)
      if (name !== EXACT_NUMBERS) this.#session.properties.set(propertyName(name), value);
    if (!options.optimizer) this.#session.properties.set('ksql.optimizer.enabled', 'false');
  }

  async run(): Promise<string | null> {
    const { expectsRejection } = this.#test;
    const early = await this.#executeStatements();
    if (early !== null) return early;
    if (this.#rejection === null) await this.#process();
    const rejection = this.#rejection as Error | null;
    if (expectsRejection) {
      if (rejection === null) return 'expected a rejection, but everything was accepted';
      return isForTheUser(rejection) ? null : `rejected by an error of ours: ${describeFailure(rejection)}`;
    }
    if (rejection !== null) return describeFailure(rejection);
    const different = await this.#compareOutputs();
    if (different === null) return this.#checkPost();
    return this.#dropped === null ? different : `${different} (a record was dropped: ${this.#dropped})`;
  }

  /** Null when all were executed, or only the last was rejected; else why the case has failed. */
  async #executeStatements(): Promise<string | null> {
    const { statements } = this.#test;
    let parsed: readonly ParsedStatement[];
    try {
      parsed = parseStatements(statements.join('\n'));
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      this.#rejection = error;
      return parses(statements.slice(0, -1)) ? null : describeFailure(error);
    }
    await createTopics(this.#engine.log.admin, this.#test, parsed);
    for (const [i, statement] of parsed.entries()) {
      if (this.#options.signal.aborted) return 'took too long';
      try {
        await this.#engine.execute(statement, this.#session);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        if (i < parsed.length - 1) return `statement ${i + 1} of ${parsed.length}: ${describeFailure(error)}`;
        this.#rejection = error;
      }
    }
    return null;
  }

  async #process(): Promise<void> {
    const { log } = this.#engine;
    const inputs = await this.#writeInputs();
    for (const query of this.#engine.queries.values()) {
      if (this.#options.signal.aborted) return;
      try {
        await this.#runQuery(query, inputs, log);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        this.#rejection = error;
        return;
      }
    }
  }

  /** Puts the inputs into their topics. Returns them as they lie there, in the order of the case. */
  async #writeInputs(): Promise<readonly TopicRecord[]> {
    const { log } = this.#engine;
    const { inputs } = this.#test;
    const starts = new Map<string, number>();
    for (const { topic } of inputs)
      if (!starts.has(topic)) starts.set(topic, must((await log.admin.offsets(topic))[0]).end);
    await writeRecords(this.#engine, inputs, false);
    const written = new Map<string, TopicRecord[]>();
    for (const [topic, start] of starts)
      written.set(
        topic,
        (await recordsOf(log, topic)).filter(
          ({ batch, index }) => batch.partition === 0 && batch.offsets[index]! >= start,
        ),
      );
    return inputs.map(({ topic }) => must(must(written.get(topic)).shift(), 'an input is not in its topic'));
  }

  /**
   * Feeds a query everything it reads, one record at a time, each through the whole topology before the next: first
   * the case's inputs in their order, then what other topics hold by now.
   */
  async #runQuery(query: PersistentQuery, inputs: readonly TopicRecord[], log: Log): Promise<void> {
    const topics = query.lowered.sources;
    const fed = new FedLog(log, topics);
    const streams = new SteppedStreams(query.lowered.topology, {
      ...streamsOptions(this.#engine, query.id, query.properties, {
        onSkip: ({ reason, detail }) => {
          this.#dropped ??= `${reason}: ${detail}`;
        },
      }),
      log: fed,
    });
    await streams.open();
    try {
      const pipe = async (record: TopicRecord): Promise<void> => {
        fed.feed(record);
        await stepThrough(streams, this.#options.signal);
      };
      for (const record of inputs) if (topics.includes(record.batch.topic)) await pipe(record);
      for (const topic of topics) {
        if (inputs.some((record) => record.batch.topic === topic)) continue;
        for (const record of await recordsOf(log, topic)) await pipe(record);
      }
      await streams.commit();
    } finally {
      await streams.close().catch(() => undefined);
    }
  }

  async #compareOutputs(): Promise<string | null> {
    const { outputs, inputs, properties } = this.#test;
    const { catalog, log } = this.#engine;
    const options = { exact: properties.get(EXACT_NUMBERS) !== 'false', withoutInputs: inputs.length === 0 };
    for (const topic of new Set(outputs.map((record) => record.topic))) {
      const source = catalog.sources().find((each) => each.topic === topic);
      if (source === undefined) return `topic ${topic}: nothing in the catalog says how to read it`;
      const reason = compareOutput(
        outputs.filter((record) => record.topic === topic),
        await recordsOf(log, topic),
        source,
        options,
      );
      if (reason !== null) return reason;
    }
    return null;
  }

  async #checkPost(): Promise<string | null> {
    const { log, catalog } = this.#engine;
    const topics = new Map<string, number>();
    for (const name of await log.admin.listTopics())
      topics.set(name, must(await log.admin.describeTopic(name)).partitions);
    const { post } = this.#test;
    // Which topics a query makes for itself is what the optimizer decides.
    const checked = this.#options.optimizer ? post : { ...post, topics: [], blacklist: null };
    return checkPost(checked, { catalog, topics, internalTopic: (name) => this.#internalTopic(name) });
  }

  /** Repartition topics have a counterpart; the names of changelogs are numbers of Kafka Streams' own nodes. */
  #internalTopic(name: string): string | null {
    const rest = /^_confluent-ksql-.*?query_(.*-repartition)$/.exec(name)?.[1];
    const id = [...this.#engine.queries.keys()].find((queryId) => rest?.startsWith(`${queryId}-`));
    return rest === undefined || id === undefined
      ? null
      : `${applicationIdOf(id, this.#engine)}${rest.slice(id.length)}`;
  }
}

function parses(statements: readonly string[]): boolean {
  try {
    parseStatements(statements.join('\n'));
    return true;
  } catch {
    return false;
  }
}
