import { type Span, SqlError } from '../../common/error.ts';
import { openOrder } from '../../types/compare-values.ts';
import { printIdentifier, printType } from '../../types/print-type.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { CatalogSource } from '../catalog/source.ts';
import { evaluateConstant } from '../expressions/compile.ts';
import type { ComparisonOperator, Expression } from '../expressions/expression.ts';
import { columnsOf, fold, isVolatile, some } from '../expressions/walk.ts';
import type * as ast from '../parser/ast.ts';
import type { AnalyzeContext } from './analyze-context.ts';
import { analyzeQuery } from './analyze-query.ts';
import type { SelectColumn } from './analyzed-query.ts';
import type { SourceColumn } from '../catalog/source-row.ts';
import { textBounds } from './text-bounds.ts';

/**
 * A query on what is there now. Key and window constraints only say where to look: they let through at least what
 * `filter` does, and `filter` is applied to every row found.
 */
export interface PullPlan {
  readonly source: CatalogSource;
  readonly alias: string;
  /** The flat row that `filter` and `select` are over. */
  readonly row: readonly SourceColumn[];
  readonly access: PullAccess;
  /** Bounds of WINDOWSTART and WINDOWEND, in milliseconds; null for a source without windows. */
  readonly windowStart: Bounds | null;
  readonly windowEnd: Bounds | null;
  /** The whole WHERE. */
  readonly filter: Expression | null;
  readonly select: readonly SelectColumn[];
  readonly limit: number | null;
}

export type PullAccess =
  /** Each key: one value for each key column, in the source's order. Empty: no row can match. */
  | { readonly kind: 'keys'; readonly keys: readonly (readonly SqlValue[])[] }
  /** A range of the source's single key column, a STRING, in the order of its UTF-8. */
  | { readonly kind: 'range'; readonly bounds: Bounds }
  | { readonly kind: 'scan' };

/** Both ends inclusive; null: open. */
export interface Bounds {
  readonly lower: SqlValue;
  readonly upper: SqlValue;
}

/** More keys than this are found faster by reading the table. */
const KEYS_MAX = 10_000;

/**
 * SELECT without EMIT. Throws ML_UNSUPPORTED for clauses that only make sense for a query that goes on, and for
 * tables that no query materializes. `sortsKeys`: whether the rows of a table are kept in the order of their keys' UTF-8.
 */
export function analyzePullQuery(
  query: ast.Query,
  context: AnalyzeContext,
  sortsKeys: (source: CatalogSource) => boolean,
): PullPlan {
  const refuse = (what: string, span = query.span): never => {
    throw new SqlError('ML_UNSUPPORTED', `a query without EMIT cannot have ${what}`, {
      span,
      hint: 'add EMIT CHANGES to follow the changes, or CREATE TABLE … AS SELECT and query that',
    });
  };
  if (query.from.kind === 'join') return refuse('JOIN', query.from.span);
  if (query.window !== null) refuse('WINDOW', query.window.span);
  if (query.groupBy.length > 0) refuse('GROUP BY', query.groupBy[0]!.span);
  if (query.partitionBy.length > 0) refuse('PARTITION BY', query.partitionBy[0]!.span);
  if (query.having !== null) refuse('HAVING', query.having.span);
  const analyzed = analyzeQuery(query, context);
  if (analyzed.tableCalls.length > 0) refuse('table functions');
  if (analyzed.from.kind === 'join') return refuse('JOIN');
  const { source, alias, row } = analyzed.from;
  if (source.type === 'table' && source.createdBy === null && !source.sourceOnly)
    throw new SqlError(
      'ML_UNSUPPORTED',
      `table ${printIdentifier(source.name)} is not kept by any query, so its rows cannot be looked up`,
      {
        span: query.from.nameSpan,
        hint: hintOfUnkept(source),
      },
    );
  if (query.limit !== null && isSwitchedOff('ksql.query.pull.limit.clause.enabled', context))
    throw switchedOff('LIMIT in a query without EMIT', 'ksql.query.pull.limit.clause.enabled', query.span);
  if (source.type === 'stream' && isSwitchedOff('ksql.query.pull.stream.enabled', context))
    throw switchedOff('reading a stream without EMIT', 'ksql.query.pull.stream.enabled', query.from.span);
  const isPlace = (index: number): boolean => {
    const { kind } = row[index]!.origin;
    return kind === 'rowpartition' || kind === 'rowoffset';
  };
  for (const column of analyzed.select)
    if ([...columnsOf(column.expression)].some(isPlace)) refuse('ROWPARTITION or ROWOFFSET', column.span);
  if (analyzed.where !== null && [...columnsOf(analyzed.where)].some(isPlace))
    refuse('ROWPARTITION or ROWOFFSET', query.where!.span);

  if (source.type === 'table' && query.where !== null) checkKeyLists(query.where, source);
  const constraints = analyzed.where === null ? ANYTHING : constraintsOf(analyzed.where, context);
  const access = accessOf(source, constraints, sortsKeys);
  if (
    source.type === 'table' &&
    isSwitchedOff('ksql.query.pull.table.scan.enabled', context) &&
    needsScan(access, source, constraints, context)
  )
    throw new SqlError('ML_LIMIT', 'this query reads the whole table, and that is switched off', {
      span: query.span,
      hint: `name the key in WHERE (${source.schema.key.map((column) => printIdentifier(column.name)).join(', ')}), or SET 'ksql.query.pull.table.scan.enabled' = 'true'`,
    });
  const { window } = analyzed.from;
  const boundsOf = (column: number): Bounds => hull(constraints.get(column), row[column]!.type);
  return {
    source,
    alias,
    row,
    access,
    windowStart: window === null ? null : boundsOf(window.startColumn),
    windowEnd: window === null ? null : boundsOf(window.endColumn),
    filter: analyzed.where,
    select: analyzed.select,
    limit: analyzed.limit,
  };
}

