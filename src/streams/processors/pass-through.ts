import type { Processor, ProcessorContext } from './processor.ts';
import type { RecordKey } from './record-key.ts';

/** Where branches meet (merge), or where a table is read as the stream of its changes: old values end here. */
export function passThrough(): () => Processor {
  return () => new PassThrough();
}

class PassThrough implements Processor {
  #context!: ProcessorContext;

  init(context: ProcessorContext): void {
    this.#context = context;
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    this.#context.forward(key, value, undefined, timestamp);
  }
}

/** Where changes of one table meet: old values pass. */
export function passChanges(): () => Processor {
  return () => new PassChanges();
}

class PassChanges implements Processor {
  #context!: ProcessorContext;

  init(context: ProcessorContext): void {
    this.#context = context;
  }

  process(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    this.#context.forward(key, value, old, timestamp);
  }
}
