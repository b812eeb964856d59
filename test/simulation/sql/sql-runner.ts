import { ManualClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import { builtinFunctions } from '../../../src/functions/registry.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../src/log/log.ts';
import { analyzeInsertSelect } from '../../../src/sql/analyzer/analyze-insert-select.ts';
import { analyzeCreateSourceAs } from '../../../src/sql/analyzer/analyze-persistent.ts';
import { analyzeQuery } from '../../../src/sql/analyzer/analyze-query.ts';
import { analyzeCreateSource } from '../../../src/sql/analyzer/analyze-source.ts';
import { Catalog } from '../../../src/sql/catalog/catalog.ts';
import { lower } from '../../../src/sql/lower/lower.ts';
import { recordPolicies } from '../../../src/sql/lower/record-policies.ts';
import { optimize } from '../../../src/sql/optimizer/optimizer.ts';
import { parseStatements } from '../../../src/sql/parser/parse.ts';
import { buildPersistentPlan, buildPushPlan } from '../../../src/sql/plan/build-plan.ts';
import type { PlanNode } from '../../../src/sql/plan/node.ts';
import { openStateBackend } from '../../../src/state/task-state.ts';
import { SteppedStreams } from '../../../src/streams/application/stepped-streams.ts';
import { Decimal } from '../../../src/types/decimal.ts';
import type { SqlValue } from '../../../src/types/value.ts';
import { produce, readAll } from '../../harness/log-records.ts';
import { drain } from '../../harness/open-streams.ts';
import { SeededRandom } from '../../harness/random.ts';
import { jsonText } from './model-value.ts';
import { type GeneratedInput, type GeneratedRecord, messyJson } from './generate-sql.ts';

/** A row of a result: its values as text, or the removal of a key. */
export interface ResultRow {
  readonly values: readonly string[];
  readonly tombstone: boolean;
}

export interface QueryResult {
  readonly rows: readonly ResultRow[];
  /** What was said of records that did not take part: the reason, and the same with the record's offset. */
  readonly skipped: readonly { readonly text: string; readonly placed: string }[];
  readonly readsOwnTopics: boolean;
  /** Offsets of source records that an evaluation error of WHERE dropped. */
  readonly failedInWhere: ReadonlySet<number>;
}

const evaluation = { now: () => 0, random: () => 0.5 };

/** Sources S, L and R over generated records, and queries on them, through the whole path but for the engine. */
export class SqlRunner {
  /** The latest statement, for reports. */
  last = '';
  readonly #catalog = new Catalog();
  readonly #clock = new ManualClock();
  readonly #log: Log;
  /** The latest query, which runs again with the optimizer. */
  #planned: { readonly sql: string; readonly plan: PlanNode } | null = null;
  #runs = 0;
  #names = 0;

  private constructor(log: Log) {
    this.#log = log;
  }

  /**
   * S is the stream, M the same in careless JSON, W in JSON that is partly wrong; L and R are the tables; LAST_L and LAST_R are streams of what is left in the tables. Topics have
   * one partition, so that offsets are those of the records.
   */
  static async open(input: GeneratedInput): Promise<SqlRunner> {
    const log = await openEmbeddedLog({ clock: new ManualClock(), logger: silentLogger });
    const runner = new SqlRunner(log);
    const columns = input.columns.map(({ name, type }) => `${name} ${type}`).join(', ');
    const random = new SeededRandom(input.stream.length + input.columns.length);
    const add = async (
      kind: 'STREAM' | 'TABLE',
      name: string,
      records: readonly GeneratedRecord[],
    ): Promise<void> => {
      const messy = name === 'M' || name === 'W';
      const key = kind === 'TABLE' ? 'PRIMARY KEY' : 'KEY';
      runner.#declare(
        `CREATE ${kind} ${name} (ID INT ${key}, ${columns}) WITH (KAFKA_TOPIC='${name}', FORMAT='JSON');`,
      );
      await log.admin.createTopic({ name, partitions: 1 });
      await produce(
        log,
        name,
        records.map(({ id, value, timestamp, wrong, wrongKey }) => ({
          key:
            wrongKey ??
            (id === null
              ? null
              : messy
                ? random.pick([String(id), `"${id}"`, ` ${id}`, `${id}.0`])
                : String(id)),
          value:
            wrong ??
            (value === null ? null : messy ? messyJson(value, random, name === 'W') : jsonText(value)),
          timestamp,
        })),
      );
    };
    await add('STREAM', 'S', input.stream);
    await add('STREAM', 'M', input.stream);
    await add('STREAM', 'W', input.stream);
    await add('STREAM', 'A', input.events[0]);
    await add('STREAM', 'B', input.events[1]);
    await add('TABLE', 'L', input.left);
    await add('TABLE', 'R', input.right);
    await add('TABLE', 'Q', input.third);
    await add('STREAM', 'LAST_L', lastOf(input.left));
    await add('STREAM', 'LAST_R', lastOf(input.right));
    return runner;
  }

  /** Runs a push query to the end of its sources. Throws `SqlError` when it is rejected. */
  async run(sql: string, optimized: boolean): Promise<QueryResult> {
    if (this.#planned?.sql !== sql) this.#planned = { sql, plan: this.#plan(sql) };
    return this.#runPlan(this.#planned.plan, optimized);
  }

  #plan(sql: string): PlanNode {
    this.last = sql;
    const [parsed] = parseStatements(sql);
    const { statement } = parsed!;
    if (statement.kind !== 'query') throw new Error('expected a query');
    return buildPushPlan(analyzeQuery(statement, this.#context(sql)));
  }

  /** Runs CREATE … AS, which is then forgotten. Returns the records of its topic, as text. */
  async runSink(
    sql: string,
    optimized: boolean,
  ): Promise<{ readonly records: readonly string[]; readonly skipped: readonly string[] }> {
    this.last = sql;
    const [parsed] = parseStatements(sql);
    const { statement } = parsed!;
    if (statement.kind !== 'createSourceAs') throw new Error('expected CREATE … AS');
    const analyzed = analyzeCreateSourceAs(statement, this.#context(sql));
    const topic = `${analyzed.sink.topic}_${this.#runs}`;
    await this.#log.admin.createTopic({ name: topic, partitions: 1 });
    const plan = buildPersistentPlan({ ...analyzed, sink: { ...analyzed.sink, topic } });
    const { skipped } = await this.#runPlan(plan, optimized);
    const records = await readAll(this.#log, topic);
    return {
      records: records.map(({ key, value, timestamp }) => `${key} = ${value} at ${timestamp}`),
      skipped: skipped.map(({ placed }) => placed),
    };
  }

  /** A name for a stream or table of a query's own. */
  newName(): string {
    return `O${this.#names++}`;
  }

  /** Runs CREATE … AS or INSERT INTO … SELECT to the end of its sources. What it writes can be read from then on. */
  async persist(sql: string, optimized: boolean): Promise<void> {
    this.last = sql;
    const [parsed] = parseStatements(sql);
    const { statement } = parsed!;
    if (statement.kind === 'insertSelect') {
      await this.#runPlan(buildPersistentPlan(analyzeInsertSelect(statement, this.#context(sql))), optimized);
      return;
    }
    if (statement.kind !== 'createSourceAs') throw new Error('expected a persistent query');
    const analyzed = analyzeCreateSourceAs(statement, this.#context(sql));
    await this.#log.admin.createTopic({ name: analyzed.sink.topic, partitions: 1 });
    await this.#runPlan(buildPersistentPlan(analyzed), optimized);
    this.#catalog.add({ ...analyzed.sink, partitions: 1 });
  }

  async #runPlan(before: PlanNode, optimized: boolean): Promise<QueryResult> {
    const functions = builtinFunctions;
    const plan = optimized ? optimize(before, { functions, evaluation }).plan : before;
    const rows: ResultRow[] = [];
    const lowered = lower(plan, {
      functions,
      evaluation,
      coalesce: false,
      push: (row, tombstone) => rows.push({ values: row.map(textOf), tombstone }),
    });
    const failedInWhere = new Set<number>();
    const told: { text: string; placed: string }[] = [];
    const streams = new SteppedStreams(lowered.topology, {
      applicationId: `run${this.#runs++}`,
      log: this.#log,
      state: openStateBackend(),
      stateDirectory: null,
      changelogs: false,
      clock: this.#clock,
      logger: silentLogger,
      onSkip: (skipped) => {
        const text = `${skipped.reason}: ${skipped.detail}`;
        told.push({ text, placed: `${text} at ${skipped.topic} ${skipped.offset}` });
        if (skipped.detail.startsWith('WHERE:')) failedInWhere.add(skipped.offset);
      },
      ...recordPolicies,
    });
    try {
      await streams.open();
      await drain(streams);
    } finally {
      await streams.close();
    }
    return {
      rows,
      failedInWhere,
      skipped: told,
      readsOwnTopics: lowered.topology.repartitionTopics.length > 0,
    };
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  #declare(sql: string): void {
    this.last = sql;
    const [parsed] = parseStatements(sql);
    const { statement } = parsed!;
    if (statement.kind !== 'createSource') throw new Error('expected a declaration');
    this.#catalog.add({ ...analyzeCreateSource(statement, this.#context(sql)).source, partitions: 1 });
  }

  #context(statementText: string) {
    const properties = new Map<string, string>();
    return { catalog: this.#catalog, functions: builtinFunctions, evaluation, properties, statementText };
  }
}

/** What is left when each record replaces the earlier one of its id. */
function lastOf(records: readonly GeneratedRecord[]): readonly GeneratedRecord[] {
  const last = new Map(records.map((record) => [record.id, record]));
  return [...last.values()].filter((record) => record.value !== null);
}

/** One text a value, so that different values have different texts. */
function textOf(value: SqlValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`;
  if (value instanceof Decimal) return `d${value.toString()}`;
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<SqlValue, SqlValue>)].map(
      ([key, item]) => `${textOf(key)}:${textOf(item)}`,
    );
    return `{${entries.toSorted().join(',')}}`;
  }
  return `[${(value as readonly SqlValue[]).map(textOf).join(',')}]`;
}
