import { SqlError, type Span } from '../../common/error.ts';
import { printIdentifier } from '../../types/print-type.ts';
import type { Expression } from '../expressions/expression.ts';
import type * as ast from '../parser/ast.ts';
import { type AnalyzedRelation, type SourceRelation, sourcesOf } from './analyzed-query.ts';
import { PSEUDO_COLUMNS, WINDOW_BOUNDS } from './scope.ts';
import type { SelectItem } from './select-item.ts';

/**
 * The items that `*` or `source.*` stands for. `partitionBy` and `partitionKeys`: the nodes and expressions of PARTITION BY;
 * `spans` learns where each column was named.
 */
export function selectAll(
  item: ast.SelectAll,
  from: AnalyzedRelation,
  partitionBy: readonly ast.Expression[],
  partitionKeys: readonly Expression[],
  spans: Map<Expression, Span>,
): readonly SelectItem[] {
  const isPseudo = (index: number): boolean => PSEUDO_COLUMNS.has(from.columns[index]?.name ?? '');
  const sources = sourcesOf(from);
  const wanted = item.source?.name ?? null;
  if (wanted !== null && !sources.some((source) => source.alias === wanted))
    throw new SqlError('ML_NAME_UNKNOWN', `source ${printIdentifier(wanted)} is not in FROM`, {
      span: item.source!.span,
      hint: `FROM has ${sources.map((source) => printIdentifier(source.alias)).join(', ')}`,
    });
  const isJoin = from.kind === 'join';
  const items: SelectItem[] = [];
  const synthetic: SelectItem[] = [];
  // The key comes first; one that was computed is a column too.
  const keys = wanted === null ? partitionKeys : [];
  partitionBy.forEach((node, i) => {
    const expression = keys[i];
    if (expression === undefined || (expression.kind === 'column' && !isPseudo(expression.index))) return;
    const ownName = node.kind === 'fieldAccess' ? node.field : node.kind === 'column' ? node.name : null;
    synthetic.push({
      expression,
      span: item.span,
      alias: null,
      ownName,
      numbered: ownName !== null,
      isWindowBound: false,
      isFromStar: true,
    });
  });
  const order = from.columns.map((column, index) => ({ ...column, index }));
  if (from.window !== null) gatherWindowedKeys(order, sources);
  // PARTITION BY moves the new key to the front, and the old one behind the values.
  const rankOf = (index: number): number =>
    keys.some((key) => key.kind === 'column' && key.index === index)
      ? 0
      : from.key.some((key) => key.position === index)
        ? 2
        : 1;
  if (keys.length > 0 && !isJoin) order.sort((a, b) => rankOf(a.index) - rankOf(b.index));
  // Under a join it makes of each source's row what ksqlDB carries there: values, pseudo columns, then the key.
  const isRekeyedJoin = isJoin && partitionBy.length > 0;
  if (isRekeyedJoin) {
    const keyNames = new Map(sources.map(({ alias, source }) => [alias, source.schema.key]));
    const rank = ({ source, name, index }: (typeof order)[number]): number => {
      if (rankOf(index) === 0) return -1;
      const place = sources.findIndex(({ alias }) => alias === source);
      const isKey = source !== null && keyNames.get(source)?.some((key) => key.name === name);
      return place * 3 + (isKey ? 2 : PSEUDO_COLUMNS.has(name) ? 1 : 0);
    };
    order.sort((a, b) => rank(a) - rank(b));
  }
  for (const { source, name, type, index } of order) {
    const isBound = WINDOW_BOUNDS.has(name);
    if (PSEUDO_COLUMNS.has(name) && !isRekeyedJoin && !isBound) continue;
    const expression: Expression = { kind: 'column', type, index };
    spans.set(expression, item.span);
    const isWindowBound = isBound && !isJoin;
    const found = {
      expression,
      span: item.span,
      alias: null,
      numbered: false,
      isWindowBound,
      isFromStar: true,
    };
    if (source === null) {
      // The key of a join whose sides' own columns can't be it.
      if (name !== '' && wanted === null && from.key.some((key) => key.position === index))
        synthetic.push({ ...found, ownName: name });
    } else if (wanted === null || source === wanted) {
      items.push({ ...found, ownName: isJoin ? `${source}_${name}` : name });
    }
  }
  return [...synthetic, ...items];
}

/** The columns of a windowed key come together: of each source its key, the bounds of its windows, then the values. */
function gatherWindowedKeys(
  columns: { readonly source: string | null; readonly name: string }[],
  sources: readonly SourceRelation[],
): void {
  const rank = ({ source, name }: (typeof columns)[number]): number => {
    const place = sources.findIndex(({ alias }) => alias === source);
    const isKey = sources[place]?.source.schema.key.some((key) => key.name === name);
    return place * 3 + (isKey === true ? 0 : WINDOW_BOUNDS.has(name) ? 1 : 2);
  };
  columns.sort((a, b) => rank(a) - rank(b));
}
