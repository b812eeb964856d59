import { formatOf } from '../../../formats/registry.ts';
import { equalTypes } from '../../../types/equal-types.ts';
import { columnsOf } from '../../expressions/walk.ts';
import { equalBytesFormats } from '../../plan/key-format.ts';
import type { PlanNode, PlanSink, PlanSource } from '../../plan/node.ts';
import { replaceSources } from '../../plan/plan-inputs.ts';
import type { Rule } from '../rule.ts';

/**
 * What: value columns of a stream that reach a sink of the same value format and type unchanged, and that nobody else
 * reads, are passed as the bytes they are.
 * Why good: neither a value nor its text is made; what is left is a copy.
 * Illegal: when anything between keeps rows or brings others in between (repartition, aggregate, join, flat map): the
 * record's bytes are gone by then; when a filter or expression reads the column too (`WHERE A > 1`); when it is also
 * the sink's key or timestamp; when the formats differ in a property (`VALUE_DELIMITER`).
 * After: everything: it freezes how columns are read.
 */
export const passRawColumns: Rule = {
  name: 'pass-raw-columns',
  order: 'top-down',
  apply(node) {
    if (node.kind !== 'sink') return node;
    const chain = chainOf(node);
    if (chain === null) return node;
    const raw = rawColumns(node, chain);
    if (![...raw].some((index) => !chain.source.columns[index]!.raw)) return node;
    return replaceSources(node, (source) => ({
      ...source,
      columns: source.columns.map((column, i) => (raw.has(i) ? { ...column, raw: true } : column)),
    }));
  },
};

interface Chain {
  readonly source: PlanSource;
  /** From the sink's input down to the source, without it. */
  readonly nodes: readonly PlanNode[];
}

function chainOf(sink: PlanSink): Chain | null {
  if (!formatOf(sink.valueFormat.name).rawRanges) return null;
  const nodes: PlanNode[] = [];
  let node = sink.input;
  while (node.kind === 'filter' || node.kind === 'project') {
    nodes.push(node);
    node = node.input;
  }
  if (node.kind !== 'source' || node.changes !== 'stream') return null;
  return equalBytesFormats(node.valueFormat, sink.valueFormat) ? { source: node, nodes } : null;
}

/** The source's columns that only the sink's value reads. */
function rawColumns(sink: PlanSink, { source, nodes }: Chain): ReadonlySet<number> {
  const passed = new Set<number>();
  for (const position of sink.valuePositions) {
    const origin = originOf(nodes, position);
    const column = origin === null ? undefined : source.columns[origin];
    if (column?.origin.kind === 'value' && equalTypes(column.type, sink.input.columns[position]!.type))
      passed.add(origin!);
  }
  const forbid = (position: number): void => {
    const origin = originOf(nodes, position);
    if (origin !== null) passed.delete(origin);
  };
  for (const position of sink.keyPositions) forbid(position);
  if (sink.timestamp !== null) forbid(sink.timestamp.column);
  if (source.timestamp !== null) passed.delete(source.timestamp.column);
  nodes.forEach((node, i) => {
    const below = nodes.slice(i + 1);
    const readHere: number[] = [];
    if (node.kind === 'filter') readHere.push(...columnsOf(node.predicate));
    if (node.kind === 'project')
      for (const expression of node.expressions)
        if (expression.kind !== 'column') readHere.push(...columnsOf(expression));
    for (const index of readHere) {
      const origin = originOf(below, index);
      if (origin !== null) passed.delete(origin);
    }
  });
  return passed;
}

/** The source's column that is at `position` above the chain, null when it was computed. */
function originOf(nodes: readonly PlanNode[], position: number): number | null {
  let at = position;
  for (const node of nodes) {
    if (node.kind !== 'project') continue;
    const expression = node.expressions[at];
    if (expression?.kind !== 'column') return null;
    at = expression.index;
  }
  return at;
}
