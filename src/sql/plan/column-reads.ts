import type { Expression } from '../expressions/expression.ts';
import { columnsOf } from '../expressions/walk.ts';
import type { PlanNode } from './node.ts';

/**
 * Which columns of each input a node reads from rows, when `needed` of its own are read above it. The record key is
 * no column: what a sink writes as its key comes from the key, so key columns count only where someone reads them
 * as values. A source's inputs are none.
 */
export function readsOfInputs(node: PlanNode, needed: ReadonlySet<number>): readonly ReadonlySet<number>[] {
  switch (node.kind) {
    case 'source':
      return [];
    case 'filter':
      return [new Set([...needed, ...columnsOf(node.predicate)])];
    case 'project':
      return [columnsOfAll([...needed].flatMap((index) => node.expressions[index] ?? []))];
    case 'flat-map': {
      const args = columnsOfAll(node.functions.flatMap((call) => call.args));
      return [new Set([...[...needed].filter((index) => index < node.input.columns.length), ...args])];
    }
    case 'repartition':
      return [new Set([...needed, ...node.key])];
    case 'aggregate':
      return [columnsOfAll(node.calls.flatMap((call) => call.args))];
    case 'join': {
      const width = node.left.columns.length;
      const foreign = node.foreignKey === null ? [] : columnsOf(node.foreignKey);
      return [
        new Set([...[...needed].filter((index) => index < width), ...foreign]),
        new Set([...needed].filter((index) => index >= width).map((index) => index - width)),
      ];
    }
    case 'sink':
      return [new Set([...node.valuePositions, ...(node.timestamp === null ? [] : [node.timestamp.column])])];
    case 'output':
      return [new Set(node.positions)];
  }
}

function columnsOfAll(expressions: readonly Expression[]): Set<number> {
  return new Set(expressions.flatMap((expression) => [...columnsOf(expression)]));
}
