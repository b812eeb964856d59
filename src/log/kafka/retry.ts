import { sleep } from '../../common/clock.ts';
import type { Clock } from '../../common/clock.ts';
import { LogError } from '../log.ts';
import type { TopicPartition } from '../log.ts';
import { describeCode, errorOf, isRetriable, UNKNOWN_TOPIC_OR_PARTITION } from './protocol-error.ts';

const BACKOFF_MIN_MS = 20;
const BACKOFF_MAX_MS = 1_000;

/** How long a topic may be unknown before that is believed: a new topic takes a moment to reach every broker. */
export const UNKNOWN_TOPIC_PATIENCE_MS = 1_000;

/** The pause before attempt `attempt` (from 1) is repeated. */
export function backoffMs(attempt: number): number {
  return Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(attempt - 1, 10));
}

/** A failure that may pass when it is tried again. `final` is thrown when it has not passed after `patienceMs`. */
export class RetriableError extends Error {
  override readonly name = 'RetriableError';
  readonly patienceMs: number;
  readonly final: LogError | undefined;

  constructor(message: string, patienceMs = Infinity, final?: LogError) {
    super(message);
    this.patienceMs = patienceMs;
    this.final = final;
  }
}

/** The error that `code` is: a `RetriableError` or a `LogError`. Not for code 0. */
export function failureOf(
  code: number,
  doing: string,
  partition?: TopicPartition,
  detail?: string | null,
): Error {
  const final = errorOf(code, doing, partition, detail);
  if (!isRetriable(code)) return final;
  const patienceMs = code === UNKNOWN_TOPIC_OR_PARTITION ? UNKNOWN_TOPIC_PATIENCE_MS : Infinity;
  return new RetriableError(describeCode(code), patienceMs, final);
}

export function unknownTopic(topic: string, partition?: number): LogError {
  if (partition === undefined) return new LogError('unknown-topic', `there is no topic ${topic}`);
  return new LogError('unknown-topic', `there is no partition ${partition} of topic ${topic}`, {
    topic,
    partition,
  });
}

/**
 * Repeats `attempt` while it throws a `RetriableError`, at growing intervals. Throws what the error calls final when its
 * patience is over, and `unavailable` after `timeoutMs` or when `signal` aborts.
 */
export async function retry<T>(
  clock: Clock,
  signal: AbortSignal,
  doing: string,
  timeoutMs: number,
  attempt: () => Promise<T>,
): Promise<T> {
  const begin = clock.monotonic();
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) throw new LogError('closed', `${doing} ended because the log was closed`);
      if (!(error instanceof RetriableError)) throw error;
      const elapsedMs = clock.monotonic() - begin;
      if (error.final !== undefined && elapsedMs >= error.patienceMs) throw error.final;
      if (elapsedMs >= timeoutMs)
        throw new LogError(
          'unavailable',
          `${doing} was given up after ${Math.round(elapsedMs)} ms: ${error.message}`,
        );
    }
    await sleep(clock, backoffMs(tries), signal);
  }
}
