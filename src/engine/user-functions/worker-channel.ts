import { Worker } from 'node:worker_threads';
import type { Clock } from '../../common/clock.ts';
import { DataError } from '../../common/error.ts';
import { eventLoop } from '../../common/event-loop.ts';
import { SilenceBudget } from './silence-budget.ts';

/** Bytes of arguments or results that fit into one call. */
const CHANNEL_BYTES = 4 * 1024 * 1024;
/**
 * A worker whose user's code has not begun yet, since others have the machine or its interpreter is being made, is waited
 * for longer: a busy machine must not turn results into nulls.
 */
const BEGIN_TIMEOUT_MS = 10_000;
/**
 * It is looked at this often. What counts is the processor time that went by meanwhile, which is the worker's while the
 * caller waits; on a machine that others have, no more than this many times the time that a call may work.
 */
const WAIT_MS = 50;
const OTHERS_HAVE_IT = 2.5;
/** A function may be silent this many times at once, and take up this much of a second from then on. */
const SILENCES = 2;
const SILENT_MS_PER_SECOND = 50;
/** Calls that run this long count towards what one turn of the event loop may be held. */
const LONG_CALL_MS = 10;
const IDLE = 0;
const REQUESTED = 1;
const ANSWERED = 2;
const FAILED = 3;
/** The program itself has stopped the code, because it took too long. */
const STOPPED = 4;

/** Places in the control array. */
const STATE = 0;
const LENGTH = 1;
const BEGUN = 2;
const RAN_MS = 3;

/** In the place of the answer's length: the answer is the channel's first number. */
export const NUMBER = -1;

/**
 * The beginning of the workers' programs. `channel`, `words` and `numbers` are the memory that both sides share.
 * `answer(state, length)` says that the answer stands there, `put` and `putText` write one and return its length,
 * `begin()` says that the user's code begins now and `ran(ms)` how long it ran, and `serve(handle)` answers one request after another, blocking in between, with the length that `handle(length)` returns,
 * or promises, or with what it throws (a `Stopped` for code that took too long).
 */
const PRELUDE = `
'use strict';
const { workerData } = require('node:worker_threads');
const control = new Int32Array(workerData.control);
const channel = Buffer.from(workerData.channel);
const words = new Int32Array(workerData.channel);
const numbers = new Float64Array(workerData.channel);
const IDLE = ${IDLE}, ANSWERED = ${ANSWERED}, FAILED = ${FAILED}, NUMBER = ${NUMBER};
class Stopped extends Error {}
const begin = () => Atomics.store(control, ${BEGUN}, 1);
const ran = (ms) => { control[${RAN_MS}] = ms; };
function answer(state, length) {
  control[${LENGTH}] = length;
  Atomics.store(control, ${STATE}, state);
  Atomics.notify(control, ${STATE});
}
function fits(length) {
  if (length > channel.length) throw new Error('the result is larger than ' + channel.length + ' bytes');
  return length;
}
function put(bytes) {
  fits(bytes.length);
  channel.set(bytes);
  return bytes.length;
}
function putText(text) {
  if (text.length * 3 > channel.length) fits(Buffer.byteLength(text));
  return channel.write(text);
}
const text = (error) => error instanceof Error ? error.message : String(error);
const fail = (error) => answer(error instanceof Stopped ? ${STOPPED} : FAILED, putText(text(error).slice(0, 10_000)));
async function serve(handle) {
  for (;;) {
    // It waits on what it has looked at: looked at once more, a request that came in between would be slept through.
    for (let seen = Atomics.load(control, ${STATE}); seen !== ${REQUESTED}; seen = Atomics.load(control, ${STATE}))
      Atomics.wait(control, ${STATE}, seen);
    try {
      const length = handle(control[${LENGTH}]);
      answer(ANSWERED, typeof length === 'number' ? length : await length);
    } catch (error) {
      fail(error);
    }
  }
}
`;

export interface ChannelOptions {
  /** Runs after the prelude, answers once when it is ready and then serves. */
  readonly program: string;
  /** The program's `workerData`. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly clock: Clock;
  /** How long a call may work before its thread is ended. */
  readonly callMs: number;
  /** Once calls have held a turn of the event loop this long, further ones are refused until the next turn. */
  readonly turnMs: number;
  /** A new thread has taken the place of one that did not answer. */
  readonly restarted?: () => void;
}

/**
 * A thread for users' code: it shares no memory with the engine but the channel, and code that does not return, exits
 * or runs out of memory costs its caller an error and the thread a restart. Calls block the caller, a few microseconds
 * each. A request is written into `bytes` (`words`, `numbers`) before `call`, and the answer read there after it.
 */
export class WorkerChannel {
  /** The memory of the current worker; a worker that was given up keeps its own, and nobody reads that. */
  bytes!: Buffer;
  words!: Int32Array;
  numbers!: Float64Array;
  #control!: Int32Array;
  /** Length of what the program answered when it was loaded. */
  readonly loaded: number;
  readonly #options: ChannelOptions;
  readonly #budget: SilenceBudget;
  #worker: Worker;

