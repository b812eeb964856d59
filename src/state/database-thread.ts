import { createRequire } from 'node:module';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { must } from '../common/assert.ts';
import { DATABASE_PROGRAM } from './database-program.ts';
import { waitForChange } from './wait-for-change.ts';
import type { PackedBytes } from './packed-bytes.ts';

/** How long a read may stand still before the thread is taken for dead. */
const ANSWER_TIMEOUT_MS = 60_000;

/** A request to the thread; `database` is the number that `open` gave it. */
export type DatabaseRequest =
  | { readonly kind: 'open'; readonly database: number; readonly path: string; readonly options: object }
  | { readonly kind: 'get'; readonly database: number; readonly keys: PackedBytes }
  | { readonly kind: 'scan'; readonly database: number; readonly bounds: PackedBytes; readonly limit: number }
  | {
      readonly kind: 'write';
      readonly database: number;
      readonly ranges: PackedBytes;
      readonly rows: PackedBytes;
    }
  | { readonly kind: 'close'; readonly database: number };

interface Reply {
  readonly id: number;
  /** With RocksDB's code, if it has one. */
  readonly error: { readonly message: string; readonly code: string | undefined } | null;
  readonly result: PackedBytes | undefined;
}

interface Waiting {
  readonly resolve: (result: PackedBytes | undefined) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The thread that holds the databases which must be read while this thread stands still: RocksDB's binding answers on
 * the event loop only, and a processor that has begun cannot be taken back to it. One a thread, while it is needed.
 */
export class DatabaseThread {
  static #shared: DatabaseThread | null = null;

  readonly #worker: Worker;
  readonly #answers: MessagePort;
  readonly #control = new Int32Array(new SharedArrayBuffer(4));
  readonly #waiting = new Map<number, Waiting>();
  #users = 0;
  #nextId = 0;
  #nextDatabase = 0;
  #failure: Error | null = null;

  private constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#answers = port1;
    port1.unref();
    this.#worker = new Worker(DATABASE_PROGRAM, {
      eval: true,
      workerData: {
        module: createRequire(import.meta.url).resolve('rocksdb-native'),
        control: this.#control.buffer,
        answers: port2,
      },
      transferList: [port2],
    });
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    this.#worker.on('error', (error) => this.#fail(error as Error));
    this.#worker.on('exit', () => this.#fail(new Error('the thread of the state databases has ended')));
    this.#worker.unref();
  }

  /** The thread of all; `release` gives it back. */
  static acquire(): DatabaseThread {
    const thread = (DatabaseThread.#shared ??= new DatabaseThread());
    thread.#users++;
    return thread;
  }

  /** Ends the thread when nobody else uses it. */
  async release(): Promise<void> {
    if (--this.#users > 0) return;
    if (DatabaseThread.#shared === this) DatabaseThread.#shared = null;
    this.#answers.close();
    await this.#worker.terminate();
  }

  newDatabase(): number {
    return this.#nextDatabase++;
  }

  ask(request: DatabaseRequest): Promise<PackedBytes | undefined> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      // The process stays alive while somebody waits for an answer.
      if (this.#waiting.size === 0) this.#worker.ref();
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...request, id, blocking: false }, buffersOf(request));
    });
  }

  /** As `ask`, with this thread standing still until the answer is there. */
  askNow(request: DatabaseRequest): PackedBytes | undefined {
    if (this.#failure !== null) throw this.#failure;
    const id = this.#nextId++;
    const before = Atomics.load(this.#control, 0);
    this.#worker.postMessage({ ...request, id, blocking: true }, buffersOf(request));
    const answered = waitForChange(this.#control, before, ANSWER_TIMEOUT_MS);
    const reply = receiveMessageOnPort(this.#answers)?.message as Reply | undefined;
    if (!answered || reply?.id !== id) {
      // Another answer may still come, and must not be taken for the next one's.
      const why = answered ? 'answered something else' : `did not answer within ${ANSWER_TIMEOUT_MS} ms`;
      this.#fail(new Error(`the state database ${why}`));
      throw must(this.#failure);
    }
    if (reply.error !== null) throw errorOf(reply.error);
    return reply.result;
  }

  #settle({ id, error, result }: Reply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (error === null) waiting?.resolve(result);
    else waiting?.reject(errorOf(error));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    if (DatabaseThread.#shared === this) DatabaseThread.#shared = null;
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }
}

function errorOf({ message, code }: NonNullable<Reply['error']>): Error {
  const error = new Error(message);
  return code === undefined ? error : Object.assign(error, { code });
}

/** The buffers that move to the other thread instead of being copied. */
function buffersOf(request: DatabaseRequest): ArrayBuffer[] {
  return Object.values(request).flatMap((each: unknown) =>
    typeof each === 'object' && each !== null && 'sizes' in each
      ? [(each as PackedBytes).sizes.buffer, (each as PackedBytes).bytes.buffer]
      : [],
  );
}
