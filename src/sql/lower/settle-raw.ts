import type { PlanNode, PlanSink, PlanSource } from '../plan/node.ts';
import { inputsOf, withInputs } from '../plan/plan-inputs.ts';
import { originOf } from './nodes/lower-sink.ts';
import { sinkSerde } from './sink-serde.ts';
import { sourceSerde } from './source-serde.ts';

/**
 * The plan as its formats can run it: when the decoder gives no raw ranges, or the encoder cannot copy them, the
 * columns are decoded and encoded like any other.
 */
export function settleRaw(plan: PlanNode): PlanNode {
  const source = sourceWithRaw(plan);
  if (source === null) return plan;
  if (plan.kind === 'sink' && canCopy(plan, source)) return plan;
  const decoded = {
    ...source,
    columns: source.columns.map((column) => (column.raw ? { ...column, raw: false, wanted: true } : column)),
  };
  return replace(plan, source, decoded);
}

function canCopy(sink: PlanSink, source: PlanSource): boolean {
  const { raw } = sourceSerde(source);
  if (raw === null || raw.decoder.rawRanges === null) return false;
  const rawIndex = sink.valuePositions.map((position) => {
    const origin = originOf(sink.input, position);
    return origin === null ? -1 : raw.rawIndex[origin]!;
  });
  return sinkSerde(sink, raw, rawIndex) !== null;
}

function sourceWithRaw(node: PlanNode): PlanSource | null {
  if (node.kind === 'source') return node.columns.some((column) => column.raw) ? node : null;
  for (const input of inputsOf(node)) {
    const found = sourceWithRaw(input);
    if (found !== null) return found;
  }
  return null;
}

function replace(node: PlanNode, source: PlanSource, other: PlanSource): PlanNode {
  if (node === source) return other;
  return withInputs(
    node,
    inputsOf(node).map((input) => replace(input, source, other)),
  );
}
