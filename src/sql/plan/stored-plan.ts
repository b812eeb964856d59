import type { FunctionRegistry } from '../../functions/function.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { CaseBranch, Expression, ExpressionKind } from '../expressions/expression.ts';
import { fold } from '../expressions/walk.ts';
import type { PlanNode, PlanNodeOf, RowShape, TimestampColumn, ReadColumn } from './node.ts';
import type {
  AggregateCall,
  JoinKind,
  TableCall,
  WindowDefinition,
  WindowShape,
} from '../analyzer/analyzed-query.ts';
import type { ColumnOrigin } from '../catalog/source-row.ts';
import type { Column } from '../../types/schema.ts';
import type { SideFormat } from '../catalog/source.ts';
import * as f from './stored-fields.ts';

/**
 * Plans as JSON, in a form that later releases read: nodes, expressions, types and lists of columns are numbered in the
 * order in which they are needed, each once, however often it stands in the plans. So a chain of any length has no depth,
 * and a second plan of the same query costs what is different in it.
 *
 * What is written is a function of the plans alone. A field that a later release adds is optional and left out where it
 * has the value that it had before there was a choice; whatever else changes needs another `version`.
 */
export interface StoredPlans {
  readonly version: 1;
  readonly types: readonly f.Json[];
  readonly columns: readonly f.Json[];
  readonly expressions: readonly f.Json[];
  readonly nodes: readonly f.Json[];
  /** The number of each plan's topmost node. */
  readonly plans: readonly number[];
}

export function storePlans(plans: readonly PlanNode[], functions: FunctionRegistry): StoredPlans {
  const writer = new Writer(functions);
  const roots = plans.map((plan) => writer.node(plan));
  const { types, columns, expressions, nodes } = writer.pools;
  return {
    version: 1,
    types: types.entries,
    columns: columns.entries,
    expressions: expressions.entries,
    nodes: nodes.entries,
    plans: roots,
  };
}

/** Throws `DataError`, which says why, for anything that `storePlans` of this release or an earlier one does not give. */
export function loadPlans(stored: unknown, functions: FunctionRegistry): readonly PlanNode[] {
  if (!f.isObject(stored as f.Json)) throw f.wrong('it is no object');
  const { version, types, columns, expressions, nodes, plans } = stored as Readonly<Record<string, unknown>>;
  if (version !== 1) throw f.wrong(`it was written by another release (version ${JSON.stringify(version)})`);
  for (const pool of [types, columns, expressions, nodes, plans])
    if (!Array.isArray(pool)) throw f.wrong('a part of it is missing');
  const reader = new Reader(functions);
  for (const json of types as f.Json[]) reader.types.push(TYPE.read(json, reader, NOBODY));
  for (const json of columns as f.Json[]) reader.lists.push(COLUMNS.read(json, reader, NOBODY));
  for (const json of expressions as f.Json[]) reader.expressions.push(readExpression(json, reader));
  for (const json of nodes as f.Json[]) reader.nodes.push(f.readVariant<PlanNode>(json, NODES, reader));
  return (plans as f.Json[]).map((at) => reader.node(at));
}

const NOBODY: f.JsonObject = {};

/** Things that were written, each once. */
class Pool {
  readonly entries: f.Json[] = [];
  readonly #numbers = new Map<string, number>();

  add(json: f.Json): number {
    const text = JSON.stringify(json);
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.entries.length);
    return this.entries.push(json) - 1;
  }
}

class Writer implements f.PlanWriter {
  readonly functions: FunctionRegistry;
  readonly pools = { types: new Pool(), columns: new Pool(), expressions: new Pool(), nodes: new Pool() };
  readonly #expressions = new Map<Expression, number>();

  constructor(functions: FunctionRegistry) {
    this.functions = functions;
  }

  type(type: SqlType): number {
    return this.pools.types.add(TYPE.write(type, this, NOBODY)!);
  }

  columns(columns: readonly Column[]): number {
    return this.pools.columns.add(COLUMNS.write(columns, this, NOBODY)!);
  }

  /** Operands first: when a node is written, their numbers are known. */
  expression(expression: Expression): number {
    return fold<number>(
      expression,
      (each) => {
        const { guarded, type } = each;
        const json = {
          ...f.writeVariant(each, EXPRESSIONS, this),
          type: this.type(type),
          ...(guarded === undefined ? {} : { guarded }),
        };
        const at = this.pools.expressions.add(json);
        this.#expressions.set(each, at);
        return at;
      },
      (each) => this.#expressions.get(each),
    );
  }

