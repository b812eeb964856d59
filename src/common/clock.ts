/**
 * Time, timers and randomness, handed in everywhere so that a test or a simulation can decide them.
 * This file is the only one that may touch the machine's own (test/tidy.test.ts).
 */

import { onAbort } from './abort.ts';

export interface Clock {
  /** Wall-clock time, milliseconds since the epoch. */
  now(): number;
  /** A monotonic reading, in milliseconds with fractions, for measuring durations only. */
  monotonic(): number;
  /** Calls `action` once after `delayMs`. Returns what cancels it. The timer does not keep the process alive. */
  setTimer(delayMs: number, action: () => void): () => void;
}

/** The longest a timer of the machine can wait, 24.8 days: what is longer fires at once. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

/** A number in [0, 1). */
export type Random = () => number;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = () => Math.random();

/** Resolves after `delayMs` on `clock`, or at once when `signal` aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    let unsubscribe = (): void => undefined;
    const done = (): void => {
      cancel();
      unsubscribe();
      resolve();
    };
    const cancel = clock.setTimer(delayMs, done);
    if (signal !== undefined) unsubscribe = onAbort(signal, done);
  });
}

/**
 * Resolves in a later turn of the event loop, so that sockets and timers get theirs. However many wait, a turn goes to
 * those who fit into it: first come, first served, and the others wait for the next.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (turning) return;
    turning = true;
    setImmediate(beginTurn);
  });
}

/** How long a turn lasts: those who are left wait for the next one. */
const TURN_MS = 10;
/** Continuations of the calls of `nextTurn`, in order. */
let waiting: (() => void)[] = [];
/** Those whose turn it is, and which of them is next. */
let current: (() => void)[] = [];
let at = 0;
/** Whether a turn is under way, or to come. */
let turning = false;
let turnEndMs = 0;

function beginTurn(): void {
  // A call of `nextTurn` during this turn waits for the next one.
  current = at < current.length ? current.slice(at).concat(waiting) : waiting;
  at = 0;
  waiting = [];
  turnEndMs = performance.now() + TURN_MS;
  giveTurn();
}

function giveTurn(): void {
  current[at++]!();
  // A tick that a microtask asks for comes when no microtask is left: when everything that was called has gone as far as it can.
  queueMicrotask(afterTurn);
}

function afterTurn(): void {
  process.nextTick(passTurn);
}

function passTurn(): void {
  if (at < current.length && performance.now() < turnEndMs) return giveTurn();
  turning = at < current.length || waiting.length > 0;
  if (turning) setImmediate(beginTurn);
  return undefined;
}

/**
 * Shares the event loop: long work asks after each piece whether the slice is `over`, and then lets sockets and
 * timers have their turn with `next`.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #sliceMs: number;
  #endMs: number;

  constructor(clock: Clock, sliceMs = 10) {
    this.#clock = clock;
    this.#sliceMs = sliceMs;
    this.#endMs = clock.monotonic() + sliceMs;
  }

  get over(): boolean {
    return this.#clock.monotonic() >= this.#endMs;
  }

  async next(): Promise<void> {
    await nextTurn();
    this.#endMs = this.#clock.monotonic() + this.#sliceMs;
  }
}

/** Keeps the process alive until what it returns is called: waiting on the embedded log alone would not. */
export function keepAlive(): () => void {
  const timer = setInterval(() => undefined, 0x7fffffff);
  return () => clearInterval(timer);
}

/** A clock that stands still until it is moved. Timers fire from `advance`, in order of their due time. */
export class ManualClock implements Clock {
  #now: number;
  #timers: { due: number; action: () => void }[] = [];

  constructor(now = 0) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  setTimer(delayMs: number, action: () => void): () => void {
    const timer = { due: this.#now + delayMs, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves the clock forward by `ms`, firing every timer that falls due on the way. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.due);
      next.action();
    }
    this.#now = end;
  }
}
