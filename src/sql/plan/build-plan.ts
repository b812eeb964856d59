import { must } from '../../common/assert.ts';
import { SqlError } from '../../common/error.ts';
import { formatOf, NO_KEY_FORMAT, UNIVERSAL_FORMAT } from '../../formats/registry.ts';
import { settingsOf } from '../catalog/format-settings.ts';
import type { AnalyzedPersistentQuery } from '../analyzer/analyze-persistent.ts';
import {
  type AnalyzedQuery,
  type AnalyzedRelation,
  itemsOfKey,
  type JoinRelation,
  sourcesOf,
  type WindowShape,
} from '../analyzer/analyzed-query.ts';
import type { Expression } from '../expressions/expression.ts';
import { BIGINT } from '../../types/sql-type.ts';
import type {
  AggregateNode,
  FlatMapNode,
  JoinNode,
  OutputNode,
  PlanNode,
  ProjectNode,
  RepartitionNode,
  PlanSink,
  PlanSource,
} from './node.ts';
import { equalBytesFormats, keyFormatOf } from './key-format.ts';
import { wantColumns } from './column-reads.ts';
import { extend, filter, project, repartition, shapeOf } from './make.ts';
import type { Column } from '../../types/schema.ts';
import type { SideFormat } from '../catalog/source.ts';

/**
 * The logical plan as the query was written: filters where WHERE stands, a repartition wherever a key is made. What is
 * needless in it is the optimizer's to find, but for one thing: sources decode the columns that the query reads. Which
 * records can be read follows from that, so it must not depend on rules.
 */

/** The plan of CREATE … AS or INSERT INTO … SELECT. */
export function buildPersistentPlan(analyzed: AnalyzedPersistentQuery): PlanSink {
  const { query, sink, keyItems, valueItems } = analyzed;
  const { input, project } = buildQuery(query);
  const node = project(input);
  const { timestamp } = sink;
  return wantRead({
    kind: 'sink',
    input: node,
    sink: sink.name,
    topic: sink.topic,
    keyFormat: sink.keyFormat,
    valueFormat: sink.valueFormat,
    keyPositions: keyItems,
    valuePositions: valueItems,
    timestamp:
      timestamp === null
        ? null
        : { column: positionOfSink(analyzed, timestamp.column), format: timestamp.format },
    ...shapeOf(node),
  });
}

function wantRead<T extends PlanSink | OutputNode>(node: T): T {
  return wantColumns(node, () => true) as T;
}

/** Where the select column of a sink's column is in the projection. */
function positionOfSink(analyzed: AnalyzedPersistentQuery, column: string): number {
  const { key, value } = analyzed.sink.schema;
  const at = key.findIndex((each) => each.name === column);
  return at >= 0
    ? must(analyzed.keyItems[at])
    : must(analyzed.valueItems[value.findIndex((each) => each.name === column)]);
}

/** The plan of SELECT … EMIT: what the user selected, in order, stands first in the output's row. */
export function buildPushPlan(query: AnalyzedQuery): OutputNode {
  const { input, project } = buildQuery(query);
  const node = project(input);
  return wantRead({
    kind: 'output',
    input: node,
    positions: query.select.map((_, i) => i),
    limit: query.limit,
    ...shapeOf(node),
  });
}

interface Built {
  /** The row that SELECT is over. */
  readonly input: PlanNode;
  readonly project: (input: PlanNode) => ProjectNode;
}

