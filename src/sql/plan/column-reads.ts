import type { Expression } from '../expressions/expression.ts';
import { columnsOf } from '../expressions/walk.ts';
import type { PlanNode, PlanSource, ReadColumn } from './node.ts';
import { inputsOf, replaceSources } from './plan-inputs.ts';

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

/** For each source of the plan, the columns that are read above it, or by itself. */
function readsOfSources(root: PlanNode): ReadonlyMap<PlanSource, ReadonlySet<number>> {
  const reads = new Map<PlanSource, Set<number>>();
  const visit = (node: PlanNode, needed: ReadonlySet<number>): void => {
    if (node.kind === 'source') {
      const own = node.timestamp === null ? [] : [node.timestamp.column];
      reads.set(node, new Set([...(reads.get(node) ?? []), ...needed, ...own]));
      return;
    }
    const below = readsOfInputs(node, needed);
    inputsOf(node).forEach((input, i) => visit(input, below[i]!));
  };
  visit(root, new Set());
  return reads;
}

/** The plan, which ends in a sink or output, with only those source columns wanted that it reads and `test` allows. */
export function wantColumns(plan: PlanNode, test: (column: ReadColumn) => boolean): PlanNode {
  const reads = readsOfSources(plan);
  return replaceSources(plan, (source) => {
    const read = reads.get(source);
    const isIdle = (column: ReadColumn, i: number): boolean =>
      column.wanted && read?.has(i) !== true && test(column);
    if (!source.columns.some(isIdle)) return source;
    const columns = source.columns.map((column, i) =>
      isIdle(column, i) ? { ...column, wanted: false } : column,
    );
    return { ...source, columns };
  });
}

function columnsOfAll(expressions: readonly Expression[]): Set<number> {
  return new Set(expressions.flatMap((expression) => [...columnsOf(expression)]));
}
