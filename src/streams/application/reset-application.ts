import { type Log, LogError, type TopicPartition } from '../../log/log.ts';
import { type LockedState, lockState } from '../instance/state-directory.ts';

/** The offsets that an application's input is read from next. */
export type ResetTarget =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  /** The same offset in every partition, or the nearest that exists. */
  | { readonly kind: 'offset'; readonly offset: number }
  /** The first records at or after a time. */
  | { readonly kind: 'time'; readonly timeMs: number };

export interface StreamsResetOptions {
  readonly applicationId: string;
  readonly inputTopics: readonly string[];
  readonly target: ResetTarget;
  /** Which of the application's internal topics go; null for all. */
  readonly internalTopics: readonly string[] | null;
  /** Says what would be done, and does nothing. */
  readonly dryRun: boolean;
}

export interface StreamsResetPlace {
  readonly log: Log;
  /** The directory of applications' states; null when there is none on this machine. */
  readonly stateDirectory: string | null;
  readonly write: (line: string) => Promise<void>;
}

/** A reset that cannot be done; nothing was changed. `message` is one sentence, `hint` says what to do. */
export class StreamsResetError extends Error {
  override readonly name = 'StreamsResetError';
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

interface OffsetChange extends TopicPartition {
  readonly before: number | undefined;
  readonly offset: number;
}

/**
 * Lets a stopped application begin again: sets the offsets of its input topics, deletes its internal topics with
 * their offsets, and its local state. Throws `StreamsResetError` before anything is changed when it may be running:
 * its group has members, or its state is open. Output topics keep what was written: it will be written again.
 */
export async function streamsReset(options: StreamsResetOptions, place: StreamsResetPlace): Promise<void> {
  const { applicationId, dryRun } = options;
  const { log, stateDirectory, write } = place;
  const topics = await log.admin.listTopics();
  const internal = internalTopics(options, topics);
  for (const topic of options.inputTopics)
    if (!topics.includes(topic))
      throw new StreamsResetError(
        `input topic ${topic} does not exist`,
        'name topics that the application reads, separated by commas',
      );
  const committed = await log.admin.committed(applicationId);
  if (committed.length === 0 && internal.length === 0 && options.inputTopics.length === 0)
    throw new StreamsResetError(
      `nothing is known of an application ${applicationId}`,
      'check the id: its consumer group and its internal topics bear it',
    );
  const changes = await offsetChanges(options, log, committed);
  const state = stateDirectory === null ? null : await lock(stateDirectory, applicationId);
  try {
    const would = dryRun ? 'would be ' : '';
    if (!dryRun) await setOffsets(applicationId, log, changes);
    for (const { topic, partition, before, offset } of changes)
      await write(
        `offset of ${topic}-${partition} ${would}set to ${offset}${before === undefined ? '' : ` (was ${before})`}`,
      );

    const gone = committed.filter(({ topic }) => internal.includes(topic));
    if (!dryRun && gone.length > 0)
      await log.admin.alterCommitted(
        applicationId,
        gone.map(({ topic, partition }) => ({ topic, partition, offset: null })),
      );
    if (state !== null) {
      if (!dryRun) await state.delete();
      if (state.tasks > 0)
        await write(`local state of ${state.tasks} ${state.tasks === 1 ? 'task' : 'tasks'} ${would}deleted`);
    }
    for (const topic of internal) {
      if (!dryRun) await log.admin.deleteTopic(topic);
      await write(`internal topic ${topic} ${would}deleted`);
    }
    for (const topic of new Set(committed.map((each) => each.topic)))
      if (!options.inputTopics.includes(topic) && !isInternal(topic, applicationId))
        await write(`topic ${topic} keeps its offsets: it is not among the input topics`);
  } finally {
    state?.release();
  }
}

function internalTopics(
  { applicationId, internalTopics: chosen }: StreamsResetOptions,
  topics: readonly string[],
): readonly string[] {
  const all = topics.filter((topic) => isInternal(topic, applicationId));
  if (chosen === null) return all;
  for (const topic of chosen)
    if (!all.includes(topic))
      throw new StreamsResetError(
        `${topic} is no internal topic of ${applicationId}`,
        all.length === 0 ? 'it has none' : `its internal topics are ${all.join(', ')}`,
      );
  return chosen;
}

/**
 * As Kafka Streams names them, so that its applications can be reset too. Like there, an application whose id goes on
 * after ours and a hyphen (app, app-two) looks like ours: the list of internal topics and the dry run are for that.
 */
function isInternal(topic: string, applicationId: string): boolean {
  return (
    topic.startsWith(`${applicationId}-`) &&
    (topic.endsWith('-changelog') ||
      topic.endsWith('-repartition') ||
      /-subscription-(registration|response)(-\d+)?-topic$/i.test(topic))
  );
}

async function offsetChanges(
  { inputTopics, target }: StreamsResetOptions,
  log: Log,
  committed: readonly (TopicPartition & { readonly offset: number })[],
): Promise<OffsetChange[]> {
  const changes: OffsetChange[] = [];
  for (const topic of inputTopics) {
    const ranges = await log.admin.offsets(topic);
    const byTime = target.kind === 'time' ? await log.admin.offsetsForTime(topic, target.timeMs) : [];
    ranges.forEach(({ start, end }, partition) => {
      const before = committed.find((each) => each.topic === topic && each.partition === partition)?.offset;
      const wanted = (): number => {
        switch (target.kind) {
          case 'earliest':
            return start;
          case 'latest':
            return end;
          case 'offset':
            return target.offset;
          case 'time':
            return byTime[partition] ?? end;
        }
      };
      changes.push({ topic, partition, before, offset: Math.min(end, Math.max(start, wanted())) });
    });
  }
  return changes;
}

async function setOffsets(applicationId: string, log: Log, changes: readonly OffsetChange[]): Promise<void> {
  if (changes.length === 0) return;
  try {
    await log.admin.alterCommitted(applicationId, changes);
  } catch (error) {
    if (error instanceof LogError && error.kind === 'fenced')
      throw new StreamsResetError(
        `application ${applicationId} is running: its group has members`,
        'stop all of its instances first',
      );
    throw error;
  }
}

async function lock(stateDirectory: string, applicationId: string): Promise<LockedState> {
  try {
    return await lockState(stateDirectory, applicationId);
  } catch (error) {
    if (error instanceof Error && 'hint' in error)
      throw new StreamsResetError(error.message, 'stop the application first');
    throw error;
  }
}

/** Milliseconds of an ISO 8601 duration of weeks, days, hours, minutes and seconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const match =
    /^P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/.exec(text);
  if (match === null) return undefined;
  const [weeks, days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return Math.round((((weeks! * 7 + days!) * 24 + hours!) * 60 + minutes!) * 60_000 + seconds! * 1000);
}

/** Milliseconds since the epoch of an ISO 8601 date or date and time, UTC unless it says otherwise. */
export function parseDateTime(text: string): number | undefined {
  const match = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  if (match === null) return undefined;
  const timeMs = Date.parse(match[1] === undefined || match[2] !== undefined ? text : `${text}Z`);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
