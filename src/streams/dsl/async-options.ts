import type { AsyncCallsOptions } from '../topology/async-calls.ts';
import { wholeNumber, wholeOrEndless } from './check-number.ts';

/** How an operation waits for the outside. */
export interface AsyncOptions {
  /** Calls of one task that may be on their way at a time. Default 16. */
  readonly concurrency?: number;
  /** A call that takes longer fails. Default 30,000; `Infinity`: never. */
  readonly timeoutMs?: number;
}

/** What an asynchronous processor forwards: nothing, a record, or several. */
export type AsyncResults<K, V> = AsyncResult<K, V> | readonly AsyncResult<K, V>[] | null | undefined | void;

export interface AsyncResult<K, V> {
  readonly key: K;
  readonly value: V;
  /** Default: that of the record that was asked about. */
  readonly timestamp?: number;
}

export function resultsOf<K, V>(results: AsyncResults<K, V>): readonly AsyncResult<K, V>[] {
  if (results === null || results === undefined) return [];
  return Array.isArray(results) ? results : [results as AsyncResult<K, V>];
}

export function callOptions({ concurrency = 16, timeoutMs = 30_000 }: AsyncOptions): AsyncCallsOptions {
  return {
    concurrency: wholeNumber(concurrency, 'the concurrency of asynchronous calls', 1),
    timeoutMs: wholeOrEndless(timeoutMs, 'the timeoutMs of asynchronous calls', 1),
  };
}
