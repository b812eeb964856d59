import { SqlError } from '../../common/error.ts';
import type { Bigint } from '../../types/bigint.ts';
import { Decimal } from '../../types/decimal.ts';
import { equalTypes } from '../../types/equal-types.ts';
import { printIdentifier, printType } from '../../types/print-type.ts';
import type { Column } from '../../types/schema.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { Expression } from '../expressions/expression.ts';
import type * as ast from '../parser/ast.ts';
import type { AnalyzeContext } from './analyze-context.ts';
import { type AnalyzedPersistentQuery, checkPersistent, readsOf, splitSelect } from './analyze-persistent.ts';
import { analyzeQuery } from './analyze-query.ts';
import type { AnalyzedQuery, SelectColumn } from './analyzed-query.ts';
import { cast } from './cast-expression.ts';
import { WithProperties } from './with-properties.ts';

/** INSERT INTO … SELECT. `queryId`: the one that WITH asks for. */
export function analyzeInsertSelect(
  statement: ast.InsertSelect,
  context: AnalyzeContext,
): AnalyzedPersistentQuery & { readonly queryId: string | null } {
  const properties = new WithProperties(statement.properties, 'insert');
  const sink = context.catalog.get(statement.target);
  const name = printIdentifier(statement.target);
  const span = statement.targetSpan;
  if (sink === undefined)
    throw new SqlError('ML_NAME_UNKNOWN', `there is no stream ${name}`, {
      span,
      hint: 'SHOW STREAMS lists them',
    });
  if (sink.type === 'table')
    throw new SqlError('ML_UNSUPPORTED', `${name} is a table, and INSERT INTO … SELECT writes streams only`, {
      span,
    });
  if (sink.sourceOnly)
    throw new SqlError('ML_UNSUPPORTED', `${name} is read-only`, {
      span,
      hint: 'it was created as a SOURCE',
    });
  if (sink.schema.headers.length > 0)
    throw new SqlError('ML_UNSUPPORTED', `${name} has columns of headers, which cannot be written`, { span });
  const selected = analyzeQuery(statement.query, context);
  checkPersistent(selected, statement.query);
  if (selected.type !== 'stream')
    throw new SqlError('ML_SCHEMA', 'the query gives a table, not a stream', { span: statement.query.span });
  if ((selected.window === null) !== (sink.window === null))
    throw new SqlError(
      'ML_SCHEMA',
      selected.window === null
        ? `${name} has windowed keys, and those of the query are not`
        : `the keys of the query are windowed, and those of ${name} are not`,
      { span: statement.query.span },
    );
  const { keyItems, valueItems } = splitSelect(selected, false);
  const fitted = new Map<number, SelectColumn>();
  for (const side of ['key', 'value'] as const) {
    const items = side === 'key' ? keyItems : valueItems;
    const columns = sink.schema[side];
    const fits = fitColumns(selected, items, columns);
    if (fits === null)
      throw new SqlError('ML_SCHEMA', `the ${side} columns of the query do not fit those of ${name}`, {
        span: statement.query.span,
        hint: `${name} has (${printColumns(columns)}) and the query gives (${printColumns(items.map((item) => selected.select[item]!))})`,
      });
    fits.forEach((column, i) => fitted.set(items[i]!, column));
  }
  const query = {
    ...selected,
    select: selected.select.map((column, item) => fitted.get(item) ?? column),
  };
  return { query, sink, keyItems, valueItems, reads: readsOf(query), queryId: queryIdOf(properties) };
}

function printColumns(columns: readonly Column[]): string {
  return columns.map((column) => `${printIdentifier(column.name)} ${printType(column.type)}`).join(', ');
}

/**
 * The select columns `items` as the target's columns: in the same order, with the same names and types, but that a DECIMAL
 * may come with fewer digits, or as a number that is written out. Null when they do not fit.
 */
function fitColumns(
  query: AnalyzedQuery,
  items: readonly number[],
  columns: readonly Column[],
): readonly SelectColumn[] | null {
  if (items.length !== columns.length) return null;
  const fitted = items.map((item, i) => fitColumn(query.select[item]!, columns[i]!.type));
  const fits = fitted.every(
    ({ name, type }, i) => name === columns[i]!.name && equalTypes(type, columns[i]!.type),
  );
  return fits ? fitted : null;
}

function fitColumn(column: SelectColumn, target: SqlType): SelectColumn {
  if (target.kind !== 'decimal' || equalTypes(column.type, target)) return column;
  const { type, expression } = column;
  const number = literalNumber(expression);
  const fits =
    number !== null
      ? number.fits(target.precision, target.scale)
      : type.kind === 'decimal' &&
        type.scale <= target.scale &&
        type.precision - type.scale <= target.precision - target.scale;
  return fits ? { ...column, type: target, expression: cast(expression, target) } : column;
}

/** The number that is written out, exactly; null for anything else, and for a DOUBLE. */
function literalNumber(expression: Expression): Decimal | null {
  let number = expression;
  while (number.kind === 'negate') number = number.operand;
  if (number.kind !== 'literal' || number.value === null) return null;
  const { type, value } = number;
  if (type.kind === 'decimal') return value as Decimal;
  return type.kind === 'integer' || type.kind === 'bigint' ? Decimal.fromInteger(value as Bigint) : null;
}

function queryIdOf(properties: WithProperties): string | null {
  const id = properties.text('QUERY_ID')?.toUpperCase() ?? null;
  if (id === null) return null;
  const span = properties.spanOf('QUERY_ID');
  if (!/^[A-Z0-9_]+$/.test(id))
    throw new SqlError('ML_PROPERTY', 'QUERY_ID may hold letters, digits and _ only', { span });
  if (/^(INSERTQUERY|CTAS|CSAS|CST)_/.test(id))
    throw new SqlError('ML_PROPERTY', `QUERY_ID ${id} begins as generated names do`, {
      span,
      hint: 'choose another one',
    });
  return id;
}
