import type { Expression } from '../../../../src/sql/expressions/expression.ts';
import type {
  AggregateNode,
  FilterNode,
  JoinNode,
  OutputNode,
  PlanNode,
  ProjectNode,
  RepartitionNode,
  PlanSink,
  PlanSource,
} from '../../../../src/sql/plan/node.ts';
import { BIGINT, BOOLEAN, STRING, type SqlType } from '../../../../src/types/sql-type.ts';
import type { SqlValue } from '../../../../src/types/value.ts';
import type { SideFormat } from '../../../../src/sql/catalog/source.ts';
import type { WindowDefinition } from '../../../../src/sql/analyzer/analyzed-query.ts';

/** Small plans by hand: what the planner would build, without text. */

export const JSON_FORMAT: SideFormat = { name: 'JSON', wrapped: true, properties: [] };
export const KAFKA_FORMAT: SideFormat = { name: 'KAFKA', wrapped: false, properties: [] };

const PSEUDO = [
  { name: 'ROWTIME', type: BIGINT, origin: { kind: 'rowtime' } },
  { name: 'ROWPARTITION', type: BIGINT, origin: { kind: 'rowpartition' } },
  { name: 'ROWOFFSET', type: BIGINT, origin: { kind: 'rowoffset' } },
] as const;

/** ID STRING KEY, A BIGINT, B BIGINT, C STRING at 0 to 3, then ROWTIME, ROWPARTITION, ROWOFFSET. */
export function source(overrides: Partial<PlanSource> = {}): PlanSource {
  const keyColumns = [{ name: 'ID', type: STRING }];
  const valueColumns = [
    { name: 'A', type: BIGINT },
    { name: 'B', type: BIGINT },
    { name: 'C', type: STRING },
  ];
  return {
    kind: 'source',
    source: 'S',
    alias: 'S',
    topic: 's',
    partitions: 2,
    columns: [
      ...keyColumns.map((column, index) => ({
        ...column,
        origin: { kind: 'key' as const, index },
        wanted: true,
        raw: false,
      })),
      ...valueColumns.map((column, index) => ({
        ...column,
        origin: { kind: 'value' as const, index },
        wanted: true,
        raw: false,
      })),
      ...PSEUDO.map((column) => ({ ...column, wanted: true, raw: false })),
    ],
    key: [0],
    window: null,
    changes: 'stream',
    keyFormat: KAFKA_FORMAT,
    valueFormat: JSON_FORMAT,
    keyColumns,
    valueColumns,
    timestamp: null,
    materialized: false,
    ...overrides,
  };
}

export function table(overrides: Partial<PlanSource> = {}): PlanSource {
  return source({ source: 'T', alias: 'T', topic: 't', changes: 'table', materialized: true, ...overrides });
}

export function column(index: number, type: SqlType = BIGINT): Expression {
  return { kind: 'column', type, index };
}

export function literal(value: SqlValue, type: SqlType = BIGINT): Expression {
  return { kind: 'literal', type, value };
}

export function above(left: Expression, right: Expression): Expression {
  return { kind: 'comparison', type: BOOLEAN, operator: '>', left, right };
}

export function and(left: Expression, right: Expression): Expression {
  return { kind: 'logical', type: BOOLEAN, operator: 'and', left, right };
}

export function plus(left: Expression, right: Expression): Expression {
  return { kind: 'arithmetic', type: BIGINT, operator: '+', left, right };
}

export function divide(left: Expression, right: Expression): Expression {
  return { kind: 'arithmetic', type: BIGINT, operator: '/', left, right };
}

export function call(name: string, args: readonly Expression[], type: SqlType = BIGINT): Expression {
  return { kind: 'call', type, name, signature: 0, args };
}

function shape(node: PlanNode): Pick<PlanNode, 'columns' | 'key' | 'window' | 'changes'> {
  const { columns, key, window, changes } = node;
  return { columns: columns.map(({ name, type }) => ({ name, type })), key, window, changes };
}