  node(node: PlanNode): number {
    return this.pools.nodes.add(f.writeVariant(node, NODES, this));
  }
}

class Reader implements f.PlanReader {
  readonly functions: FunctionRegistry;
  readonly types: SqlType[] = [];
  readonly lists: (readonly Column[])[] = [];
  readonly expressions: Expression[] = [];
  readonly nodes: PlanNode[] = [];

  constructor(functions: FunctionRegistry) {
    this.functions = functions;
  }

  type(at: f.Json): SqlType {
    return taken(this.types, at);
  }

  columns(at: f.Json): readonly Column[] {
    return taken(this.lists, at);
  }

  expression(at: f.Json): Expression {
    return taken(this.expressions, at);
  }

  node(at: f.Json): PlanNode {
    return taken(this.nodes, at);
  }
}

function taken<T>(from: readonly T[], at: f.Json): T {
  const found = typeof at === 'number' ? from[at] : undefined;
  if (found === undefined) throw f.wrong(`nothing has the number ${JSON.stringify(at)}`);
  return found;
}

const TYPE: f.Field<SqlType> = f.union<SqlType>({
  boolean: {},
  integer: {},
  bigint: {},
  double: {},
  string: {},
  bytes: {},
  date: {},
  time: {},
  timestamp: {},
  decimal: { precision: f.whole, scale: f.whole },
  array: { element: f.type },
  map: { key: f.type, value: f.type },
  struct: { fields: f.list(f.record({ name: f.text, type: f.type })) },
});

const COLUMN = f.record<Column>({ name: f.text, type: f.type });
const COLUMNS = f.list(COLUMN);

type ExpressionOf<K extends ExpressionKind['kind']> = Extract<ExpressionKind, { kind: K }>;

const EXPRESSIONS: {
  readonly [K in ExpressionKind['kind']]: f.Fields<Omit<ExpressionOf<K>, 'kind'>>;
} = {
  column: { index: f.whole },
  literal: { value: f.value },
  arithmetic: { operator: f.oneOf('+', '-', '*', '/', '%'), left: f.expression, right: f.expression },
  negate: { operand: f.expression },
  comparison: {
    operator: f.oneOf('=', '<>', '<', '<=', '>', '>=', 'is-distinct', 'is-not-distinct'),
    left: f.expression,
    right: f.expression,
  },
  logical: { operator: f.oneOf('and', 'or'), left: f.expression, right: f.expression },
  not: { operand: f.expression },
  'is-null': { operand: f.expression, negated: f.flag },
  in: { operand: f.expression, items: f.list(f.expression), negated: f.flag },
  like: {
    operand: f.expression,
    pattern: f.expression,
    escape: f.nullable(f.text),
    negated: f.flag,
  },
  case: {
    branches: f.list(f.record<CaseBranch>({ when: f.expression, result: f.expression })),
    otherwise: f.nullable(f.expression),
  },
  cast: { operand: f.expression },
  call: { name: f.text, signature: f.signature, args: f.list(f.expression) },
  subscript: { operand: f.expression, index: f.expression },
  field: { operand: f.expression, index: f.whole },
  array: { items: f.list(f.expression) },
  map: { entries: f.list(f.record({ key: f.expression, value: f.expression })) },
  struct: { fields: f.list(f.expression) },
  lambda: { parameters: f.list(f.whole), body: f.expression },
  let: { parameter: f.whole, value: f.expression, body: f.expression },
  parameter: { id: f.whole },
};

function readExpression(json: f.Json, reader: Reader): Expression {
  if (!f.isObject(json)) throw f.wrong('an expression is no object');
  const { type, guarded, ...own } = json;
  if (guarded !== undefined && typeof guarded !== 'boolean') throw f.wrong('an expression is guarded or not');
  return {
    ...f.readVariant<ExpressionKind>(own, EXPRESSIONS, reader),
    type: reader.type(type ?? null),
    ...(guarded === undefined ? {} : { guarded }),
  };
}

const WINDOW_KIND = f.oneOf('tumbling', 'hopping', 'session');
const JOIN_KIND: f.Field<JoinKind> = f.oneOf('inner', 'left', 'right', 'outer');

