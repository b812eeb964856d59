import type { DataError } from '../../common/error.ts';
import type { ProcessorContext } from '../../streams/topology/processor.ts';
import type { RowStep } from '../../streams/processors/row-chain.ts';
import { compilePredicate, compileProjection } from '../expressions/compile.ts';
import type { FilterNode, ProjectNode } from '../plan/node.ts';
import type { LowerContext } from './lower-context.ts';

export function filterStep(node: FilterNode, { functions, evaluation }: LowerContext): RowStep {
  const clause = node.clause.toUpperCase();
  const onError = (error: DataError, context: ProcessorContext | null): void =>
    context?.skip('evaluation', `${clause}: ${error.message}`);
  const holds = compilePredicate(node.predicate, functions, evaluation, onError);
  return { kind: 'filter', holds, passesNull: node.passesNull === true };
}

export function projectStep(
  node: ProjectNode,
  { functions, evaluation }: LowerContext,
  needed: ReadonlySet<number>,
): RowStep {
  const onError = (item: number, error: DataError, context: ProcessorContext | null): void =>
    context?.skip('evaluation', `${node.columns[item]?.name ?? item}: ${error.message}`);
  const expressions = node.expressions.map((expression, i) =>
    needed.has(i) ? expression : { kind: 'literal' as const, type: expression.type, value: null },
  );
  const write = compileProjection(expressions, functions, evaluation, onError);
  return { kind: 'project', blank: node.columns.map(() => null), write };
}