export function filter(
  input: PlanNode,
  predicate: Expression,
  clause: FilterNode['clause'] = 'where',
): FilterNode {
  return { kind: 'filter', ...shape(input), input, predicate, clause };
}

/** Items by name; the key is where the input's key columns are selected. */
export function project(input: PlanNode, items: Readonly<Record<string, Expression>>): ProjectNode {
  const expressions = Object.values(items);
  return {
    kind: 'project',
    ...shape(input),
    input,
    columns: Object.entries(items).map(([name, { type }]) => ({ name, type })),
    key: input.key.map((position) =>
      expressions.findIndex((each) => each.kind === 'column' && each.index === position),
    ),
    expressions,
  };
}

export function repartition(
  input: PlanNode,
  key: readonly number[],
  overrides: Partial<RepartitionNode> = {},
): RepartitionNode {
  return {
    kind: 'repartition',
    ...shape(input),
    input,
    key,
    name: 'Aggregate-GroupBy',
    keyFormat: KAFKA_FORMAT,
    nullKeys: 'drop',
    throughTopic: true,
    ...overrides,
  };
}

/** Groups by its input's key; `calls` are [name of column, function, arguments, type]. */
export function aggregate(
  input: PlanNode,
  calls: readonly (readonly [string, string, readonly Expression[], SqlType])[],
  windowing: WindowDefinition | null = null,
  overrides: Partial<AggregateNode> = {},
): AggregateNode {
  const groups = input.key.map((position) => input.columns[position]!);
  const columns = [
    ...groups.map(({ name, type }) => ({ name, type })),
    ...calls.map(([name, , , type]) => ({ name, type })),
    ...(windowing === null
      ? []
      : [
          { name: 'WINDOWSTART', type: BIGINT },
          { name: 'WINDOWEND', type: BIGINT },
        ]),
    { name: 'ROWTIME', type: BIGINT },
  ];
  const start = groups.length + calls.length;
  return {
    kind: 'aggregate',
    columns,
    key: groups.map((_, i) => i),
    window:
      windowing === null
        ? null
        : { kind: windowing.kind, sizeMs: windowing.sizeMs, startColumn: start, endColumn: start + 1 },
    changes: 'table',
    input,
    groupBy: input.key,
    calls: calls.map(([, name, args, type]) => ({ name, signature: 0, args, literals: [], type })),
    windowing,
    emit: 'changes',
    store: 'Aggregate',
    ...overrides,
  };
}

export function join(left: PlanNode, right: PlanNode, overrides: Partial<JoinNode> = {}): JoinNode {
  const prefixed = (prefix: string, node: PlanNode): JoinNode['columns'] =>
    node.columns.map(({ name, type }) => ({ name: `${prefix}_${name}`, type }));
  return {
    kind: 'join',
    columns: [...prefixed('L', left), ...prefixed('R', right)],
    key: left.key,
    window: null,
    changes: 'stream',
    shape: 'stream-table',
    join: 'left',
    left,
    right,
    within: null,
    foreignKey: null,
    name: 'Join',
    ...overrides,
  };
}

export function output(
  input: PlanNode,
  positions: readonly number[],
  limit: number | null = null,
): OutputNode {
  return {
    kind: 'output',
    ...shape(input),
    columns: positions.map((position) => input.columns[position]!).map(({ name, type }) => ({ name, type })),
    key: [],
    window: null,
    input,
    positions,
    limit,
  };
}

export function sink(
  input: PlanNode,
  valuePositions: readonly number[],
  overrides: Partial<PlanSink> = {},
): PlanSink {
  return {
    kind: 'sink',
    ...shape(input),
    columns: [...input.key, ...valuePositions]
      .map((position) => input.columns[position]!)
      .map(({ name, type }) => ({ name, type })),
    key: input.key.map((_, i) => i),
    window: null,
    input,
    sink: 'OUT',
    topic: 'out',
    keyFormat: KAFKA_FORMAT,
    valueFormat: JSON_FORMAT,
    keyPositions: input.key,
    valuePositions,
    timestamp: null,
    ...overrides,
  };
}
