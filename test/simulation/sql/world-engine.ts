import { type Clock, systemClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import type { Engine, EngineOptions } from '../../../src/engine/engine.ts';
import { openEngine } from '../../../src/engine/open-engine.ts';
import type { Log } from '../../../src/log/log.ts';
import { openStateBackend } from '../../../src/state/task-state.ts';

/** The machine's clock, but for waits of seconds, as between the starts of a query that fails: who tests ends them. */
export class ImpatientClock implements Clock {
  #waiting: { readonly delayMs: number; readonly action: () => void }[] = [];

  now(): number {
    return systemClock.now();
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  setTimer(delayMs: number, action: () => void): () => void {
    // Who looks again and again waits for other work, of which there is no other.
    if (delayMs < 10) {
      const immediate = setImmediate(action);
      return () => clearImmediate(immediate);
    }
    if (delayMs < 1000) return systemClock.setTimer(delayMs, action);
    const waiting = { delayMs, action };
    this.#waiting.push(waiting);
    return () => {
      this.#waiting = this.#waiting.filter((each) => each !== waiting);
    };
  }

  /** Ends the waits of queries for their next start, which are powers of two seconds; not those for a log. */
  startAgain(): void {
    const due = this.#waiting.filter(({ delayMs }) => Number.isInteger(Math.log2(delayMs / 1000)));
    this.#waiting = this.#waiting.filter((each) => !due.includes(each));
    for (const { action } of due) action();
  }
}

export interface WorldEngineOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly stateDirectory: string | null;
  readonly commandLog: boolean;
  /** Whether a script that is run again finds its queries. */
  readonly keepQueries: boolean;
  readonly commitIntervalMs: number;
}

export function openWorldEngine({ commitIntervalMs, ...options }: WorldEngineOptions): Promise<Engine> {
  const all: EngineOptions = {
    state: openStateBackend(),
    random: () => 0.5,
    logger: silentLogger,
    serviceId: 'world',
    version: 'test',
    // What is written to a topic in between can be read when it is committed.
    properties: new Map([['commit.interval.ms', String(commitIntervalMs)]]),
    ...options,
  };
  return openEngine(all);
}
