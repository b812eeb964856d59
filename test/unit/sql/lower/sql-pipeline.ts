import { systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { builtinFunctions } from '../../../../src/functions/registry.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../../src/log/log.ts';
import type { KeyValueStore, WindowStore } from '../../../../src/state/store.ts';
import type { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import type { SkippedRecord } from '../../../../src/streams/task/skipped-record.ts';
import { analyzeCreateSourceAs } from '../../../../src/sql/analyzer/analyze-persistent.ts';
import { analyzeQuery } from '../../../../src/sql/analyzer/analyze-query.ts';
import { analyzeCreateSource } from '../../../../src/sql/analyzer/analyze-source.ts';
import { Catalog } from '../../../../src/sql/catalog/catalog.ts';
import { lower, type LoweredQuery } from '../../../../src/sql/lower/lower.ts';
import { recordPolicies } from '../../../../src/sql/lower/record-policies.ts';
import { optimize } from '../../../../src/sql/optimizer/optimizer.ts';
import { parseStatements } from '../../../../src/sql/parser/parse.ts';
import { buildPersistentPlan, buildPushPlan } from '../../../../src/sql/plan/build-plan.ts';
import type { PlanNode } from '../../../../src/sql/plan/node.ts';
import type { Row, SqlValue } from '../../../../src/types/value.ts';
import { produce, readAll, type TextRecord } from '../../../harness/log-records.ts';
import { closeStreams, createStreams, drain } from '../../../harness/open-streams.ts';

export interface PipelineRecord extends TextRecord {
  readonly topic: string;
}

export interface PipelineResult {
  /** Of topic OUT: key, value and timestamp, in order within a key. */
  readonly out: readonly (readonly [key: string | null, value: string | null, timestamp: number])[];
  readonly pushed: readonly { readonly row: Row; readonly tombstone: boolean }[];
  readonly skipped: readonly SkippedRecord[];
  readonly lowered: LoweredQuery;
  readonly plan: PlanNode;
  /** The rows that a pull query would find, of the materialization. */
  readonly rows: readonly (readonly SqlValue[])[];
}

const PARTITIONS = 2;
const evaluation = { now: () => 0, random: () => 0.5 };

/**
 * Runs SQL text over records, on a log in memory: CREATE STREAM and TABLE statements, then one CREATE … AS (whose
 * topic is OUT) or SELECT. Inputs are processed one by one, so that the order over topics is the given one.
 */
export async function runSql(
  sql: string,
  records: readonly PipelineRecord[],
  options: { optimized: boolean; coalesce?: boolean },
): Promise<PipelineResult> {
  const log: Log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  const catalog = new Catalog();
  const functions = builtinFunctions;
  const pushed: { row: Row; tombstone: boolean }[] = [];
  const skipped: SkippedRecord[] = [];
  let plan: PlanNode | null = null;
  for (const { statement } of parseStatements(sql)) {
    const context = {
      catalog,
      functions,
      evaluation,
      properties: new Map<string, string>(),
      statementText: sql,
    };
    if (statement.kind === 'createSource') {
      const { source } = analyzeCreateSource(statement, context);
      catalog.add({ ...source, partitions: PARTITIONS });
      if ((await log.admin.describeTopic(source.topic)) === undefined)
        await log.admin.createTopic({ name: source.topic, partitions: PARTITIONS });
    } else if (statement.kind === 'createSourceAs') {
      const analyzed = analyzeCreateSourceAs(statement, context);
      await log.admin.createTopic({ name: analyzed.sink.topic, partitions: PARTITIONS });
      plan = buildPersistentPlan(analyzed);
    } else if (statement.kind === 'query') {
      plan = buildPushPlan(analyzeQuery(statement, context));
    } else {
      throw new Error(`no ${statement.kind} here`);
    }
  }
  if (options.optimized) plan = optimize(plan!, { functions, evaluation }).plan;
  const lowered = lower(plan!, {
    functions,
    evaluation,
    coalesce: options.coalesce ?? false,
    push: (row, tombstone) => pushed.push({ row, tombstone }),
  });
  const streams = createStreams(lowered.topology, {
    log,
    onSkip: (record) => skipped.push(record),
    ...recordPolicies,
  });
  try {
    await streams.open();
    for (const { topic, ...record } of records) {
      await produce(log, topic, [record]);
      // Coalescing is over a commit: all records are to lie in one.
      if (options.coalesce !== true) await drain(streams);
    }
    await streams.commit();
    await drain(streams);
    const hasOut = (await log.admin.describeTopic('OUT')) !== undefined;
    const out = hasOut ? await readAll(log, 'OUT') : [];
    return {
      out: out.map(({ key, value, timestamp }) => [key, value, timestamp] as const),
      pushed,
      skipped,
      lowered,
      plan: plan!,
      rows: pullRows(streams, lowered),
    };
  } finally {
    await closeStreams();
    await log.close();
  }
}

function pullRows(streams: SteppedStreams, { materialization }: LoweredQuery): SqlValue[][] {
  const rows: SqlValue[][] = [];
  if (materialization === null) return rows;
  const { key, rowOf, windowSizeMs } = materialization;
  const add = (
    bytes: Uint8Array,
    start: number,
    end: number,
    value: unknown,
    from: number,
    to: number,
    time: number,
  ): void => {
    const row = rowOf(key.deserialize(bytes, start, end), value, from, to, time);
    if (row !== null) rows.push(from < 0 ? row : [from, to, ...row]);
  };
  for (const { store } of streams.stores(materialization.store)) {
    if (materialization.kind === 'key-value')
      (store as KeyValueStore).range(null, null, false, (bytes, start, end, value, time) =>
        add(bytes, start, end, value, -1, -1, time),
      );
    if (materialization.kind === 'window')
      (store as WindowStore).fetchAll(0, Number.MAX_SAFE_INTEGER, (bytes, start, end, from, value, time) =>
        add(bytes, start, end, value, from, from + windowSizeMs!, time),
      );
  }
  return rows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