/** What to do about a table whose rows no query keeps: those of a windowed one no query can keep. */
export function hintOfUnkept({ name, window }: CatalogSource): string {
  const changes = 'add EMIT CHANGES to follow its changes';
  if (window !== null) return changes;
  return `CREATE TABLE … AS SELECT * FROM ${printIdentifier(name)} and query that, or ${changes}`;
}

function isSwitchedOff(property: string, { properties }: AnalyzeContext): boolean {
  return properties.get(property)?.toLowerCase() === 'false';
}

function switchedOff(what: string, property: string, span: Span): SqlError {
  return new SqlError('ML_LIMIT', `${what} is switched off`, {
    span,
    hint: `SET '${property}' = 'true'`,
  });
}

/** Whether ksqlDB would scan: it reads only keys and ranges that one condition for each column gives. */
function needsScan(
  { kind }: PullAccess,
  source: CatalogSource,
  constraints: Constraints,
  context: AnalyzeContext,
): boolean {
  if (source.schema.key.some((_, index) => constraints.get(index)?.narrowed === true)) return true;
  return (
    kind === 'scan' || (kind === 'range' && isSwitchedOff('ksql.query.pull.range.scan.enabled', context))
  );
}

/** A list of keys to look up holds values of the key's type: text is no number there, as it would be elsewhere. */
function checkKeyLists(where: ast.Expression, source: CatalogSource): void {
  const open = [where];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.kind === 'logical') open.push(node.right, node.left);
    else checkKeyList(node, source);
  }
}

function checkKeyList(condition: ast.Expression, source: CatalogSource): void {
  if (condition.kind !== 'in' || condition.operand.kind !== 'column') return;
  const { name } = condition.operand;
  const key = source.schema.key.find((column) => column.name === name);
  if (key === undefined || !NUMBERS.has(key.type.kind)) return;
  const text = condition.items.find((item) => item.kind === 'string');
  if (text !== undefined)
    throw new SqlError(
      'ML_TYPE',
      `key ${printIdentifier(name)} is ${printType(key.type)}, and this is STRING`,
      {
        span: text.span,
        hint: 'write the number without quotes',
      },
    );
}

const NUMBERS: ReadonlySet<SqlType['kind']> = new Set(['integer', 'bigint', 'decimal', 'double'] as const);

function accessOf(
  source: CatalogSource,
  constraints: Constraints,
  sortsKeys: (source: CatalogSource) => boolean,
): PullAccess {
  const columns = source.schema.key.map((_, index) => constraints.get(index));
  if (columns.length === 0 || source.type === 'stream') return { kind: 'scan' };
  const values = columns.map((constraint) => (constraint?.kind === 'values' ? constraint.values : null));
  if (values.every((each) => each !== null)) {
    const count = values.reduce((product, each) => product * each.length, 1);
    if (count <= KEYS_MAX) {
      const keys = values.reduce<readonly (readonly SqlValue[])[]>(
        (prefixes, each) => prefixes.flatMap((prefix) => each.map((value) => [...prefix, value])),
        [[]],
      );
      return { kind: 'keys', keys };
    }
  }
  const only = columns.length === 1 ? columns[0] : undefined;
  if (only?.kind !== 'range' || !sortsKeys(source)) return { kind: 'scan' };
  const bounds = textBounds(only.lower as string | null, only.upper as string | null);
  return bounds.lower === null && bounds.upper === null ? { kind: 'scan' } : { kind: 'range', bounds };
}

