import { SqlError, type Span } from '../../common/error.ts';
import { openCast } from '../../types/cast.ts';
import { openComparison } from '../../types/compare-values.ts';
import { isNumeric } from '../../types/implicit-cast.ts';
import { printIdentifier, printType } from '../../types/print-type.ts';
import { printValue } from '../../types/print-value.ts';
import { BIGINT, type SqlType } from '../../types/sql-type.ts';
import { parseTimestamp } from '../../types/temporal.ts';
import type { SqlValue } from '../../types/value.ts';
import type { CatalogSource } from '../catalog/source.ts';
import { evaluateConstant } from '../expressions/compile.ts';
import type * as ast from '../parser/ast.ts';
import type { AnalyzeContext } from './analyze-context.ts';
import { analyzeExpression } from './analyze-expression.ts';
import { cast } from './cast-expression.ts';
import { findSource } from './find-source.ts';
import { attempt, literalValue } from './literal.ts';
import { Scope } from './scope.ts';
import { suggest } from './suggest.ts';

/** One record to be written. */
export interface AnalyzedInsert {
  readonly source: CatalogSource;
  /** Values of the source's key and value columns, in its order. */
  readonly key: readonly SqlValue[];
  readonly value: readonly SqlValue[];
  /** ROWTIME; null: now. */
  readonly timestampMs: number | null;
}

const NO_COLUMNS = new Scope([]);

/** INSERT INTO … VALUES: columns paired with values, each evaluated and brought to its column's type. */
export function analyzeInsertValues(statement: ast.InsertValues, context: AnalyzeContext): AnalyzedInsert {
  const { target, targetSpan: span } = statement;
  const name = printIdentifier(target);
  const source = findSource(target, span, context);
  if (source.sourceOnly)
    throw new SqlError('ML_UNSUPPORTED', `${name} is read-only`, {
      span,
      hint: 'it was created as a SOURCE',
    });
  if (source.window !== null)
    throw new SqlError('ML_UNSUPPORTED', `${name} is windowed and cannot be inserted into`, { span });
  if (source.schema.headers.length > 0)
    throw new SqlError('ML_UNSUPPORTED', `${name} has columns of headers, which cannot be written`, { span });

  const { key, value } = source.schema;
  const all = [...key, ...value];
  const columns = columnsOfValues(statement, all, span);
  const given = new Map<string, SqlValue>();
  columns.forEach((column, i) => {
    const type = column.name === 'ROWTIME' ? BIGINT : all.find((each) => each.name === column.name)?.type;
    if (type === undefined)
      throw new SqlError(
        'ML_NAME_UNKNOWN',
        `${name} has no column ${printIdentifier(column.name)} that can be inserted`,
        {
          span: column.span,
          hint: suggest(
            column.name,
            all.map((each) => each.name),
            `its columns are ${all.map((each) => printIdentifier(each.name)).join(', ')}`,
          ),
        },
      );
    if (given.has(column.name))
      throw new SqlError('ML_DATA', `column ${printIdentifier(column.name)} is given twice`, {
        span: column.span,
      });
    given.set(column.name, insertedConstant(statement.values[i]!, type, column.name, context, true));
  });
  if (source.type === 'table')
    for (const column of key)
      if ((given.get(column.name) ?? null) === null)
        throw new SqlError(
          'ML_DATA',
          `the primary key ${printIdentifier(column.name)} of ${name} is not given`,
          {
            span,
            hint: 'every row of a table needs its key',
          },
        );
  const rowtime = given.get('ROWTIME') ?? null;
  if (rowtime !== null && (typeof rowtime !== 'number' || rowtime < 0))
    throw new SqlError('ML_DATA', 'ROWTIME must be milliseconds since 1970, zero or more', { span });
  const valueOf = ({ name: column }: { name: string }): SqlValue => given.get(column) ?? null;
  return { source, key: key.map(valueOf), value: value.map(valueOf), timestampMs: rowtime as number | null };
}

/**
 * The columns that a statement gives values for, in order: those it names, or else `unnamed`, which then stand at `span`.
 * Throws `SqlError` unless there are as many values.
 */
