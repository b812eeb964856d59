import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { DataError, SqlError } from '../common/error.ts';
import type { LoweredQuery } from '../sql/lower/lower.ts';
import { printStatement } from '../sql/parser/print-statement.ts';
import { parseStatements } from '../sql/parser/parse.ts';
import type { PlanNode } from '../sql/plan/node.ts';
import { allNodes } from '../sql/plan/plan-inputs.ts';
import { fingerprintOf, functionsOf } from '../sql/plan/plan-meaning.ts';
import { loadPlans, storePlans } from '../sql/plan/stored-plan.ts';
import type { Engine } from './engine.ts';
import { lowerPlan } from './compile-plan.ts';
import type { QueryPlan } from './persistent-query.ts';

/** A query as it was accepted: what it means, and what runs for it in every release from then on. */
export interface StoredQuery {
  /** The release that planned it. */
  readonly release: string;
  readonly fingerprint: string;
  /** The plan before any rule and the one that runs: `StoredPlans`, deflated and in base64 where it is long. */
  readonly plans: unknown;
  /** Names of its stores and of topics of its own, without the application's. Its state lies under them. */
  readonly stores: readonly string[];
  readonly topics: readonly string[];
}

/** A query that is about to run. */
export interface PlannedQuery {
  readonly plan: QueryPlan;
  readonly lowered: LoweredQuery;
  readonly stored: StoredQuery;
}

/** Longer ones are deflated: a plan repeats itself a lot. */
const PLAIN_LENGTH_MAX = 20_000;

/** Settings that change what a query computes, apart from those of functions that it calls. */
const MEANING_SETTINGS = [
  'ksql.timestamp.throw.on.invalid',
  '__emit.interval.ms.kstreams.windowed.aggregation__',
] as const;

/** A plan as it is made durable, and the one that runs for it, so that the same runs after a restart. */
export function storePlanned(
  engine: Engine,
  plan: QueryPlan,
  properties: ReadonlyMap<string, string>,
  push?: () => void,
): PlannedQuery {
  const { functions, options } = engine;
  const text = JSON.stringify(storePlans([plan.before, plan.after], functions));
  const plans: unknown =
    text.length <= PLAIN_LENGTH_MAX ? JSON.parse(text) : deflateRawSync(text).toString('base64');
  const { before, after } = loadBoth(engine, plans);
  const lowered = lowerPlan(engine, after, properties, push);
  const fingerprint = fingerprintOf(before, functions, meaningOf(engine, before, properties));
  const stored = { release: options.version, fingerprint, plans, ...namesOf(lowered) };
  return { plan: { before, after, steps: plan.steps }, lowered, stored };
}

function loadBoth(engine: Engine, plans: unknown): { readonly before: PlanNode; readonly after: PlanNode } {
  const [before, after] = loadPlans(
    typeof plans === 'string' ? JSON.parse(inflateRawSync(Buffer.from(plans, 'base64')).toString()) : plans,
    engine.functions,
  );
  if (before === undefined || after === undefined)
    throw new DataError('a stored query has a plan before the rules and one that runs');
  return { before, after };
}

/**
 * Lowers a stored query. Throws `DataError` when this release cannot read it, and `SqlError` when it would not find
 * the query's state.
 */
export function loadQuery(
  engine: Engine,
  stored: StoredQuery,
  properties: ReadonlyMap<string, string>,
  push?: () => void,
): PlannedQuery {
  const { before, after, lowered } = loadLowered(engine, stored, properties, push);
  const { stores, topics } = namesOf(lowered);
  for (const [kind, was, is] of [
    ['stores', stored.stores, stores],
    ['topics', stored.topics, topics],
  ] as const)
    if (was.join() !== is.join())
      throw new SqlError(
        'ML_UNSUPPORTED',
        `this release would keep the query's state elsewhere: its ${kind} were ${was.join(', ') || 'none'}, and would be ${is.join(', ') || 'none'}`,
        { hint: 'run it with the release that it was made with, or DROP it and create it anew' },
      );
  return { plan: { before, after, steps: [] }, lowered, stored };
}

