import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Clock } from '../../common/clock.ts';
import { DataError } from '../../common/error.ts';
import { eventLoop } from '../../common/event-loop.ts';
import type { Sandbox } from './function-sandbox.ts';
import { MEMBERS } from './isolated-bootstrap.ts';
import { AS_JSON, ISOLATED_PROGRAM, REQUEST, RUN_MS, TEXT_START } from './isolated-program.ts';
import { decodeIsolated, encodeIsolated, writePlain } from './isolated-values.ts';
import { NUMBER, WorkerChannel } from './worker-channel.ts';

/** A function's code. */
export interface FunctionCode {
  readonly name: string;
  /** Scalar: a function's body. Table: a generator's. Aggregate: text that declares or returns its members. */
  readonly form: 'scalar' | 'aggregate' | 'table';
  readonly parameters: readonly string[];
  /** JavaScript. */
  readonly body: string;
}

/** The interpreter stops code by itself; what it cannot stop ends with its thread, this long after. */
const CALL_MS = RUN_MS + 100;
/** More than one such call, so that one leaves the others of its record theirs, and with another less than a second. */
const TURN_MS = CALL_MS + 100;
/** Time that a call takes to the thread and back, which is not counted: many cheap calls are no costly one. */
const CROSSING_MS = 0.05;

/** Node's types have it only with those of a browser. */
const { Module } = (globalThis as unknown as { WebAssembly: { Module: new (code: Uint8Array) => object } })
  .WebAssembly;

/** The functions that statements have made: one thread for all, started with the first of them. */
export class IsolatedFunctions {
  readonly #clock: Clock;
  readonly #codes = new Map<number, FunctionCode>();
  /** The functions whose code the thread that runs now has. */
  readonly #known = new Set<number>();
  #channel: WorkerChannel | null = null;
  #next = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Returns what calls the function, and the members that it has. It stays callable until it is forgotten. Throws
   * `DataError` when the text is no such code.
   */
  define(code: FunctionCode): { sandbox: Sandbox; members: readonly string[]; forget: () => void } {
    const id = this.#next++;
    const channel = (this.#channel ??= this.#open());
    const { name } = code;
    this.#codes.set(id, code);
    try {
      this.#learn(channel, id);
      const members = decodeIsolated(this.#ask(channel, name, REQUEST.members, id, null)) as string[];
      return {
        members,
        sandbox: { call: (_index, _signature, member, args) => this.#timed(channel, id, member, args) },
        forget: () => this.#forget(channel, id, name),
      };
    } catch (error) {
      this.#forget(channel, id, name);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#channel?.close();
  }

  #open(): WorkerChannel {
    // Looked up here, where a bundle finds its packages, and compiled once for all threads.
    const require = createRequire(import.meta.url);
    return new WorkerChannel({
      program: ISOLATED_PROGRAM,
      data: {
        core: require.resolve('quickjs-emscripten-core'),
        variant: require.resolve('@jitl/quickjs-wasmfile-release-sync'),
        wasmModule: new Module(readFileSync(require.resolve('@jitl/quickjs-wasmfile-release-sync/wasm'))),
      },
      clock: this.#clock,
      callMs: CALL_MS,
      turnMs: TURN_MS,
      restarted: () => this.#known.clear(),
    });
  }

  /** The time of a call on both sides, with that of making an interpreter for it, counts towards the turn. */
  #timed(channel: WorkerChannel, id: number, member: string, args: readonly unknown[]): unknown {
    const heldMs = eventLoop.heldMs;
    const startMs = this.#clock.monotonic();
    try {
      return this.#call(channel, id, member, args);
    } finally {
      const counted = eventLoop.heldMs - heldMs;
      eventLoop.addShort(Math.max(0, this.#clock.monotonic() - startMs - counted), CROSSING_MS);
    }
  }

  #call(channel: WorkerChannel, id: number, member: string, args: readonly unknown[]): unknown {
    const code = this.#codes.get(id);
    if (code === undefined) throw new DataError('the function is not defined any more');
    const { name } = code;
    if (!this.#known.has(id)) this.#learn(channel, id);
    const list = listed(member, args);
    const end = writePlain(channel, list);
    const length = end >= 0 ? end : writeText(channel, name, encodeIsolated(list));
    const { words } = channel;
    words[0] = REQUEST.call;
    words[1] = id;
    words[2] = MEMBERS.indexOf(member as (typeof MEMBERS)[number]);
    words[3] = end >= 0 ? list.length : AS_JSON;
    const answered = channel.call(name, id, length);
    if (answered === NUMBER) return channel.numbers[0];
    try {
      return decodeIsolated(channel.bytes.toString('utf8', 0, answered));
    } catch (error) {
      throw new DataError(`${name}: ${(error as DataError).message}`);
    }
  }

  /** Gives the thread the function's code. */
  #learn(channel: WorkerChannel, id: number): void {
    const { name, form, parameters, body } = this.#codes.get(id)!;
    const length = writeText(channel, name, JSON.stringify({ form, parameters, body }));
    this.#ask(channel, name, REQUEST.learn, id, null, length);
    this.#known.add(id);
  }

  #forget(channel: WorkerChannel, id: number, name: string): void {
    this.#codes.delete(id);
    channel.forget(id);
    if (this.#known.delete(id)) this.#ask(channel, name, REQUEST.forget, id, null);
  }

  /** Returns the text of the answer. */
  #ask(
    channel: WorkerChannel,
    name: string,
    what: number,
    id: number,
    key: null,
    length = TEXT_START,
  ): string {
    channel.words[0] = what;
    channel.words[1] = id;
    return channel.bytes.toString('utf8', 0, channel.call(name, key, length));
  }
}

/** The arguments as a member's function takes them. Members of aggregates are described with their columns' values in one list. */
function listed(member: string, args: readonly unknown[]): readonly unknown[] {
  switch (member) {
    case 'evaluate':
      return args;
    case 'initial':
      return [];
    case 'add':
    case 'undo':
      return [args[0], ...(args[1] as readonly unknown[])];
    case 'merge':
      return [args[0], args[1]];
    default:
      return [args[0]];
  }
}

/** Returns where the text ends. Throws `DataError` when it does not fit. */
function writeText(channel: WorkerChannel, name: string, text: string): number {
  const { bytes } = channel;
  if (text.length * 3 > bytes.length - TEXT_START) channel.fits(name, TEXT_START + Buffer.byteLength(text));
  return TEXT_START + bytes.write(text, TEXT_START);
}
