import { assert, must } from '../../../common/assert.ts';
import type { ProcessorContext, Processor } from '../../../streams/topology/processor.ts';
import type { RecordKey } from '../../../streams/topology/record-key.ts';
import type { SqlValue } from '../../../types/value.ts';
import { compileProjection } from '../../expressions/compile.ts';
import type { FlatMapNode } from '../../plan/node.ts';
import type { LowerContext } from '../lower-context.ts';
import type { LoweredRows, Lowering } from '../lowered-rows.ts';
import type { ErrorTarget } from '../row-chain.ts';

export function lowerFlatMap(node: FlatMapNode, input: LoweredRows, lowering: Lowering): LoweredRows {
  assert(node.changes === 'stream', 'table functions are for streams');
  const rows = lowering.settle(input);
  const name = lowering.name('flat-map');
  const expand = openExpansion(node, lowering.context);
  lowering.topology.addProcessor({ name, open: () => new FlatMapRows(expand), parents: [rows.parent] });
  return { ...rows, parent: name, rowOfKey: null, view: null, stored: null, raw: null };
}

interface Expansion {
  readonly errors: ErrorTarget;
  /** Hands each row to `emit`, in the same array. */
  run(row: readonly SqlValue[], emit: (row: SqlValue[]) => void): void;
}

function openExpansion(node: FlatMapNode, context: LowerContext): Expansion {
  const errors: ErrorTarget = { context: null };
  const width = node.input.columns.length;
  const args = node.functions.flatMap((call) => call.args);
  const firstArg: number[] = [];
  let position = 0;
  for (const call of node.functions) {
    firstArg.push(position);
    position += call.args.length;
  }
  const onError = (item: number, error: Error): void =>
    errors.context?.skip('evaluation', `argument ${item + 1} of a table function: ${error.message}`);
  const evaluate = compileProjection(args, context.functions, context.evaluation, onError);
  const functions = node.functions.map((call) => {
    const callee = must(context.functions.get(call.name), `no function ${call.name}`);
    assert(callee.kind === 'table', `${call.name} is a table function`);
    return must(callee.signatures[call.signature]).open(
      call.args.map((arg) => arg.type),
      context.evaluation,
    );
  });
  const values: SqlValue[] = args.map(() => null);
  const row: SqlValue[] = node.columns.map(() => null);
  return {
    errors,
    run(input, emit) {
      evaluate(input as SqlValue[], values);
      const results = functions.map((run, i) =>
        run(...values.slice(firstArg[i], firstArg[i]! + node.functions[i]!.args.length)),
      );
      const count = Math.max(...results.map((result) => result.length));
      for (let i = 0; i < width; i++) row[i] = input[i]!;
      for (let r = 0; r < count; r++) {
        for (let f = 0; f < results.length; f++) row[width + f] = results[f]![r] ?? null;
        emit(row);
      }
    },
  };
}

/** A row for each element that the table functions give; shorter ones are padded with null. */
class FlatMapRows implements Processor {
  readonly #expansion: Expansion;
  #context!: ProcessorContext;

  constructor(expansion: Expansion) {
    this.#expansion = expansion;
  }

  init(context: ProcessorContext): void {
    this.#context = context;
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    if (value === null) return;
    this.#expansion.errors.context = this.#context;
    this.#expansion.run(value as SqlValue[], (row) => this.#context.forward(key, row, undefined, timestamp));
  }
}
