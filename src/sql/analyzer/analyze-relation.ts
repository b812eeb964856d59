import { SqlError, type Span } from '../../common/error.ts';
import { formatOf } from '../../formats/registry.ts';
import { equalTypes } from '../../types/equal-types.ts';
import { printIdentifier, printType } from '../../types/print-type.ts';
import { BOOLEAN } from '../../types/sql-type.ts';
import type { CatalogSource } from '../catalog/source.ts';
import type { Expression } from '../expressions/expression.ts';
import { columnsOf, equalExpressions, mapColumns } from '../expressions/walk.ts';
import type * as ast from '../parser/ast.ts';
import type { AnalyzeContext } from './analyze-context.ts';
import { analyzeExpression } from './analyze-expression.ts';
import {
  type AnalyzedRelation,
  type JoinRelation,
  type KeyColumn,
  type RelationColumn,
  type SourceRelation,
  sourcesOf,
  type WindowShape,
} from './analyzed-query.ts';
import { findSource } from './find-source.ts';
import { Scope } from './scope.ts';
import { rowOfSource } from '../catalog/source-row.ts';

/** FROM: sources looked up, joins checked (kinds, ON, WITHIN, partitions). Throws `SqlError`. */
export function analyzeRelation(relation: ast.Relation, context: AnalyzeContext): AnalyzedRelation {
  return relation.kind === 'source'
    ? analyzeSourceRelation(relation, context)
    : analyzeJoin(relation, context);
}

/** The names that expressions over the relation's row may use. */
export function scopeOf(relation: AnalyzedRelation, resultNames?: ReadonlySet<string>): Scope {
  return new Scope(
    relation.columns.map((column, index) => ({ ...column, index })),
    resultNames,
  );
}

function analyzeSourceRelation(relation: ast.SourceRelation, context: AnalyzeContext): SourceRelation {
  const source = findSource(relation.name, relation.nameSpan, context);
  const row = rowOfSource(source);
  const alias = relation.alias?.name ?? relation.name;
  const startColumn = row.findIndex((column) => column.origin.kind === 'windowstart');
  return {
    kind: 'source',
    alias,
    source,
    row,
    columns: row.map(({ name, type }) => ({ source: alias, name, type })),
    key: source.schema.key.map(({ name, type }, position) => ({ position, aliases: [position], name, type })),
    window: source.window === null ? null : { ...source.window, startColumn, endColumn: startColumn + 1 },
    type: source.type,
  };
}

function analyzeJoin(node: ast.JoinRelation, context: AnalyzeContext): JoinRelation {
  const left = analyzeRelation(node.left, context);
  const right = analyzeSourceRelation(node.right, context);
  const join = node.joinType === 'full' ? 'outer' : node.joinType;
  for (const other of sourcesOf(left)) {
    if (other.source.name === right.source.name)
      throw new SqlError(
        'ML_UNSUPPORTED',
        `${printIdentifier(right.source.name)} cannot be joined with itself`,
        {
          span: node.right.span,
          hint: 'make a copy with CREATE … AS SELECT * and join that',
        },
      );
    if (other.alias === right.alias)
      throw new SqlError('ML_NAME_TAKEN', `${printIdentifier(right.alias)} names two sources in FROM`, {
        span: node.right.span,
        hint: 'give one of them another alias',
      });
  }
  checkKinds(node, left, right);
  const { leftKey, rightKey } = analyzeOn(node, left, right, context);

  const shape = joinShape(node, left, right, leftKey, rightKey);
  if (shape !== 'foreign-key' && context.replayed !== true) checkPartitions(node, left, right);
  checkWindowedKeys(node, left, right, leftKey, rightKey);
  // The key of an earlier join that is no column of a source ends here: this join has its own.
  const leftColumns = withKeyColumn(
    left.columns.map((column) => (column.source === null ? { ...column, name: '' } : column)),
    leftKey,
  );
  const rightColumns = withKeyColumn(right.columns, rightKey);
  const leftPosition = leftKey.kind === 'column' ? leftKey.index : left.columns.length;
  const rightPosition =
    leftColumns.length + (rightKey.kind === 'column' ? rightKey.index : right.columns.length);
  const columns: RelationColumn[] = [...leftColumns, ...rightColumns];

  let outerKey: Expression | null = null;
  let key: readonly KeyColumn[];
  if (shape === 'foreign-key') {
    key = left.key;
  } else {
    const { type } = leftKey;
    const same = [leftPosition, ...aliasesOf(left.key, leftPosition), rightPosition];
    const plain = same.filter((position) => columns[position]!.source !== null);
    let position = join === 'right' ? rightPosition : leftPosition;
    const synthetic = join === 'outer' || plain.length === 0;
    if (synthetic) {
      const leftColumn: Expression = { kind: 'column', type, index: leftPosition };
      const rightColumn: Expression = { kind: 'column', type, index: rightPosition };
      outerKey =
        join === 'outer'
          ? {
              kind: 'case',
              type,
              branches: [
                {
                  when: { kind: 'is-null', type: BOOLEAN, operand: leftColumn, negated: true },
                  result: leftColumn,
                },
              ],
              otherwise: rightColumn,
            }
          : join === 'right'
            ? rightColumn
            : leftColumn;
      position = columns.length;
      columns.push({ source: null, name: syntheticName(columns), type });
    }
    key = [
      {
        position,
        aliases: join === 'outer' ? [position] : [...new Set([...same, position])],
        name: columns[synthetic ? position : plain[0]!]!.name,
        type,
      },
    ];
  }
  return {
    kind: 'join',
    shape,
    join,
    left,
    right,
    leftKey,
    rightKey,
    outerKey,
    within:
      node.within === null
        ? null
        : { beforeMs: node.within.beforeMs, afterMs: node.within.afterMs, graceMs: node.within.graceMs },
    columns,
    key,
    window: joinWindow(left),
    type: left.type === 'stream' ? 'stream' : 'table',
  };
}