function buildQuery(query: AnalyzedQuery): Built {
  const [first] = sourcesOf(query.from);
  const sourceFormat = first!.source.keyFormat;
  let node = buildRelation(query.from, 'Join');
  if (query.where !== null) node = filter(node, query.where, 'where');
  if (query.tableCalls.length > 0) {
    const columns = query.tableCalls.map(({ type }, i): Column => ({ name: `KSQL_SYNTH_${i}`, type }));
    const flatMap: FlatMapNode = {
      kind: 'flat-map',
      input: node,
      functions: query.tableCalls,
      ...shapeOf(node),
      columns: [...node.columns, ...columns],
    };
    node = flatMap;
  }
  if (query.partitionBy !== null) {
    const { expressions, names } = query.partitionBy;
    const { extended, positions } = withColumns(node, expressions, names);
    node = repartition(
      extended,
      positions,
      'PartitionBy',
      internalKeyFormat(sourceFormat, extended, positions),
      'keep',
    );
  }
  if (query.grouping !== null) {
    const { expressions, names, calls, windowing } = query.grouping;
    const { extended, positions } = withColumns(node, expressions, names);
    const keyFormat = internalKeyFormat(sourceFormat, extended, positions);
    const input = repartition(extended, positions, 'Aggregate-GroupBy', keyFormat, 'drop');
    const bounds: Column[] =
      windowing === null
        ? []
        : [
            { name: 'WINDOWSTART', type: BIGINT },
            { name: 'WINDOWEND', type: BIGINT },
          ];
    const aggregate: AggregateNode = {
      kind: 'aggregate',
      input,
      groupBy: positions,
      calls,
      windowing,
      emit: query.emit === 'final' ? 'final' : 'changes',
      store: 'Aggregate-Aggregate-Materialize',
      columns: [
        ...expressions.map((expression, i): Column => ({ name: names[i]!, type: expression.type })),
        ...calls.map(({ type }, i): Column => ({ name: `KSQL_AGG_VARIABLE_${i}`, type })),
        ...bounds,
        { name: 'ROWTIME', type: BIGINT },
      ],
      key: expressions.map((_, i) => i),
      window: query.window,
      changes: 'table',
    };
    node = aggregate;
  }
  if (query.having !== null) node = filter(node, query.having, 'having');
  return { input: node, project: (input) => projectSelect(input, query) };
}

/** The selected columns, and behind them, unseen, the parts of the record key that were not selected. */
function projectSelect(input: PlanNode, query: AnalyzedQuery): ProjectNode {
  const names = query.select.map((column) => column.name);
  // A key is taken from where its value always is: a join's other side may be absent.
  const keyPositions = query.key.map((key) => itemsOfKey(key, query.select)[0]?.[0] ?? -1);
  const expressions = query.select.map(({ expression }, item): Expression => {
    const key = query.key[keyPositions.indexOf(item)];
    return key === undefined ? expression : { kind: 'column', type: key.type, index: key.position };
  });
  const add = (type: Column['type'], index: number): number => {
    names.push(input.columns[index]!.name);
    return expressions.push({ kind: 'column', type, index }) - 1;
  };
  query.key.forEach((key, k) => {
    if (keyPositions[k] === -1) keyPositions[k] = add(key.type, key.position);
  });
  let window: WindowShape | null = null;
  if (query.window !== null) {
    const placeBound = (column: number): number => {
      const at = expressions.findIndex(
        (expression) => expression.kind === 'column' && expression.index === column,
      );
      return at >= 0 ? at : add(BIGINT, column);
    };
    const { kind, sizeMs } = query.window;
    const startColumn = placeBound(query.window.startColumn);
    window = { kind, sizeMs, startColumn, endColumn: placeBound(query.window.endColumn) };
  }
  return project(input, expressions, names, keyPositions, window);
}

/** The node with a column for each expression that is none, and where all of them then are. */
function withColumns(
  node: PlanNode,
  expressions: readonly Expression[],
  names: readonly string[],
): { extended: PlanNode; positions: readonly number[] } {
  // Every expression gets a place, also one that is a column, so that positions do not depend on the others.
  const isComputed = expressions.some((expression) => expression.kind !== 'column');
  const width = node.columns.length;
  const positions = expressions.map((expression, i) =>
    expression.kind === 'column' ? expression.index : width + i,
  );
  return { extended: isComputed ? extend(node, expressions, names) : node, positions };
}

function buildRelation(relation: AnalyzedRelation, joinName: string): PlanNode {
  if (relation.kind === 'join') return buildJoin(relation, joinName);
  const { source, alias, row, window, type } = relation;
  const { timestamp } = source;
  const node: PlanSource = {
    kind: 'source',
    source: source.name,
    alias,
    topic: source.topic,
    partitions: source.partitions,
    keyFormat: source.keyFormat,
    valueFormat: source.valueFormat,
    keyColumns: source.schema.key,
    valueColumns: source.schema.value,
    timestamp:
      timestamp === null
        ? null
        : { column: row.findIndex((column) => column.name === timestamp.column), format: timestamp.format },
    materialized: type === 'table',
    columns: row.map((column) => ({ ...column, wanted: true, raw: false })),
    key: source.schema.key.map((_, position) => position),
    window,
    changes: type,
  };
  return node;
}