function hull(constraint: Constraint | undefined, type: SqlType): Bounds {
  if (constraint === undefined) return { lower: null, upper: null };
  if (constraint.kind === 'range') return { lower: constraint.lower, upper: constraint.upper };
  const sorted = [...constraint.values].sort(openOrder(type));
  return { lower: sorted[0] ?? null, upper: sorted.at(-1) ?? null };
}

type Constraint = {
  readonly type: SqlType;
  /** Several conditions that have to hold together made it. */
  readonly narrowed?: boolean;
} & (
  | { readonly kind: 'values'; readonly values: readonly SqlValue[] }
  | ({ readonly kind: 'range' } & Bounds)
);

/** By column: what a row that passes must have there. A column that is missing may have anything. */
type Constraints = ReadonlyMap<number, Constraint>;

const ANYTHING: Constraints = new Map();

/** Constants that are more than a literal are each compiled to be evaluated: after so many they say nothing. */
const EVALUATED_MAX = 1000;

/** Used while the constraints of one WHERE are found. */
interface Evaluation {
  readonly context: AnalyzeContext;
  evaluated: number;
}

/** The operands of a chain of one operator, or of none. */
interface Gathered {
  readonly operator: 'and' | 'or' | null;
  readonly parts: Constraints[];
}

function constraintsOf(where: Expression, context: AnalyzeContext): Constraints {
  const evaluation: Evaluation = { context, evaluated: 0 };
  const gathered = fold<Gathered>(
    where,
    (node, [left, right]) => {
      const { operator } = node as Extract<Expression, { kind: 'logical' }>;
      const parts = left!.operator === operator ? left!.parts : [settle(left!)];
      parts.push(settle(right!));
      return { operator, parts };
    },
    (node) =>
      node.kind === 'logical' ? undefined : { operator: null, parts: [constraintsOfOne(node, evaluation)] },
  );
  return settle(gathered);
}

/** Two by two, then those two by two: a long OR would be sorted again for each of its operands. */
function settle({ operator, parts }: Gathered): Constraints {
  const merge = operator === 'and' ? both : either;
  let level: readonly Constraints[] = parts;
  while (level.length > 1) {
    const merged: Constraints[] = [];
    for (let i = 0; i < level.length; i += 2)
      merged.push(i + 1 < level.length ? merge(level[i]!, level[i + 1]!) : level[i]!);
    level = merged;
  }
  return level[0]!;
}

function constraintsOfOne(condition: Expression, context: Evaluation): Constraints {
  switch (condition.kind) {
    case 'comparison': {
      const direct = compared(condition.left, condition.right, condition.operator, context);
      return (
        direct ?? compared(condition.right, condition.left, MIRRORED[condition.operator], context) ?? ANYTHING
      );
    }
    case 'in': {
      const column = columnOf(condition.operand);
      const values = condition.items.map((item) => constantOf(item, context));
      if (column === null || condition.negated || values.some((value) => value === undefined))
        return ANYTHING;
      const usable = values.flatMap((value) =>
        value === undefined || value === null || !inType(value, column.type) ? [] : [value],
      );
      return new Map([
        [column.index, { kind: 'values', type: column.type, values: distinct(usable, column.type) }],
      ]);
    }
    default:
      return ANYTHING;
  }
}

const MIRRORED: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
  'is-distinct': 'is-distinct',
  'is-not-distinct': 'is-not-distinct',
};

function compared(
  side: Expression,
  other: Expression,
  operator: ComparisonOperator,
  context: Evaluation,
): Constraints | null {
  const column = columnOf(side);
  if (column === null) return null;
  const value = constantOf(other, context);
  if (value === undefined || value === null) return null;
  const { index, type } = column;
  switch (operator) {
    case '=':
      return new Map([[index, { kind: 'values', type, values: inType(value, type) ? [value] : [] }]]);
    case '<':
    case '<=':
      return inType(value, type)
        ? new Map([[index, { kind: 'range', type, lower: null, upper: value }]])
        : null;
    case '>':
    case '>=':
      return inType(value, type)
        ? new Map([[index, { kind: 'range', type, lower: value, upper: null }]])
        : null;
    default:
      return null;
  }
}

