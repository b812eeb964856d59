import type { Topology } from '../../streams/topology/topology.ts';
import { readsOfInputs } from '../plan/column-reads.ts';
import type { OutputNode, PlanNode, PlanNodeOf, PlanSink } from '../plan/node.ts';
import { filterStep, projectStep } from './row-steps.ts';
import type { LowerContext } from './lower-context.ts';
import { type LoweredRows, Lowering, type Wanted } from './lowered-rows.ts';
import { type Materialization, materializationOf } from './materialization.ts';
import { lowerAggregate } from './nodes/lower-aggregate.ts';
import { lowerFlatMap } from './nodes/lower-flat-map.ts';
import { lowerJoin } from './nodes/lower-join.ts';
import { lowerOutput } from './nodes/lower-output.ts';
import { lowerRepartition } from './nodes/lower-repartition.ts';
import { lowerSink } from './nodes/lower-sink.ts';
import { lowerSource } from './nodes/lower-source.ts';
import { settleRaw } from './settle-raw.ts';

/** A query that can be run. Names of stores and internal topics are relative to the application id. */
export interface LoweredQuery {
  readonly topology: Topology;
  /** Topics that it reads, without its own. */
  readonly sources: readonly string[];
  /** How the table it makes is read back; null for streams, and for tables that are kept nowhere. */
  readonly materialization: Materialization | null;
  /** The topology as stable text. */
  describe(): string;
}

/**
 * A plan as a topology: each node becomes operators parameterised with compiled expressions. The same plan gives the
 * same names, so that state is found again.
 *
 * Throws `SqlError` ML_UNSUPPORTED for what there is no operator for.
 */
export function lower(plan: PlanNode, context: LowerContext): LoweredQuery {
  const settled = settleRaw(plan);
  let top: LoweredRows | null = null;
  const lowering = new Lowering(context, settled, (node, wanted) => {
    const rows = lowerNode(node, wanted, lowering);
    if (isTop(settled) && node === settled.input) top = rows;
    return rows;
  });
  const { topology } = lowering;
  lowering.lower(settled, { columns: new Set(), old: false, keep: 'nothing' });
  const materialization = isTop(settled) && top !== null ? materializationOf(settled, top) : null;
  return { topology, sources: [...lowering.topics], materialization, describe: () => topology.describe() };
}

function isTop(node: PlanNode): node is PlanSink | OutputNode {
  return node.kind === 'sink' || node.kind === 'output';
}

type LowerNode<K extends PlanNode['kind']> = (
  node: PlanNodeOf<K>,
  wanted: Wanted,
  inputs: readonly ReadonlySet<number>[],
  lowering: Lowering,
) => LoweredRows;

/** `inputs`: which columns of each input are read. */
const LOWER: { readonly [K in PlanNode['kind']]: LowerNode<K> } = {
  source: (node, _wanted, _inputs, lowering) => lowerSource(node, lowering),
  filter(node, wanted, inputs, lowering) {
    // Only the old row tells whether a removal concerns a row that was there to see.
    const old = node.changes === 'table';
    const rows = lowering.lower(node.input, { columns: inputs[0]!, old, keep: wanted.keep });
    return { ...rows, steps: [...rows.steps, filterStep(node, lowering.context)] };
  },
  project(node, wanted, inputs, lowering) {
    const rows = lowering.lower(node.input, { columns: inputs[0]!, old: wanted.old, keep: wanted.keep });
    return { ...rows, steps: [...rows.steps, projectStep(node, lowering.context, wanted.columns)] };
  },
  'flat-map': (node, _wanted, inputs, lowering) =>
    lowerFlatMap(node, lowering.lower(node.input, unkept(inputs[0]!)), lowering),
  repartition(node, wanted, inputs, lowering) {
    const old = node.changes === 'table' && wanted.keep === 'nothing';
    const input = lowering.lower(node.input, { columns: inputs[0]!, old, keep: 'nothing' });
    return lowerRepartition(node, wanted, input, lowering);
  },
  aggregate(node, wanted, inputs, lowering) {
    const input = lowering.lower(node.input, unkept(inputs[0]!));
    return lowerAggregate(node, wanted, input, lowering);
  },
  join: (node, wanted, inputs, lowering) => lowerJoin(node, wanted, inputs, lowering),
  sink(node, _wanted, inputs, lowering) {
    const keep = node.changes === 'table' ? 'store' : 'nothing';
    return lowerSink(node, lowering.lower(node.input, { columns: inputs[0]!, old: false, keep }), lowering);
  },
  output: (node, _wanted, inputs, lowering) =>
    lowerOutput(node, lowering.lower(node.input, unkept(inputs[0]!)), lowering),
};

function unkept(columns: ReadonlySet<number>): Wanted {
  return { columns, old: false, keep: 'nothing' };
}

function lowerNode(node: PlanNode, wanted: Wanted, lowering: Lowering): LoweredRows {
  const lowerKind = LOWER[node.kind] as LowerNode<PlanNode['kind']>;
  return lowerKind(node as never, wanted, readsOfInputs(node, wanted.columns), lowering);
}