/** As ksqlDB does: bare values have no row that a join or a group could make another of. */
export function refuseBareValues(source: CatalogSource, clause: string, span: Span): void {
  if (!formatOf(source.valueFormat.name).multiColumn)
    throw new SqlError(
      'ML_UNSUPPORTED',
      `${printIdentifier(source.name)} has VALUE_FORMAT ${source.valueFormat.name}, which does not go with ${clause}`,
      {
        span,
        hint: "make a copy: CREATE STREAM … WITH (VALUE_FORMAT='JSON') AS SELECT *",
      },
    );
}

function joinWindow(left: AnalyzedRelation): WindowShape | null {
  return left.window;
}

function aliasesOf(key: readonly KeyColumn[], position: number): readonly number[] {
  return key.find((column) => column.aliases.includes(position))?.aliases ?? [];
}

/** `ROWKEY`, then `ROWKEY_1`, … */
function syntheticName(columns: readonly RelationColumn[]): string {
  const taken = new Set(columns.map((column) => column.name));
  if (!taken.has('ROWKEY')) return 'ROWKEY';
  let n = 1;
  while (taken.has(`ROWKEY_${n}`)) n++;
  return `ROWKEY_${n}`;
}

/** A side's row with its key expression, unless that is a column of it. The column has no name users could write. */
function withKeyColumn(columns: readonly RelationColumn[], key: Expression): readonly RelationColumn[] {
  return key.kind === 'column' ? columns : [...columns, { source: null, name: '', type: key.type }];
}

function checkKinds(node: ast.JoinRelation, left: AnalyzedRelation, right: SourceRelation): void {
  for (const { source } of [...sourcesOf(left), right]) refuseBareValues(source, 'JOIN', node.span);
  if (left.type === 'table' && right.type === 'stream')
    throw new SqlError('ML_UNSUPPORTED', 'a table cannot be joined with a stream on its right', {
      span: node.span,
      hint: 'put the stream first: stream JOIN table',
    });
  if ((left.window === null) !== (right.window === null))
    throw new SqlError(
      'ML_UNSUPPORTED',
      'a windowed source can only be joined with another windowed source',
      {
        span: node.span,
      },
    );
  if (
    left.window !== null &&
    right.window !== null &&
    (left.window.kind === 'session') !== (right.window.kind === 'session')
  )
    throw new SqlError('ML_UNSUPPORTED', 'sessions can only be joined with sessions', { span: node.span });
  const streams = left.type === 'stream' && right.type === 'stream';
  if (streams && node.within === null)
    throw new SqlError('ML_SCHEMA', 'a join of two streams needs WITHIN', {
      span: node.span,
      hint: 'say how far apart matching rows may be: WITHIN 1 HOUR',
    });
  if (!streams && node.within !== null)
    throw new SqlError('ML_SCHEMA', 'WITHIN is only for joins of two streams', {
      span: node.within.span,
      hint: 'remove it',
    });
  if (
    left.type === 'stream' &&
    right.type === 'table' &&
    (node.joinType === 'right' || node.joinType === 'full')
  )
    throw new SqlError('ML_UNSUPPORTED', 'a stream and a table can be joined with JOIN and LEFT JOIN only', {
      span: node.span,
    });
}