/** `name` is that of the node, and of its topics: `Join`, below it `L_Join`, … */
function buildJoin(relation: JoinRelation, name: string): PlanNode {
  const { shape, join, within, leftKey, rightKey, outerKey } = relation;
  const left = joinSide(buildRelation(relation.left, `L_${name}`), relation.left, leftKey);
  const right = joinSide(buildRelation(relation.right, name), relation.right, rightKey);
  const isForeign = shape === 'foreign-key';
  const keyFormat = joinKeyFormat(left, right, shape);
  const nullKeys = join === 'inner' ? 'drop' : 'keep';
  const topicOf = (side: JoinSide, word: 'Left' | 'Right'): string => {
    if (side.node.changes === 'table') return `${name.replace('Join', word)}SourceKeyed-SelectKey`;
    return shape === 'stream-table' ? name : `${name}-${word.toLowerCase()}`;
  };
  const leftNode = isForeign ? left.node : moveSide(left, topicOf(left, 'Left'), keyFormat, nullKeys);
  const rightNode = moveSide(right, topicOf(right, 'Right'), keyFormat, nullKeys);

  const columns: Column[] = [...leftNode.columns, ...rightNode.columns].map(({ name, type }) => ({
    name,
    type,
  }));
  // Names only serve readers of plans: where both sides have one, its source stands before it.
  const named = columns.map((column, i): Column => {
    const source = relation.columns[i]?.source ?? null;
    return source === null ? column : { name: `${source}_${relation.columns[i]!.name}`, type: column.type };
  });
  const node: JoinNode = {
    kind: 'join',
    shape,
    join,
    left: leftNode,
    right: rightNode,
    within,
    foreignKey: isForeign ? { kind: 'column', type: leftKey.type, index: left.position } : null,
    name,
    columns: named,
    key: isForeign
      ? leftNode.key
      : [join === 'right' ? leftNode.columns.length + right.position : left.position],
    window: relation.window,
    changes: relation.type,
  };
  if (outerKey === null) return node;
  const extended = extend(node, [outerKey], [relation.columns.at(-1)!.name]) as ProjectNode;
  return { ...extended, key: [node.columns.length] };
}

interface JoinSide {
  readonly node: PlanNode;
  /** The position of the column that it is joined on. */
  readonly position: number;
  /** Whether that column is the record key already. */
  readonly isKey: boolean;
  readonly format: SideFormat;
}

function joinSide(input: PlanNode, relation: AnalyzedRelation, key: Expression): JoinSide {
  const format = keyFormatOf(input);
  if (key.kind !== 'column')
    return {
      node: extend(input, [key], ['KSQL_JOIN_KEY']),
      position: input.columns.length,
      isKey: false,
      format,
    };
  const [only] = relation.key;
  const isKey = relation.key.length === 1 && only!.aliases.includes(key.index);
  // The two sides of an earlier join are one key, wherever it stands.
  return { node: input, position: isKey ? input.key[0]! : key.index, isKey, format };
}

/**
 * The format of keys where both sides meet: that of the side that is keyed already and so stays where it is, the left one if
 * both are. In a foreign-key join the right table always stays.
 */
function joinKeyFormat(left: JoinSide, right: JoinSide, shape: JoinNode['shape']): SideFormat {
  const rightStays = shape === 'foreign-key' || (right.isKey && !left.isKey);
  const [stays, moves] = rightStays ? [right, left] : [left, right];
  if (stays.isKey && !formatOf(stays.format.name).registered) return stays.format;
  return internalKeyFormat(stays.format, moves.node, [moves.position]);
}

/** A stream under the key it is joined on; a table only where its key is written in another way. */
function moveSide(
  side: JoinSide,
  name: string,
  keyFormat: SideFormat,
  nullKeys: RepartitionNode['nullKeys'],
): PlanNode {
  const { node, position, format } = side;
  if (node.window !== null) return node;
  if (node.changes === 'stream') return repartition(node, [position], name, keyFormat, nullKeys);
  if (equalBytesFormats(format, keyFormat)) return node;
  // The moved table is the one that is looked up.
  const input = node.kind === 'source' ? { ...node, materialized: false } : node;
  return repartition(input, node.key, name, keyFormat, 'drop');
}

/**
 * The key format of a topic of the query's own: the source's when it can hold the columns. Formats with registered
 * schemas are not used: equal keys must be equal bytes.
 */
function internalKeyFormat(format: SideFormat, node: PlanNode, positions: readonly number[]): SideFormat {
  const columns = positions.map((position) => node.columns[position]!);
  const wrapped = columns.length > 1;
  if (columns.length === 0) return { name: NO_KEY_FORMAT, wrapped: false, properties: [] };
  const universal = { name: UNIVERSAL_FORMAT, wrapped, properties: [] };
  if (formatOf(format.name).registered) return universal;
  const own = { ...format, wrapped };
  try {
    formatOf(own.name).validate(columns, settingsOf(own, true));
    return own;
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return universal;
  }
}
