import { type Log, LogError, type LogReader, type LogWriter } from '../../src/log/log.ts';
import type { RecordAppender } from '../../src/log/record-appender.ts';
import type { StateBackend, TaskState } from '../../src/state/store.ts';
import type { SeededRandom } from '../harness/reference/seeded-random.ts';
import { Crash } from './crash.ts';

/** Errors in one life: starting again makes many calls, and must succeed some time. */
const ERRORS_MAX = 10;

/**
 * `atomic`: in one step, and nothing is sent without a commit, as in the embedded log. `early`: output may be sent before,
 * and what a flush that fails held is lost, as on Kafka without transactions; `two-step`: and offsets are committed after
 * everything else was sent.
 */
export type Commits = 'atomic' | 'early' | 'two-step';

export interface FaultOptions {
  readonly random: SeededRandom;
  /** Calls until the process dies; Infinity for one that does not. */
  readonly callsUntilCrash: number;
  /** How likely a call fails without the process dying: as when a broker or a disk is away for a moment. */
  readonly errorRate: number;
  /** How likely a partition is left out of a poll. */
  readonly holdBackRate: number;
  /** How commits make output and offsets visible. */
  readonly commits: Commits;
  /** A writer is opened: what was gathered before, and not sent, is gone. */
  readonly onOpened: () => void;
  /**
   * A commit, or a flush, takes what was gathered. What it returns is called when that has taken effect, and told whether
   * the state has too, as its changelogs were among it; whether the caller will know is not said.
   */
  readonly onWrite: () => (withState: boolean) => void;
}

/**
 * Log and state as a process has them whose every call, of whatever part, may be the last, or fail before or after it
 * took effect. After a crash nothing gets through any more; `release` gives back what a dead process would not hold.
 */
export class FaultyProcess {
  readonly log: Log;
  readonly state: StateBackend;
  crashedAt: string | null = null;
  errors = 0;
  readonly #options: FaultOptions;
  #callsUntilCrash: number;
  readonly #open = new Set<{ close(): Promise<void> }>();

  constructor(log: Log, state: StateBackend, options: FaultOptions) {
    this.#options = options;
    this.#callsUntilCrash = options.callsUntilCrash;
    this.log = {
      admin: this.#faulty('admin', log.admin),
      openReader: (readerOptions) => this.#reader(log.openReader(readerOptions)),
      openWriter: async (writerOptions) => {
        this.#call('openWriter');
        this.#options.onOpened();
        return this.#writer(this.#track(await log.openWriter(writerOptions)));
      },
      close: () => log.close(),
    };
    this.state = {
      openTaskState: async (directory) => {
        this.#call('openTaskState');
        const opened = this.#track(await state.openTaskState(directory));
        return this.#taskState(opened);
      },
    };
  }

  /** Closes what is still open, without writing. */
  async release(): Promise<void> {
    this.crashedAt ??= 'released';
    for (const each of this.#open) await each.close();
  }

  #track<T extends { close(): Promise<void> }>(opened: T): T {
    this.#open.add(opened);
    return opened;
  }