const FORMAT = f.record<SideFormat>({
  name: f.text,
  wrapped: f.flag,
  properties: f.list(f.pair(f.text, f.text)),
});

const TIMESTAMP = f.nullable(
  f.record<TimestampColumn>({
    column: f.whole,
    format: f.nullable(f.text),
  }),
);

const SHAPE: f.Fields<RowShape> = {
  columns: f.columns,
  key: f.list(f.whole),
  window: f.nullable(
    f.record<WindowShape>({
      kind: WINDOW_KIND,
      sizeMs: f.nullable(f.whole),
      startColumn: f.whole,
      endColumn: f.whole,
    }),
  ),
  changes: f.oneOf('stream', 'table'),
};

const SOURCE_COLUMN = f.record<ReadColumn>({
  name: f.text,
  type: f.type,
  origin: f.union<ColumnOrigin>({
    key: { index: f.whole },
    value: { index: f.whole },
    header: { headerKey: f.nullable(f.text) },
    rowtime: {},
    rowpartition: {},
    rowoffset: {},
    windowstart: {},
    windowend: {},
  }),
  wanted: f.flag,
  raw: f.flag,
});

const WITHIN = f.nullable(
  f.record<NonNullable<PlanNodeOf<'join'>['within']>>({
    beforeMs: f.whole,
    afterMs: f.whole,
    graceMs: f.nullable(f.whole),
  }),
);

/** The only value that a field has, where it is there. */
const TRUE: f.Field<true> = {
  write: () => true,
  read(json) {
    if (json !== true) throw f.wrong('true was expected');
    return true;
  },
};

const NODES: { readonly [K in PlanNode['kind']]: f.Fields<Omit<PlanNodeOf<K>, 'kind'>> } = {
  source: {
    source: f.text,
    alias: f.text,
    topic: f.text,
    partitions: f.whole,
    keyFormat: FORMAT,
    valueFormat: FORMAT,
    keyColumns: f.columns,
    valueColumns: f.columns,
    timestamp: TIMESTAMP,
    materialized: f.flag,
    kept: f.optional(f.list(f.list(f.whole))),
    ...SHAPE,
    columns: f.list(SOURCE_COLUMN),
  },
  filter: {
    input: f.node,
    predicate: f.expression,
    clause: f.oneOf('where', 'having'),
    passesNull: f.optional(TRUE),
    ...SHAPE,
  },
  project: { input: f.node, expressions: f.list(f.expression), ...SHAPE },
  'flat-map': {
    input: f.node,
    functions: f.list(
      f.record<TableCall>({ name: f.text, signature: f.signature, args: f.list(f.expression), type: f.type }),
    ),
    ...SHAPE,
  },
  repartition: {
    input: f.node,
    name: f.text,
    keyFormat: FORMAT,
    nullKeys: f.oneOf('drop', 'keep'),
    throughTopic: f.flag,
    ...SHAPE,
  },
  aggregate: {
    input: f.node,
    groupBy: f.list(f.whole),
    calls: f.list(
      f.record<AggregateCall>({
        name: f.text,
        signature: f.signature,
        args: f.list(f.expression),
        literals: f.list(f.value),
        type: f.type,
      }),
    ),
    windowing: f.nullable(
      f.record<WindowDefinition>({
        kind: WINDOW_KIND,
        sizeMs: f.whole,
        advanceMs: f.whole,
        graceMs: f.whole,
        retentionMs: f.whole,
      }),
    ),
    emit: f.oneOf('changes', 'final'),
    store: f.text,
    ...SHAPE,
  },
  join: {
    shape: f.oneOf('stream-table', 'stream-stream', 'table-table', 'foreign-key'),
    join: JOIN_KIND,
    narrowedFrom: f.optional(JOIN_KIND),
    left: f.node,
    right: f.node,
    within: WITHIN,
    foreignKey: f.nullable(f.expression),
    name: f.text,
    ...SHAPE,
  },
  sink: {
    input: f.node,
    sink: f.text,
    topic: f.text,
    keyFormat: FORMAT,
    valueFormat: FORMAT,
    keyPositions: f.list(f.whole),
    valuePositions: f.list(f.whole),
    timestamp: TIMESTAMP,
    ...SHAPE,
  },
  output: { input: f.node, positions: f.list(f.whole), limit: f.nullable(f.whole), ...SHAPE },
};
