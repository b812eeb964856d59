import { DataError } from '../../common/error.ts';
import type { Sandbox } from './function-sandbox.ts';
import { ISOLATED_PROGRAM } from './isolated-program.ts';
import { decodeIsolated, encodeIsolated } from './isolated-values.ts';
import { WorkerChannel } from './worker-channel.ts';

/** A function's code. */
export interface FunctionCode {
  readonly name: string;
  /** Scalar: a function's body. Table: a generator's. Aggregate: text that declares or returns its members. */
  readonly form: 'scalar' | 'aggregate' | 'table';
  readonly parameters: readonly string[];
  /** JavaScript. */
  readonly body: string;
}

/** The functions that statements have made: one thread for all, started with the first of them. */
export class IsolatedFunctions {
  readonly #codes = new Map<number, FunctionCode>();
  #channel: WorkerChannel | null = null;
  #next = 0;

  /**
   * Returns what calls the function, and the members that it has. It stays callable until it is forgotten. Throws
   * `DataError` when the text is no such code.
   */
  define(code: FunctionCode): { sandbox: Sandbox; members: readonly string[]; forget: () => void } {
    const id = this.#next++;
    const channel = (this.#channel ??= this.#open());
    const members = JSON.parse(this.#define(channel, id, code)) as string[];
    this.#codes.set(id, code);
    const { name } = code;
    return {
      members,
      sandbox: {
        call: (_index, _signature, member, args) =>
          decodeIsolated(channel.call(name, ['call', id, member, encodeIsolated(args)], id) as string),
      },
      forget: () => {
        this.#codes.delete(id);
        channel.call(name, ['drop', id], null);
      },
    };
  }

  async close(): Promise<void> {
    await this.#channel?.close();
  }

  #open(): WorkerChannel {
    return new WorkerChannel(ISOLATED_PROGRAM, {}, () => {
      for (const [id, code] of this.#codes) {
        try {
          this.#define(this.#channel!, id, code);
        } catch (error) {
          // It could be made once; now its calls say that it is not defined.
          if (!(error instanceof DataError)) throw error;
        }
      }
    });
  }

  #define(channel: WorkerChannel, id: number, { name, form, parameters, body }: FunctionCode): string {
    return channel.call(name, ['define', id, form, parameters, body], null) as string;
  }
}
