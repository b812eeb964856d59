import { deserialize, serialize } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { DataError } from '../../common/error.ts';

/** Bytes of arguments or results that fit into one call. */
const CHANNEL_BYTES = 4 * 1024 * 1024;
/**
 * How long a call may work before its worker is ended. A worker that has not begun yet, since others have the machine,
 * is waited for some more: a busy machine must not turn results into nulls.
 */
const CALL_TIMEOUT_MS = 1000;
const BEGIN_TIMEOUT_MS = 10_000;
/** It is looked at this often, so that a machine that stood still counts as this much and not as all the time. */
const WAIT_MS = 250;
/** A function that did not answer this many times in a row is not called again: each time costs a second. */
const SILENCES_MAX = 3;

const IDLE = 0;
const REQUESTED = 1;
const ANSWERED = 2;
const FAILED = 3;

/** What the places of the control array are. */
const STATE = 0;
const LENGTH = 1;
const BEGUN = 2;

/**
 * What the workers' programs begin with: `answer(state, value)`, `text(error)`, and `serve(handle)`, which answers one
 * request after another, blocking in between, with what `handle(request)` returns or throws.
 */
const PRELUDE = `
'use strict';
const { workerData } = require('node:worker_threads');
const { deserialize, serialize } = require('node:v8');
const control = new Int32Array(workerData.control);
const channel = Buffer.from(workerData.channel);
const ANSWERED = ${ANSWERED}, FAILED = ${FAILED};
function answer(state, value) {
  let bytes = serialize(value);
  if (bytes.length > channel.length) { state = FAILED; bytes = serialize('the result is larger than ' + channel.length + ' bytes'); }
  bytes.copy(channel);
  control[${LENGTH}] = bytes.length;
  Atomics.store(control, ${STATE}, state);
  Atomics.notify(control, ${STATE});
}
const text = (error) => error instanceof Error ? error.message : String(error);
function serve(handle) {
  for (;;) {
    // It waits on what it has looked at: looked at once more, a request that came in between would be slept through.
    for (let seen = Atomics.load(control, ${STATE}); seen !== ${REQUESTED}; seen = Atomics.load(control, ${STATE}))
      Atomics.wait(control, ${STATE}, seen);
    Atomics.store(control, ${BEGUN}, 1);
    try {
      answer(ANSWERED, handle(deserialize(channel.subarray(0, control[${LENGTH}]))));
    } catch (error) {
      answer(FAILED, text(error));
    }
  }
}
`;

/**
 * A thread for users' code: it shares no memory with the engine but the channel, and code that does not return, exits
 * or runs out of memory costs its caller an error and the thread a restart. Calls block the caller, a few microseconds
 * each.
 */
export class WorkerChannel {
  readonly #program: string;
  readonly #data: Readonly<Record<string, unknown>>;
  /** Of the worker that runs now: what one says that was given up goes nowhere. */
  #control!: Int32Array;
  #channel!: Buffer;
  readonly #silences = new Map<number | string, number>();
  readonly #restarted: () => void;
  /** What the program answered when it was loaded. */
  readonly loaded: unknown;
  #worker: Worker;

  /**
   * `program` runs after the prelude, answers once when it is ready and then serves. `restarted` is called when a new
   * thread has taken the place of one that did not answer. Throws `Error` with what the program said instead.
   */
  constructor(program: string, data: Readonly<Record<string, unknown>>, restarted: () => void) {
    this.#program = PRELUDE + program;
    this.#data = data;
    this.#restarted = restarted;
    this.#worker = this.#start();
    try {
      this.loaded = this.#receive(IDLE);
    } catch (error) {
      void this.#worker.terminate();
      throw error;
    }
  }

  /**
   * Throws `DataError` that begins with `name` when the code throws, or does not answer in time. `key` tells the
   * functions apart; a request without one is never given up.
   */
  call(name: string, request: unknown, key: number | string | null): unknown {
    const silences = key === null ? 0 : (this.#silences.get(key) ?? 0);
    if (silences >= SILENCES_MAX)
      throw new DataError(
        `${name}: it did not answer ${SILENCES_MAX} times in a row and is not called again`,
      );
    const bytes = serialize(request);
    if (bytes.length > this.#channel.length)
      throw new DataError(`the arguments of ${name} are larger than ${this.#channel.length} bytes`);
    bytes.copy(this.#channel);
    this.#control[LENGTH] = bytes.length;
    Atomics.store(this.#control, BEGUN, 0);
    Atomics.store(this.#control, STATE, REQUESTED);
    Atomics.notify(this.#control, STATE);
    try {
      const answer = this.#receive(REQUESTED);
      if (silences > 0) this.#silences.delete(key!);
      return answer;
    } catch (error) {
      if (error instanceof NoAnswer) {
        if (key !== null) this.#silences.set(key, silences + 1);
        this.#restart();
      }
      throw new DataError(`${name}: ${(error as Error).message}`);
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #restart(): void {
    // It ends some time after this, and may still answer.
    void this.#worker.terminate();
    this.#worker = this.#start();
    this.#receive(IDLE);
    this.#restarted();
  }

  #start(): Worker {
    this.#control = new Int32Array(new SharedArrayBuffer(12));
    this.#channel = Buffer.from(new SharedArrayBuffer(CHANNEL_BYTES));
    const worker = new Worker(this.#program, {
      eval: true,
      workerData: { ...this.#data, control: this.#control.buffer, channel: this.#channel.buffer },
      // The engine's own settings are none of the code's business.
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    worker.on('error', () => undefined);
    worker.unref();
    return worker;
  }

  /** Waits until the state is no longer `from`. */
  #receive(from: number): unknown {
    let waitedMs = 0;
    let workedMs = 0;
    // It may be woken for nothing: by what the worker says of an answer that was taken before it said so.
    while (Atomics.load(this.#control, STATE) === from) {
      if (Atomics.wait(this.#control, STATE, from, WAIT_MS) !== 'timed-out') continue;
      waitedMs += WAIT_MS;
      if (Atomics.load(this.#control, BEGUN) === 1) workedMs += WAIT_MS;
      if (workedMs >= CALL_TIMEOUT_MS || waitedMs >= BEGIN_TIMEOUT_MS)
        throw new NoAnswer(`no answer within ${waitedMs} ms`);
    }
    const value: unknown = deserialize(this.#channel.subarray(0, this.#control[LENGTH]));
    if (Atomics.load(this.#control, STATE) === FAILED) throw new Error(String(value));
    return value;
  }
}

class NoAnswer extends Error {}
