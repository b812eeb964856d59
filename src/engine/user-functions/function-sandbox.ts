import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { DataError } from '../../common/error.ts';
import type { DescribedFunction } from './user-function.ts';

/** Bytes of arguments or results that fit into one call. */
const CHANNEL_BYTES = 4 * 1024 * 1024;
/** How long a call may take before its worker is ended. */
const CALL_TIMEOUT_MS = 1000;
const LOAD_TIMEOUT_MS = 10_000;

const IDLE = 0;
const REQUESTED = 1;
const ANSWERED = 2;
const FAILED = 3;

/**
 * The worker's program. It knows nothing of the engine: it loads the module, describes it, and answers one call at a
 * time over shared memory, blocking in between.
 */
const PROGRAM = `
const { workerData } = require('node:worker_threads');
const { deserialize, serialize } = require('node:v8');
const control = new Int32Array(workerData.control);
const channel = Buffer.from(workerData.channel);
function answer(state, value) {
  let bytes = serialize(value);
  if (bytes.length > channel.length) { state = ${FAILED}; bytes = serialize('the result is larger than ' + channel.length + ' bytes'); }
  bytes.copy(channel);
  control[1] = bytes.length;
  Atomics.store(control, 0, state);
  Atomics.notify(control, 0);
}
const text = (error) => error instanceof Error ? error.message : String(error);
import(workerData.module).then((loaded) => {
  const functions = loaded.default;
  if (!Array.isArray(functions)) throw new Error('its default export must be an array of functions');
  answer(${ANSWERED}, functions.map(({ name, kind = 'scalar', description, examples, signatures }) => ({
    name, kind, description, examples,
    signatures: signatures.map((signature) => ({
      parameters: signature.parameters, literals: signature.literals, state: signature.state,
      returns: signature.returns, strict: signature.strict,
      has: Object.keys(signature).filter((member) => typeof signature[member] === 'function'),
    })),
  })));
  for (;;) {
    while (Atomics.load(control, 0) !== ${REQUESTED}) Atomics.wait(control, 0, Atomics.load(control, 0));
    try {
      const [index, signature, member, args] = deserialize(channel.subarray(0, control[1]));
      answer(${ANSWERED}, functions[index].signatures[signature][member](...args));
    } catch (error) {
      answer(${FAILED}, text(error));
    }
  }
}).catch((error) => answer(${FAILED}, text(error)));
`;

/**
 * A user's module in a thread of its own: it shares no memory with the engine but the channel, and a function that
 * does not return, exits or runs out of memory costs its caller a null and the thread a restart. Calls block the
 * caller, a few microseconds each.
 */
export class FunctionSandbox {
  readonly file: string;
  readonly functions: readonly DescribedFunction[];
  readonly #control: Int32Array;
  readonly #channel: Buffer;
  #worker: Worker;

  private constructor(
    file: string,
    worker: Worker,
    control: Int32Array,
    channel: Buffer,
    functions: readonly DescribedFunction[],
  ) {
    this.file = file;
    this.#worker = worker;
    this.#control = control;
    this.#channel = channel;
    this.functions = functions;
  }

  /** Throws `Error` with what is wrong with the module. */
  static open(file: string): FunctionSandbox {
    const control = new Int32Array(new SharedArrayBuffer(8));
    const channel = Buffer.from(new SharedArrayBuffer(CHANNEL_BYTES));
    const worker = startWorker(file, control, channel);
    try {
      const functions = receive(control, channel, IDLE, LOAD_TIMEOUT_MS) as DescribedFunction[];
      return new FunctionSandbox(file, worker, control, channel, functions);
    } catch (error) {
      void worker.terminate();
      throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Calls a member of a signature. Throws `DataError` when it throws, or does not answer in time. */
  call(index: number, signature: number, member: string, args: readonly unknown[]): unknown {
    const bytes = serialize([index, signature, member, args]);
    if (bytes.length > this.#channel.length)
      throw new DataError(
        `the arguments of ${this.functions[index]!.name} are larger than ${this.#channel.length} bytes`,
      );
    bytes.copy(this.#channel);
    this.#control[1] = bytes.length;
    Atomics.store(this.#control, 0, REQUESTED);
    Atomics.notify(this.#control, 0);
    try {
      return receive(this.#control, this.#channel, REQUESTED, CALL_TIMEOUT_MS);
    } catch (error) {
      if (error instanceof NoAnswer) this.#restart();
      throw new DataError(`${this.functions[index]!.name}: ${(error as Error).message}`);
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #restart(): void {
    void this.#worker.terminate();
    Atomics.store(this.#control, 0, IDLE);
    this.#worker = startWorker(this.file, this.#control, this.#channel);
    receive(this.#control, this.#channel, IDLE, LOAD_TIMEOUT_MS);
  }
}

class NoAnswer extends Error {}

function startWorker(file: string, control: Int32Array, channel: Buffer): Worker {
  const worker = new Worker(PROGRAM, {
    eval: true,
    workerData: {
      control: control.buffer,
      channel: channel.buffer,
      module: pathToFileURL(resolve(file)).href,
    },
    // The engine's own settings are none of the module's business.
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  worker.on('error', () => undefined);
  worker.unref();
  return worker;
}

/** Waits until the state is no longer `from`. */
function receive(control: Int32Array, channel: Buffer, from: number, timeoutMs: number): unknown {
  if (Atomics.wait(control, 0, from, timeoutMs) === 'timed-out')
    throw new NoAnswer(`no answer within ${timeoutMs} ms`);
  const value: unknown = deserialize(channel.subarray(0, control[1]));
  if (Atomics.load(control, 0) === FAILED) throw new Error(String(value));
  return value;
}