  /** Throws `Error` with what the program said when it could not be loaded. */
  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#budget = new SilenceBudget(options.clock, {
      burstMs: SILENCES * options.callMs,
      msPerSecond: SILENT_MS_PER_SECOND,
    });
    this.#worker = this.#start();
    try {
      this.loaded = this.#receive(IDLE);
    } catch (error) {
      void this.#worker.terminate();
      throw error;
    }
  }

  /** Throws `DataError` when arguments of this many bytes do not fit. */
  fits(name: string, length: number): void {
    if (length > CHANNEL_BYTES)
      throw new DataError(`the arguments of ${name} are larger than ${CHANNEL_BYTES} bytes`);
  }

  /**
   * Sends the request of `length` bytes that stands in the channel. Returns the answer's length, or `NUMBER`. Throws
   * `DataError` that begins with `name` when the code throws, does not answer in time, or is not called because it did
   * not before. `key` tells the functions apart; a request without one is never held back.
   */
  call(name: string, key: number | string | null, length: number): number {
    if (key !== null) this.#refuse(name, key);
    const control = this.#control;
    control[LENGTH] = length;
    control[BEGUN] = 0;
    control[RAN_MS] = 0;
    Atomics.store(control, STATE, REQUESTED);
    Atomics.notify(control, STATE);
    try {
      return this.#receive(REQUESTED);
    } catch (error) {
      if (error instanceof Silence && key !== null) this.#budget.spend(key, this.#options.callMs);
      if (error instanceof NoAnswer) this.#restart();
      throw new DataError(`${name}: ${(error as Error).message}`);
    }
  }

  /** Nothing calls the function of this key any more. */
  forget(key: number | string): void {
    this.#budget.forget(key);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #refuse(name: string, key: number | string): void {
    const restMs = this.#budget.restMs(key);
    if (restMs > 0)
      throw new DataError(
        `${name}: it did not answer in time before and is not called for another ${Math.ceil(restMs / 1000)} s`,
      );
    if (eventLoop.heldMs >= this.#options.turnMs)
      throw new DataError(
        `${name}: functions have taken ${Math.round(eventLoop.heldMs)} ms for this record, so it was not called`,
      );
  }

  #restart(): void {
    // It ends some time after this, and may still answer.
    void this.#worker.terminate();
    this.#worker = this.#start();
    this.#receive(IDLE);
    this.#options.restarted?.();
  }

  #start(): Worker {
    this.#control = new Int32Array(new SharedArrayBuffer(16));
    const shared = new SharedArrayBuffer(CHANNEL_BYTES);
    this.bytes = Buffer.from(shared);
    this.words = new Int32Array(shared);
    this.numbers = new Float64Array(shared);
    const { program, data } = this.#options;
    const worker = new Worker(PRELUDE + program, {
      eval: true,
      workerData: { ...data, control: this.#control.buffer, channel: shared },
      // The engine's own settings are none of the code's business.
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    worker.on('error', () => undefined);
    worker.unref();
    return worker;
  }

  /** Waits until the state is no longer `from`. Returns the length of the answer. */
  #receive(from: number): number {
    const control = this.#control;
    this.#sleep(from);
    const ranMs = control[RAN_MS]!;
    if (ranMs >= LONG_CALL_MS) eventLoop.hold(ranMs);
    const length = control[LENGTH]!;
    const state = Atomics.load(control, STATE);
    if (state === ANSWERED) return length;
    const message = this.bytes.toString('utf8', 0, length);
    throw state === STOPPED ? new Silence(message) : new Error(message);
  }

  #sleep(from: number): void {
    const { callMs } = this.#options;
    eventLoop.hold(0);
    let waitedMs = 0;
    let begunMs = 0;
    let workedMs = 0;
    let used: NodeJS.CpuUsage | undefined;
    // It may be woken for nothing: by what the worker says of an answer that was taken before it said so.
    while (Atomics.load(this.#control, STATE) === from) {
      if (Atomics.wait(this.#control, STATE, from, WAIT_MS) !== 'timed-out') continue;
      waitedMs += WAIT_MS;
      const { user, system } = process.cpuUsage(used);
      if (Atomics.load(this.#control, BEGUN) === 1) {
        begunMs += WAIT_MS;
        workedMs += used === undefined ? WAIT_MS : Math.min(WAIT_MS, (user + system) / 1000);
      }
      used = process.cpuUsage();
      if (workedMs < callMs && begunMs < callMs * OTHERS_HAVE_IT && waitedMs < BEGIN_TIMEOUT_MS) continue;
      eventLoop.hold(Math.min(waitedMs, callMs));
      throw new NoAnswer(`no answer within ${waitedMs} ms`);
    }
  }
}

/** The code has taken longer than it may. */
class Silence extends Error {}

/** Its thread does not answer. */
class NoAnswer extends Silence {}
