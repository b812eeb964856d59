import type { FunctionRegistry } from '../../functions/function.ts';
import type * as ast from '../parser/ast.ts';

/**
 * A push query that aggregates and groups by nothing aggregates everything: `SELECT COUNT(*) FROM S EMIT CHANGES` counts
 * all rows. It is the query that groups by a constant. Persistent queries name their key, so they are left to be refused.
 */
export function groupedAsOne(query: ast.Query, functions: FunctionRegistry): ast.Query {
  const { emit, groupBy, partitionBy, window, span } = query;
  if (emit !== 'changes' || groupBy.length > 0 || partitionBy.length > 0 || window !== null) return query;
  const aggregates = query.select.some(
    (item) => item.kind === 'selectExpression' && callsAggregate(item.expression, functions),
  );
  return aggregates ? { ...query, groupBy: [{ kind: 'integer', span, value: 1 }] } : query;
}

function callsAggregate(expression: ast.Expression, functions: FunctionRegistry): boolean {
  const open: unknown[] = [expression];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== 'object' || node === null) continue;
    const { kind, name } = node as { kind?: unknown; name?: unknown };
    if (kind === 'call' && functions.get(name as string)?.kind === 'aggregate') return true;
    for (const inner of Object.values(node)) open.push(inner);
  }
  return false;
}
