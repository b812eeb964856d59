import type { Processor, ProcessorContext } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';

/** What operators begin with: the context, kept. */
export abstract class Operator implements Processor {
  protected context!: ProcessorContext;

  init(context: ProcessorContext): void {
    this.context = context;
  }

  abstract process(key: RecordKey, value: unknown, old: unknown, timestamp: number): void;
}

/** An operator that is told by its options what to do. */
export abstract class OperatorOf<Options> extends Operator {
  protected readonly options: Options;

  constructor(options: Options) {
    super();
    this.options = options;
  }
}