  /** A call begins or ends here; it fails `likely` times as likely as others. */
  #call(name: string, likely = 1): void {
    if (this.crashedAt === null && --this.#callsUntilCrash <= 0) this.crashedAt = name;
    if (this.crashedAt !== null) throw new Crash(this.crashedAt);
    if (this.errors >= ERRORS_MAX || !this.#options.random.chance(likely * this.#options.errorRate)) return;
    this.errors++;
    throw new LogError('unavailable', `${name} failed`);
  }

  /** The methods of `target`, each of which may fail before and, where it is asynchronous, after it took effect. */
  #faulty<T extends object>(of: string, target: T, sure: readonly string[] = []): T {
    const wrapped: Record<string, unknown> = {};
    for (
      let proto: object | null = target;
      proto !== null && proto !== Object.prototype;
      proto = Object.getPrototypeOf(proto)
    )
      for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(proto))) {
        if (name === 'constructor' || name in wrapped) continue;
        if (typeof value !== 'function')
          Object.defineProperty(wrapped, name, {
            get: () => target[name as keyof T],
            set(next: T[keyof T]) {
              target[name as keyof T] = next;
            },
          });
        else if (sure.includes(name)) wrapped[name] = value.bind(target);
        else
          wrapped[name] = (...args: unknown[]) => {
            const call = `${of}.${name}`;
            // What throws and what rejects is not the same to a caller.
            const promised = value.constructor.name === 'AsyncFunction' || PROMISED.has(name);
            if (!promised) {
              this.#call(call);
              return value.apply(target, args);
            }
            return (async () => {
              this.#call(call);
              const result = await value.apply(target, args);
              this.#call(`${call} (done)`);
              return result;
            })();
          };
      }
    return wrapped as T;
  }

  #writer(writer: LogWriter): LogWriter {
    const { commits, onWrite } = this.#options;
    const appenders = new Set<RecordAppender>();
    const heard = async (write: () => Promise<void>, withState: boolean): Promise<void> => {
      try {
        // There are few flushes, and few of those are followed by a commit.
        this.#call('writer', commits === 'atomic' ? 1 : 10);
      } catch (error) {
        // Marks are good until a flush, so the first one of all is that of what was gathered since.
        if (commits !== 'atomic') for (const each of appenders) each.rollback(0);
        throw error;
      }
      const done = onWrite();
      await write();
      done(withState);
      this.#call('writer (done)');
    };
    return {
      appender(at) {
        const appender = writer.appender(at);
        appenders.add(appender);
        return appender;
      },
      endOffset: (at) => writer.endOffset(at),
      isPending: (at) => writer.isPending(at),
      close: () => writer.close(),
      get pendingBytes() {
        return writer.pendingBytes;
      },
      get unsentBytes() {
        return writer.unsentBytes;
      },
      atomicCommit: commits === 'atomic',
      flushStaysHidden: false,
      lingerMs: 5,
      readable: () => writer.readable(),
      flush: () => heard(() => writer.flush(), false),
      async commit(offsets) {
        if (commits === 'two-step') await heard(() => writer.flush(), true);
        await heard(() => writer.commit(offsets), true);
      },
    };
  }

  #reader(opened: LogReader): LogReader {
    const reader = this.#track(opened);
    const { random, holdBackRate } = this.#options;
    const assigned = new Map<string, { topic: string; partition: number; paused: boolean }>();
    const keyOf = ({ topic, partition }: { topic: string; partition: number }): string =>
      `${topic}-${partition}`;
    return {
      assign(position) {
        reader.assign(position);
        assigned.set(keyOf(position), { ...position, paused: false });
      },
      unassign(at) {
        reader.unassign(at);
        assigned.delete(keyOf(at));
      },
      pause(at) {
        reader.pause(at);
        assigned.get(keyOf(at))!.paused = true;
      },
      resume(at) {
        reader.resume(at);
        assigned.get(keyOf(at))!.paused = false;
      },
      poll: async (maxWaitMs) => {
        this.#call('reader.poll');
        const heldBack = [...assigned.values()].filter(
          ({ paused }) => !paused && random.chance(holdBackRate),
        );
        for (const at of heldBack) reader.pause(at);
        try {
          // Whoever waits for a partition that is held back would wait for ever.
          return await reader.poll(heldBack.length > 0 ? 0 : maxWaitMs);
        } finally {
          for (const at of heldBack) if (assigned.get(keyOf(at))?.paused === false) reader.resume(at);
        }
      },
      position: (at) => reader.position(at),
      endOffset: (at) => reader.endOffset(at),
      close: () => reader.close(),
    };
  }

  #taskState(state: TaskState): TaskState {
    // Reads and writes in memory do not fail; what reaches the disk or ends a commit may.
    return this.#faulty('state', state, [
      'openStore',
      'want',
      'beginRecord',
      'undoRecord',
      'restore',
      'evict',
      'close',
    ]);
  }
}

const PROMISED = new Set([
  'createTopic',
  'deleteTopic',
  'listTopics',
  'describeTopic',
  'topicConfigs',
  'offsets',
  'offsetsForTime',
  'deleteRecords',
  'committed',
  'alterCommitted',
  'load',
  'allowWaiting',
  'persist',
  'wipe',
]);
