import { SqlError } from '../../common/error.ts';
import { printIdentifier } from '../../types/print-type.ts';
import { openEquality } from '../../types/compare-values.ts';
import { printValue } from '../../types/print-value.ts';
import type { SqlValue } from '../../types/value.ts';
import type { CatalogSource } from '../catalog/source.ts';
import type * as ast from '../parser/ast.ts';
import type { AnalyzeContext } from './analyze-context.ts';
import { columnsOfValues, insertedConstant } from './analyze-insert-values.ts';
import { findSource } from './find-source.ts';
import { suggest } from './suggest.ts';
import { rowOfSource, type SourceColumn } from '../catalog/source-row.ts';

/** The expected next record of a source's topic. Columns that are not named may hold anything. */
export interface AnalyzedAssertion {
  readonly source: CatalogSource;
  /** The flat row of the source, as `rowOfSource` has it: what a record is read into. */
  readonly row: readonly SourceColumn[];
  /** The record must have no value. */
  readonly isTombstone: boolean;
  /** The wanted values, by position in `row`. */
  readonly wanted: readonly { readonly position: number; readonly value: SqlValue }[];
}

/** ASSERT VALUES and ASSERT NULL VALUES: values are evaluated and brought to their columns' types as INSERT does. */
export function analyzeAssertValues(
  statement: ast.AssertValues | ast.AssertTombstone,
  context: AnalyzeContext,
): AnalyzedAssertion {
  const { sourceSpan: span } = statement;
  const isTombstone = statement.kind === 'assertTombstone';
  const name = printIdentifier(statement.source);
  const source = findSource(statement.source, span, context);
  const row = rowOfSource(source);
  const unnamed = isTombstone ? source.schema.key : [...source.schema.key, ...source.schema.value];
  const columns = columnsOfValues(statement, unnamed, span);
  const wanted = columns.map((column, i) => {
    const position = row.findIndex(({ name: each }) => each === column.name);
    if (position < 0)
      throw new SqlError('ML_NAME_UNKNOWN', `${name} has no column ${printIdentifier(column.name)}`, {
        span: column.span,
        hint: suggest(
          column.name,
          row.map((each) => each.name),
          `its columns are ${unnamed.map((each) => printIdentifier(each.name)).join(', ')}`,
        ),
      });
    const { type, origin } = row[position]!;
    if (isTombstone && origin.kind === 'value')
      throw new SqlError(
        'ML_UNSUPPORTED',
        `a record without a value has no column ${printIdentifier(column.name)}`,
        {
          span: column.span,
          hint: 'name key columns, or ROWTIME, ROWPARTITION, ROWOFFSET and window bounds',
        },
      );
    return { position, value: insertedConstant(statement.values[i]!, type, column.name, context) };
  });
  return { source, row, isTombstone, wanted };
}

/** How a record's row differs from the expected one; null when it does not. */
export function differenceOf({ row, wanted }: AnalyzedAssertion, found: readonly SqlValue[]): string | null {
  const differences = wanted.flatMap(({ position, value }) => {
    const { name, type } = row[position]!;
    const other = found[position] ?? null;
    // NaN is what it is asked to be, unlike in SQL.
    if (Object.is(value, other) || openEquality(type)(value, other)) return [];
    return [`${printIdentifier(name)} is ${printValue(type, other)}, not ${printValue(type, value)}`];
  });
  return differences.length === 0 ? null : differences.join(', ');
}