export function columnsOfValues(
  statement: Pick<ast.InsertValues, 'columns' | 'values'>,
  unnamed: readonly { readonly name: string }[],
  span: Span,
): readonly ast.Identifier[] {
  const columns =
    statement.columns.length === 0 ? unnamed.map(({ name }) => ({ name, span })) : statement.columns;
  if (columns.length !== statement.values.length)
    throw new SqlError(
      'ML_DATA',
      `${columns.length} columns and ${statement.values.length} values are given`,
      {
        span: statement.values[0]?.span ?? span,
        hint: `the columns are ${columns.map((column) => printIdentifier(column.name)).join(', ')}`,
      },
    );
  return columns;
}

/**
 * The value of an expression without columns, in a column's type. Literals bend to it as far as a CAST would. `drops`:
 * fields of a STRUCT that the column lacks are left out, as ksqlDB does, unless it lacks all of them.
 */
export function insertedConstant(
  node: ast.Expression,
  type: SqlType,
  column: string,
  context: AnalyzeContext,
  drops = false,
): SqlValue {
  if (node.kind === 'null') return null;
  // A time may be written as text.
  if (column === 'ROWTIME' && node.kind === 'string')
    return attempt(() => parseTimestamp(node.value), node.span);
  const expression = analyzeExpression(node, { ...context, scope: NO_COLUMNS, clause: 'VALUES' });
  if (!fits(expression.type, type, literalValue(node) !== undefined, drops))
    throw new SqlError(
      'ML_TYPE',
      `column ${printIdentifier(column)} is ${printType(type)}, and this is ${printType(expression.type)}`,
      { span: node.span, hint: howToWrite(type) },
    );
  const value = attempt(
    () => evaluateConstant(cast(expression, type), context.functions, context.evaluation),
    node.span,
  );
  if (isNarrowing(expression.type, type) && value !== null) {
    const given = evaluateConstant(expression, context.functions, context.evaluation);
    if (openComparison(expression.type, type)!(given, value) !== 0)
      throw new SqlError(
        'ML_DATA',
        `column ${printIdentifier(column)} is ${printType(type)}, which cannot hold ${printValue(expression.type, given)}`,
        { span: node.span, hint: `CAST(… AS ${printType(type)})` },
      );
  }
  return value;
}

const WIDTHS: readonly SqlType['kind'][] = ['integer', 'bigint', 'decimal', 'double'];

/** From one number to a narrower one, which may not hold it. */
function isNarrowing(from: SqlType, to: SqlType): boolean {
  return isNumeric(from) && isNumeric(to) && WIDTHS.indexOf(from.kind) > WIDTHS.indexOf(to.kind);
}

/** A literal number may become a narrower one, if that holds it. */
function fits(from: SqlType, to: SqlType, isLiteral: boolean, drops: boolean): boolean {
  if (openCast(from, to) === null) return false;
  if (from.kind === to.kind && !['array', 'map', 'struct'].includes(to.kind)) return true;
  if (isNumeric(from) && isNumeric(to)) return isLiteral || !isNarrowing(from, to);
  switch (to.kind) {
    case 'date':
    case 'time':
    case 'timestamp':
    case 'bytes':
    case 'decimal':
      return from.kind === 'string';
    case 'array':
      return from.kind === 'array' && fits(from.element, to.element, isLiteral, drops);
    case 'map':
      return (
        from.kind === 'map' &&
        fits(from.key, to.key, isLiteral, drops) &&
        fits(from.value, to.value, isLiteral, drops)
      );
    case 'struct':
      return (
        from.kind === 'struct' &&
        from.fields.every((field) => {
          const target = to.fields.find((other) => other.name === field.name);
          return target === undefined ? drops : fits(field.type, target.type, isLiteral, drops);
        }) &&
        (from.fields.length === 0 ||
          from.fields.some(({ name }) => to.fields.some((each) => each.name === name)))
      );
    default:
      return false;
  }
}

function howToWrite(type: SqlType): string {
  switch (type.kind) {
    case 'array':
      return 'write ARRAY[value, …]';
    case 'map':
      return "write MAP('key' := value, …)";
    case 'struct':
      return 'write STRUCT(name := value, …)';
    default:
      return `CAST(… AS ${printType(type)})`;
  }
}
