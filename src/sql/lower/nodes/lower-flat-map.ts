import { assert, must } from '../../../common/assert.ts';
import { flatMapStream, type ValueExpander } from '../../../streams/processors/flat-map-values.ts';
import type { ProcessorContext } from '../../../streams/topology/processor.ts';
import type { SqlValue } from '../../../types/value.ts';
import { compileProjection } from '../../expressions/compile.ts';
import type { FlatMapNode } from '../../plan/node.ts';
import type { LowerContext } from '../lower-context.ts';
import { type LoweredRows, type Lowering, madeOf } from '../lowered-rows.ts';

export function lowerFlatMap(node: FlatMapNode, input: LoweredRows, lowering: Lowering): LoweredRows {
  assert(node.changes === 'stream', 'table functions are for streams');
  const rows = lowering.settle(input);
  const open = flatMapStream(openExpansion(node, lowering.context));
  return madeOf(rows, lowering.add('flat-map', rows.parent, open));
}

/**
 * A row for each element that the table functions give; shorter ones are padded with null. Each is handed to `emit` in the
 * same array.
 */
function openExpansion(node: FlatMapNode, { functions: registry, evaluation }: LowerContext): ValueExpander {
  const width = node.input.columns.length;
  const args = node.functions.flatMap((call) => call.args);
  const firstArg: number[] = [];
  let position = 0;
  for (const call of node.functions) {
    firstArg.push(position);
    position += call.args.length;
  }
  const onError = (item: number, error: Error, context: ProcessorContext): void =>
    context.skip('evaluation', `argument ${item + 1} of a table function: ${error.message}`);
  const evaluate = compileProjection(args, registry, evaluation, onError);
  const functions = node.functions.map((call) => {
    const callee = must(registry.get(call.name), `no function ${call.name}`);
    assert(callee.kind === 'table', `${call.name} is a table function`);
    return must(callee.signatures[call.signature]).open(
      call.args.map((arg) => arg.type),
      evaluation,
    );
  });
  const values: SqlValue[] = args.map(() => null);
  const row: SqlValue[] = node.columns.map(() => null);
  return (value, _key, _timestamp, context, emit) => {
    if (value === null) return;
    const input = value as readonly SqlValue[];
    evaluate(input, values, context);
    const results = functions.map((run, i) =>
      run(...values.slice(firstArg[i], firstArg[i]! + node.functions[i]!.args.length)),
    );
    const count = Math.max(...results.map((result) => result.length));
    for (let i = 0; i < width; i++) row[i] = input[i]!;
    for (let r = 0; r < count; r++) {
      for (let f = 0; f < results.length; f++) row[width + f] = results[f]![r] ?? null;
      emit(row);
    }
  };
}
