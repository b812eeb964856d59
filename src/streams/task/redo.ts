import type { TaskState } from '../../state/store.ts';
import type { AsyncCalls } from '../topology/async-calls.ts';
import type { PersistedNumbers } from './persisted-numbers.ts';
import type { RecordFailures } from './record-failures.ts';
import type { TaskOutput } from './record-sink.ts';

/** All that a record, a punctuation or a flush changes. */
export interface RedoParts {
  readonly state: TaskState;
  /** Whether operators may be run again: those of users may not, who have side effects. */
  readonly repeatable: boolean;
  readonly output: TaskOutput;
  readonly failures: RecordFailures;
  readonly numbers: PersistedNumbers;
  readonly calls: readonly AsyncCalls[];
}

/**
 * How a task works on state of which memory holds a part. Operators read synchronously, so an attempt that needs
 * something else is undone, what it missed is loaded, and it is made again. Operators that cannot be run again read the
 * database instead, and the thread stands still meanwhile.
 */
export class Redo {
  readonly #parts: RedoParts;
  /** Nothing may be attempted while it is set. */
  #loading: Promise<void> | null = null;

  constructor(parts: RedoParts) {
    this.#parts = parts;
  }

  /** Makes an attempt until it need not be undone. */
  async until(attempt: () => boolean): Promise<void> {
    await this.ready();
    while (!attempt()) await this.load();
  }

  /** Does something to the task, and returns true; or nothing, and false, because state has to be loaded first. */
  attempt<T>(action: (given: T) => void, given: T): boolean {
    if (this.#loading !== null) return false;
    const { state, repeatable, failures } = this.#parts;
    if (state.resident || !repeatable) {
      this.waiting(action, given);
      return true;
    }
    this.#mark();
    try {
      action(given);
    } catch (error) {
      // An error that follows from a miss, also from one that was caught, is no failure.
      if (!state.missed) {
        failures.undo();
        throw error;
      }
    }
    if (state.missed) {
      this.#undo();
      return false;
    }
    failures.keep();
    return true;
  }

  /** Does something that is not made again: what it reads of the database is waited for. */
  waiting<T>(action: (given: T) => void, given: T): void {
    const { state } = this.#parts;
    if (state.resident) return action(given);
    state.waits = true;
    try {
      action(given);
    } finally {
      state.waits = false;
    }
    // An operator that caught it has made a result of nothing.
    if (state.readFailure !== null) throw state.readFailure;
    return undefined;
  }

  get isLoading(): boolean {
    return this.#loading !== null;
  }

  /** Loads what an attempt, or a reader from outside, has missed or wanted. */
  load(): Promise<void> {
    return (this.#loading ??= this.#whileLoading(this.#parts.state.load()));
  }

  /**
   * Resolves when something may be attempted: nothing is being loaded, and where operators cannot be run again, what
   * they will read can be waited for.
   */
  async ready(): Promise<void> {
    const { state, repeatable } = this.#parts;
    // A reader from outside may ask for the next load in the moment in which one ends.
    while (this.#loading !== null) await this.#loading;
    if (!state.resident && !repeatable) await (this.#loading = this.#whileLoading(state.allowWaiting()));
  }

  #whileLoading(loading: Promise<void>): Promise<void> {
    return loading.finally(() => {
      this.#loading = null;
    });
  }

  // By name, not in a list of `Undoable`: this is done for every record of a task that is not all in memory, and a call
  // that meets five classes is a search each time.

  #mark(): void {
    const { state, output, failures, numbers, calls } = this.#parts;
    failures.mark();
    for (let i = 0; i < calls.length; i++) calls[i]!.mark();
    state.beginRecord();
    output.mark();
    numbers.mark();
  }

  #undo(): void {
    const { state, output, failures, numbers, calls } = this.#parts;
    failures.undo();
    for (let i = 0; i < calls.length; i++) calls[i]!.undo();
    state.undoRecord();
    output.undo();
    numbers.undo();
  }
}
