import type { Clock } from '../common/clock.ts';
import { SqlError } from '../common/error.ts';

/**
 * `promise`, or the rejection with what `late` makes when it takes longer than `ms`: its result is then dropped.
 */
export function within<T>(clock: Clock, ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(ms, () => reject(late()));
    promise.finally(cancel).then(resolve, reject);
  });
}

/**
 * Gives statements their turn. Those that change something run one after another, in all sessions, and a session's
 * statements find its own changes done. None waits without end: one that has not begun after `patienceMs` is refused.
 */
export class StatementOrder {
  readonly #clock: Clock;
  readonly #patienceMs: number;
  #turn: Promise<unknown> = Promise.resolve();
  /** When the changes that each session has asked for are through. */
  readonly #sessions = new WeakMap<object, Promise<unknown>>();

  constructor(clock: Clock, patienceMs: number) {
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  /** When no other action runs alone. */
  alone<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when what the session has asked to be changed so far is done, or has failed. */
  async changesOf(session: object): Promise<void> {
    await this.#sessions.get(session);
  }

  /**
   * A change that a session asks for, in its turn. `action` calls `answer` when others may go on: what it is given is
   * the answer, or what the answer comes from. What it rejects with is the answer too, when there was none before.
   */
  change<T>(session: object, action: (answer: Answer<T>) => Promise<void>): Promise<T> {
    const earlier = this.changesOf(session);
    const answered = earlier.then(() => this.#take(action));
    this.#sessions.set(
      session,
      answered.catch(() => undefined),
    );
    return answered;
  }

  #take<T>(action: (answer: Answer<T>) => Promise<void>): Promise<T> {
    return new Promise((resolve, reject) => {
      let waits = true;
      const cancel = this.#clock.setTimer(this.#patienceMs, () => {
        waits = false;
        reject(
          new SqlError('ML_LOG', 'the statement was not begun: another one has not come to its end', {
            hint: 'nothing was done; look whether the log (Kafka) can be reached, and send it again',
          }),
        );
      });
      void this.alone(async () => {
        if (!waits) return;
        cancel();
        await action({ resolve, reject }).catch(reject);
      });
    });
  }
}

export interface Answer<T> {
  readonly resolve: (value: T | Promise<T>) => void;
  readonly reject: (error: Error) => void;
}