/** The column itself, or one that was widened to be compared and keeps its values in that. */
function columnOf(expression: Expression): { index: number; type: SqlType } | null {
  if (expression.kind === 'column') return expression;
  if (expression.kind !== 'cast' || expression.operand.kind !== 'column') return null;
  const { operand, type } = expression;
  return operand.type.kind === 'integer' && (type.kind === 'bigint' || type.kind === 'double')
    ? operand
    : null;
}

/** Whether a number that a widened column is compared with can be a value of the column at all. */
function inType(value: SqlValue, type: SqlType): boolean {
  return type.kind !== 'integer' || (typeof value === 'number' && value === (value | 0));
}

/** Undefined when it depends on the row, or is one of too many. */
function constantOf(expression: Expression, evaluation: Evaluation): SqlValue | undefined {
  if (expression.kind === 'literal') return expression.value;
  const { context } = evaluation;
  if (evaluation.evaluated >= EVALUATED_MAX) return undefined;
  if (some(expression, ({ kind }) => kind === 'column') || isVolatile(expression, context.functions))
    return undefined;
  evaluation.evaluated++;
  try {
    return evaluateConstant(expression, context.functions, context.evaluation);
  } catch {
    // The filter will meet the same error on every row and count it.
    return undefined;
  }
}

function distinct(values: readonly SqlValue[], type: SqlType): readonly SqlValue[] {
  const order = openOrder(type);
  return [...values].sort(order).filter((value, i, all) => i === 0 || order(value, all[i - 1]!) !== 0);
}

function both(left: Constraints, right: Constraints): Constraints {
  const result = new Map(left);
  for (const [column, constraint] of right) {
    const other = result.get(column);
    result.set(column, other === undefined ? constraint : intersect(other, constraint));
  }
  return result;
}

function either(left: Constraints, right: Constraints): Constraints {
  const result = new Map<number, Constraint>();
  for (const [column, constraint] of left) {
    const other = right.get(column);
    if (other === undefined) continue;
    const { type } = constraint;
    const narrowed = constraint.narrowed === true || other.narrowed === true;
    if (constraint.kind === 'values' && other.kind === 'values') {
      result.set(column, {
        kind: 'values',
        type,
        narrowed,
        values: distinct([...constraint.values, ...other.values], type),
      });
      continue;
    }
    if (constraint.kind === 'values' && constraint.values.length === 0) result.set(column, other);
    else if (other.kind === 'values' && other.values.length === 0) result.set(column, constraint);
    else {
      const order = openOrder(type);
      const a = hull(constraint, type);
      const b = hull(other, type);
      const lower =
        a.lower === null || b.lower === null ? null : order(a.lower, b.lower) < 0 ? a.lower : b.lower;
      const upper =
        a.upper === null || b.upper === null ? null : order(a.upper, b.upper) > 0 ? a.upper : b.upper;
      if (lower !== null || upper !== null)
        result.set(column, { kind: 'range', type, narrowed, lower, upper });
    }
  }
  return result;
}

function intersect(a: Constraint, b: Constraint): Constraint {
  const order = openOrder(a.type);
  const narrowed = true;
  if (a.kind === 'values') {
    if (b.kind === 'values') return { ...a, narrowed, values: inBoth(a.values, b.values, order) };
    const passes = (value: SqlValue): boolean =>
      (b.lower === null || order(value, b.lower) >= 0) && (b.upper === null || order(value, b.upper) <= 0);
    return { ...a, narrowed, values: a.values.filter(passes) };
  }
  if (b.kind === 'values') return intersect(b, a);
  const lower =
    a.lower === null ? b.lower : b.lower === null || order(a.lower, b.lower) > 0 ? a.lower : b.lower;
  const upper =
    a.upper === null ? b.upper : b.upper === null || order(a.upper, b.upper) < 0 ? a.upper : b.upper;
  return { kind: 'range', type: a.type, narrowed, lower, upper };
}

/** The values that are in both of two sorted lists. */
function inBoth(
  a: readonly SqlValue[],
  b: readonly SqlValue[],
  order: (one: SqlValue, other: SqlValue) => number,
): readonly SqlValue[] {
  const common: SqlValue[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const difference = order(a[i]!, b[j]!);
    if (difference === 0) common.push(a[i]!);
    if (difference <= 0) i++;
    if (difference >= 0) j++;
  }
  return common;
}