/** A plan that was damaged may look like one until it is lowered: then it fails anywhere, and in any way. */
function loadLowered(
  engine: Engine,
  { plans }: StoredQuery,
  properties: ReadonlyMap<string, string>,
  push?: () => void,
): Omit<QueryPlan, 'steps'> & Pick<PlannedQuery, 'lowered'> {
  try {
    const both = loadBoth(engine, plans);
    return { ...both, lowered: lowerPlan(engine, both.after, properties, push) };
  } catch (error) {
    if (error instanceof SqlError || error instanceof DataError || !(error instanceof Error)) throw error;
    throw new DataError(`what was stored is no plan that could run: ${error.message}`);
  }
}

/** Whether it is a stored query: anybody who may write the topic may have put something else there. */
export function isStoredQuery(json: unknown): json is StoredQuery {
  if (typeof json !== 'object' || json === null) return false;
  const { release, fingerprint, plans, stores, topics } = json as Partial<StoredQuery>;
  const isTexts = (list: unknown): boolean =>
    Array.isArray(list) && list.every((each) => typeof each === 'string');
  return (
    typeof release === 'string' &&
    typeof fingerprint === 'string' &&
    plans !== undefined &&
    isTexts(stores) &&
    isTexts(topics)
  );
}

function namesOf({ topology }: LoweredQuery): Pick<StoredQuery, 'stores' | 'topics'> {
  return {
    stores: topology.stores.map(({ options }) => options.name).sort(),
    topics: topology.repartitionTopics.map(({ name }) => name).sort(),
  };
}

/** A digest of the plan and of what it does not hold: bodies of functions that statements have made, and settings. */
function meaningOf(
  engine: Engine,
  before: PlanNode,
  properties: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const meaning = new Map<string, string>();
  const called = functionsOf(before);
  for (const name of called) {
    const body = engine.createdFunctions.meaningOf(name);
    if (body !== undefined) meaning.set(`function ${name}`, body);
  }
  for (const [name, text] of properties) {
    const [, fn] = /^ksql\.functions\.([^.]+)\./.exec(name) ?? [];
    if (fn === undefined ? MEANING_SETTINGS.includes(name as never) : called.has(fn.toUpperCase()))
      meaning.set(name, text);
  }
  return meaning;
}

/** Whether these are the properties of a statement that was stored. */
export function isStoredProperties(json: unknown): json is Readonly<Record<string, string>> {
  return (
    typeof json === 'object' && json !== null && Object.values(json).every((each) => typeof each === 'string')
  );
}

/** A query that was stored, with the statement that it comes from. */
export interface StoredStatement {
  readonly statement: string;
  readonly query: StoredQuery;
}

/**
 * Whether two queries mean the same. What one release makes of a text before any rule another one may write otherwise:
 * across releases, the same text over the same declarations is the same query.
 */
export function meanTheSame(engine: Engine, old: StoredStatement, now: StoredStatement): boolean {
  if (old.query.fingerprint === now.query.fingerprint) return true;
  if (old.query.release === now.query.release) return false;
  const [before, after] = [old, now].map(({ statement, query }) => {
    const { plan } = loadQuery(engine, query, new Map(), () => undefined);
    return JSON.stringify([printed(statement), declarationsOf(plan.before)]);
  });
  return before === after;
}

/** The text itself where it is no statement of this release: no other one is the same. */
function printed(statement: string): string {
  try {
    return parseStatements(statement)
      .map((parsed) => printStatement(parsed.statement))
      .join('\n');
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return statement;
  }
}

/** The declarations of a plan's sources. */
export function declarationsOf(plan: PlanNode): unknown {
  return allNodes(plan).flatMap((node) => {
    if (node.kind !== 'source') return [];
    const { source, topic, keyFormat, valueFormat, keyColumns, valueColumns, timestamp, window, changes } =
      node;
    return [[source, topic, keyFormat, valueFormat, keyColumns, valueColumns, timestamp, window, changes]];
  });
}
