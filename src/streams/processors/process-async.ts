import { AsyncCalls, type AsyncCallsOptions, type CallOutcome } from '../topology/async-calls.ts';
import { Operator } from './operator.ts';
import type { Processor, ProcessorContext } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';

/**
 * Makes, of a record in flight, the call that asks the outside about it; what that gives is handed to `forward` when it
 * is this record's turn.
 */
export type PrepareCall = (
  key: RecordKey,
  value: unknown,
  timestamp: number,
  context: ProcessorContext,
) => () => Promise<unknown>;
export type ForwardResult = (
  result: unknown,
  key: RecordKey,
  timestamp: number,
  context: ProcessorContext,
) => void;

/** An operator that waits for the outside: the slow path, for values that are not borrowed. */
export function processAsync(
  prepare: PrepareCall,
  forward: ForwardResult,
  options: AsyncCallsOptions,
): () => Processor {
  return () => new ProcessAsync(prepare, forward, options);
}

class ProcessAsync extends Operator {
  readonly calls: AsyncCalls;
  readonly #prepare: PrepareCall;
  readonly #forward: ForwardResult;

  constructor(prepare: PrepareCall, forward: ForwardResult, options: AsyncCallsOptions) {
    super();
    this.calls = new AsyncCalls(options);
    this.#prepare = prepare;
    this.#forward = forward;
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const context = this.context;
    const kept = copyOf(key);
    const restore = context.keepRecord();
    this.calls.add(
      kept.present ? (kept.buffer as Buffer).toString('latin1', kept.start, kept.end) : null,
      this.#prepare(kept, value, timestamp, context),
      (outcome: CallOutcome) => {
        restore();
        try {
          if ('error' in outcome) throw outcome.error;
          this.#forward(outcome.value, kept, timestamp, context);
        } catch (error) {
          // No other operator called this one, so nobody else says where it was.
          context.skip('evaluation', error instanceof Error ? error.message : String(error), error);
        }
      },
    );
  }
}

/** The key for as long as it is needed: bytes are shared with the record in flight only while that is. */
function copyOf(key: RecordKey): RecordKey {
  const copy = new RecordKey(key.serde);
  if (!key.present) copy.setBytes(Buffer.alloc(0), -1, -1);
  else {
    const bytes = Buffer.from(key.buffer.subarray(key.start, key.end));
    copy.setBytes(bytes, 0, bytes.length);
  }
  copy.windowStart = key.windowStart;
  copy.windowEnd = key.windowEnd;
  return copy;
}