/** The two sides of ON: `leftKey` over the left's row, `rightKey` over the right's. */
function analyzeOn(
  node: ast.JoinRelation,
  left: AnalyzedRelation,
  right: SourceRelation,
  context: AnalyzeContext,
): { leftKey: Expression; rightKey: Expression } {
  const { on } = node;
  if (on.kind !== 'comparison' || on.operator !== '=')
    throw new SqlError('ML_UNSUPPORTED', 'ON must be one equality', {
      span: on.span,
      hint: 'write ON left.column = right.column, and other conditions in WHERE',
    });
  const width = left.columns.length;
  const scope = new Scope([...left.columns, ...right.columns].map((column, index) => ({ ...column, index })));
  const sides = [on.left, on.right].map((side) => {
    const expression = analyzeExpression(side, { ...context, scope, clause: 'ON' });
    const columns = [...columnsOf(expression)];
    const isLeft = columns.every((index) => index < width);
    if (columns.length === 0 || (!isLeft && columns.some((index) => index < width)))
      throw new SqlError('ML_SCHEMA', 'each side of ON must use columns of exactly one source', {
        span: side.span,
      });
    return { isLeft, expression: isLeft ? expression : mapColumns(expression, (index) => index - width) };
  });
  const leftKey = sides.find((side) => side.isLeft)?.expression;
  const rightKey = sides.find((side) => !side.isLeft)?.expression;
  if (leftKey === undefined || rightKey === undefined)
    throw new SqlError(
      'ML_SCHEMA',
      `ON must compare ${printIdentifier(right.alias)} with what stands before it`,
      { span: on.span },
    );
  if (!equalTypes(leftKey.type, rightKey.type))
    throw new SqlError('ML_TYPE', `ON compares ${printType(leftKey.type)} with ${printType(rightKey.type)}`, {
      span: on.span,
      hint: 'CAST one side to the type of the other',
    });
  return { leftKey: knownKey(left, leftKey), rightKey };
}

/** The column of an earlier join that holds the same expression, if there is one. */
function knownKey(left: AnalyzedRelation, key: Expression): Expression {
  if (left.kind !== 'join' || key.kind === 'column') return key;
  const leftWidth = left.left.columns.length + (left.leftKey.kind === 'column' ? 0 : 1);
  if (left.leftKey.kind !== 'column' && equalExpressions(left.leftKey, key))
    return { kind: 'column', type: key.type, index: left.left.columns.length };
  const rightKey = mapColumns(left.rightKey, (index) => index + leftWidth);
  if (rightKey.kind !== 'column' && equalExpressions(rightKey, key))
    return { kind: 'column', type: key.type, index: leftWidth + left.right.columns.length };
  return key;
}

/** The records of a windowed source cannot be given another key, and only equal windows can meet. */
function checkWindowedKeys(
  node: ast.JoinRelation,
  left: AnalyzedRelation,
  right: SourceRelation,
  leftKey: Expression,
  rightKey: Expression,
): void {
  if (left.window === null || right.window === null) return;
  const isKey = (relation: AnalyzedRelation, key: Expression): boolean =>
    relation.key.length === 1 && key.kind === 'column' && relation.key[0]!.aliases.includes(key.index);
  if (!isKey(left, leftKey) || !isKey(right, rightKey))
    throw new SqlError('ML_UNSUPPORTED', 'windowed sources can only be joined on their keys', {
      span: node.on.span,
    });
  if (left.window.kind !== 'session' && left.window.sizeMs !== right.window.sizeMs)
    throw new SqlError(
      'ML_UNSUPPORTED',
      'windowed sources can only be joined when their windows have one size',
      {
        span: node.span,
      },
    );
}

function joinShape(
  node: ast.JoinRelation,
  left: AnalyzedRelation,
  right: SourceRelation,
  leftKey: Expression,
  rightKey: Expression,
): JoinRelation['shape'] {
  const isKey = (relation: AnalyzedRelation, key: Expression): boolean =>
    relation.key.length === 1 && key.kind === 'column' && relation.key[0]!.aliases.includes(key.index);
  if (right.type === 'stream') return 'stream-stream';
  if (!isKey(right, rightKey))
    throw new SqlError(
      'ML_SCHEMA',
      `table ${printIdentifier(right.alias)} can only be joined on its primary key`,
      {
        span: node.on.span,
        hint:
          right.key.length === 1
            ? `use ${printIdentifier(right.alias)}.${printIdentifier(right.key[0]!.name)} in ON`
            : 'a key of several columns cannot be joined on',
      },
    );
  if (left.type === 'stream') return 'stream-table';
  if (isKey(left, leftKey)) return 'table-table';
  if (node.joinType === 'right' || node.joinType === 'full')
    throw new SqlError('ML_UNSUPPORTED', 'a join on a foreign key is JOIN or LEFT JOIN', { span: node.span });
  if (left.kind === 'join')
    throw new SqlError('ML_UNSUPPORTED', 'a join on a foreign key must be the first join', {
      span: node.on.span,
    });
  return 'foreign-key';
}

function checkPartitions(node: ast.JoinRelation, left: AnalyzedRelation, right: SourceRelation): void {
  const first = sourcesOf(left)[0]!.source;
  if (first.partitions === right.source.partitions) return;
  throw new SqlError(
    'ML_TOPIC',
    `${printIdentifier(first.name)} has ${first.partitions} partitions and ${printIdentifier(right.source.name)} has ${right.source.partitions}, so equal keys do not meet`,
    { span: node.span, hint: 'make a copy of one with CREATE … WITH (PARTITIONS=…) AS SELECT and join that' },
  );
}
