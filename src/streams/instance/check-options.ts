import { TIMER_MS_MAX } from '../../common/clock.ts';
import { describeRange, isWholeIn, type WholeRange } from '../../common/whole-number.ts';
import { COMPRESSIONS } from '../../log/codecs.ts';
import { LINGER_MS_MAX } from '../../log/log.ts';
import { REQUEST_BYTES_LIMIT } from '../../log/slab-appender.ts';
import { isTopicName } from '../../log/topic-name.ts';
import { isOffsetReset } from '../topology/offset-reset.ts';
import { shown } from '../topology/record-time.ts';
import type { ErrorHandlers } from '../task/error-handlers.ts';
import type { StreamsOptions } from './streams-options.ts';

const TIME: WholeRange = { min: 0, max: TIMER_MS_MAX };
const BYTES: WholeRange = { min: 0, max: Number.MAX_SAFE_INTEGER };

/** The ranges of the numbers among the options. */
const RANGES = {
  commitIntervalMs: TIME,
  persistIntervalMs: TIME,
  stateCleanupDelayMs: TIME,
  unpersistedBytesMax: BYTES,
  stateBytesMax: BYTES,
  bufferBytesMax: { min: 1, max: Number.MAX_SAFE_INTEGER },
  maxIdleMs: { min: -1, max: TIMER_MS_MAX },
  topicRefreshMs: { min: 1, max: TIMER_MS_MAX },
  transactionTimeoutMs: { min: 1, max: TIMER_MS_MAX },
  restartMinMs: TIME,
  restartMaxMs: TIME,
} satisfies Partial<Record<keyof StreamsOptions, WholeRange>>;

const STEPS: readonly string[] = [
  'deserialization',
  'processing',
  'production',
] satisfies (keyof ErrorHandlers)[];

/** Throws `RangeError`, which names the option and what it may be: also for programs that no compiler has checked. */
export function checkOptions(options: StreamsOptions): void {
  for (const [name, range] of Object.entries(RANGES))
    checkNumber(name, options[name as keyof typeof RANGES], range);
  checkNumber('producer.requestBytesMax', options.producer?.requestBytesMax, {
    min: 1,
    max: REQUEST_BYTES_LIMIT,
  });
  checkNumber('producer.lingerMs', options.producer?.lingerMs, { min: 0, max: LINGER_MS_MAX });
  const compression = options.producer?.compression;
  if (compression !== undefined && !COMPRESSIONS.includes(compression))
    throw wrong('producer.compression', `one of ${COMPRESSIONS.join(', ')}`, compression);
  checkNumber('internalTopics.replicas', options.internalTopics?.replicas, { min: -1, max: 32_767 });
  const { processingGuarantee, transactionTimeoutMs = Infinity, commitIntervalMs = 0 } = options;
  if (![undefined, 'at_least_once', 'exactly_once_v2'].includes(processingGuarantee))
    throw wrong('processingGuarantee', 'at_least_once or exactly_once_v2', processingGuarantee);
  if (transactionTimeoutMs <= commitIntervalMs)
    throw wrong(
      'transactionTimeoutMs',
      `more than commitIntervalMs (${commitIntervalMs})`,
      transactionTimeoutMs,
    );
  const { applicationId, stateDirectory, offsetReset, deadLetterTopic, onUncaughtError } = options;
  // It stands in the names of topics and of a directory.
  if (typeof applicationId !== 'string' || !isTopicName(applicationId))
    throw wrong('applicationId', 'up to 249 letters, digits, dots, underscores and dashes', applicationId);
  if (stateDirectory !== null && typeof stateDirectory !== 'string')
    throw wrong('stateDirectory', 'a directory, or null for memory', stateDirectory);
  if (deadLetterTopic !== undefined && !isTopicName(deadLetterTopic))
    throw wrong('deadLetterTopic', 'the name of a topic', deadLetterTopic);
  if (offsetReset !== undefined && !isOffsetReset(offsetReset))
    throw wrong(
      'offsetReset',
      'earliest, latest, none or { byDurationMs } of whole milliseconds',
      offsetReset,
    );
  for (const [name, handler] of Object.entries(options.handlers ?? {}))
    if (!STEPS.includes(name)) throw wrong('handlers', 'of deserialization, processing or production', name);
    else if (handler !== undefined && typeof handler !== 'function')
      throw wrong(`handlers.${name}`, 'a function', handler);
  if (typeof onUncaughtError !== 'function' && ![undefined, 'stop', 'replace'].includes(onUncaughtError))
    throw wrong('onUncaughtError', 'stop, replace or a function', onUncaughtError);
}

function checkNumber(name: string, value: unknown, range: WholeRange): void {
  if (value === undefined) return;
  if (!isWholeIn(value, range)) throw wrong(name, describeRange(range), value);
}

function wrong(name: string, wanted: string, value: unknown): RangeError {
  return new RangeError(`${name} must be ${wanted}, not ${shown(value)}`);
}
