import type { Log, LogWriter } from '../../src/log/log.ts';
import type { StateBackend, TaskState } from '../../src/state/store.ts';

/** What a process feels when it dies: the call it was in never comes back, nor does any after it. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

/**
 * The log and the state as one process has them until it crashes. Every call that changes something outside the process
 * is a step at which it can end, before the call or after it; `stepsUntilCrash` says at which. Afterwards nothing gets
 * through any more, and `release` gives back what the machine would take from a dead process.
 */
export class CrashingProcess {
  readonly log: Log;
  readonly state: StateBackend;
  crashedAt: string | null = null;
  #stepsUntilCrash: number;
  readonly #open = new Set<{ close(): Promise<void> }>();

  constructor(log: Log, state: StateBackend, stepsUntilCrash: number) {
    this.#stepsUntilCrash = stepsUntilCrash;
    this.log = this.#wrapLog(log);
    this.state = {
      openTaskState: async (directory) => {
        this.#step('before a state is opened');
        const opened = await state.openTaskState(directory);
        this.#open.add(opened);
        this.#step('after a state is opened');
        return this.#wrapState(opened);
      },
    };
  }

  /** Ends what is still open, without writing. */
  async release(): Promise<void> {
    this.crashedAt ??= 'released';
    for (const each of this.#open) await each.close();
  }

  #step(name: string): void {
    if (this.crashedAt === null && --this.#stepsUntilCrash === 0) this.crashedAt = name;
    if (this.crashedAt !== null) throw new Crash(this.crashedAt);
  }

  async #around<T>(name: string, call: () => Promise<T>): Promise<T> {
    this.#step(`before ${name}`);
    const result = await call();
    this.#step(`after ${name}`);
    return result;
  }

  #wrapLog(log: Log): Log {
    return {
      admin: {
        ...methodsOf(log.admin),
        createTopic: (topic) => this.#around('a topic is created', () => log.admin.createTopic(topic)),
      },
      openReader: (options) => {
        const reader = log.openReader(options);
        this.#open.add(reader);
        return reader;
      },
      openWriter: async (options) => {
        const writer = await log.openWriter(options);
        this.#open.add(writer);
        return this.#wrapWriter(writer);
      },
      close: () => log.close(),
    };
  }

  #wrapWriter(writer: LogWriter): LogWriter {
    return {
      ...methodsOf(writer),
      atomicCommit: writer.atomicCommit,
      flushStaysHidden: writer.flushStaysHidden,
      lingerMs: writer.lingerMs,
      get pendingBytes() {
        return writer.pendingBytes;
      },
      get unsentBytes() {
        return writer.unsentBytes;
      },
      flush: () => this.#around('a flush', () => writer.flush()),
      commit: (offsets) => this.#around('the commit of the log', () => writer.commit(offsets)),
    };
  }

  #wrapState(state: TaskState): TaskState {
    const wrapped = {
      ...methodsOf(state),
      load: () => this.#around('a load', () => state.load()),
      drainChangelog: (
        store: Parameters<TaskState['drainChangelog']>[0],
        visit: Parameters<TaskState['drainChangelog']>[1],
      ) => {
        this.#step('before a changelog is drained');
        state.drainChangelog(store, visit);
        this.#step('after a changelog is drained');
      },
      persist: (meta: string) => this.#around('a persist', () => state.persist(meta)),
      wipe: () => this.#around('a wipe', () => state.wipe()),
    };
    Object.defineProperty(wrapped, 'waits', {
      get: () => state.waits,
      set(waits: boolean) {
        state.waits = waits;
      },
    });
    for (const name of [
      'missed',
      'readFailure',
      'meta',
      'damage',
      'resident',
      'unpersistedBytes',
      'memoryBytes',
    ] as const)
      Object.defineProperty(wrapped, name, { get: () => state[name] });
    return wrapped as unknown as TaskState;
  }
}

/** The methods of an object, bound to it, as an object of their own. */
function methodsOf<T extends object>(target: T): T {
  const methods: Record<string, unknown> = {};
  for (
    let proto: object | null = target;
    proto !== null && proto !== Object.prototype;
    proto = Object.getPrototypeOf(proto)
  )
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(proto)))
      if (typeof value === 'function' && name !== 'constructor' && !(name in methods))
        methods[name] = (...args: unknown[]) => value.apply(target, args);
  return methods as T;
}
