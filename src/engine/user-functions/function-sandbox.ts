import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import type { Clock } from '../../common/clock.ts';
import { stripTypes } from './strip-types.ts';
import type { DescribedFunction } from './user-function.ts';
import { WorkerChannel } from './worker-channel.ts';

/** Knows nothing of the engine: it loads the module, describes it, and calls its members. */
const PROGRAM = `
const { deserialize, serialize } = require('node:v8');
import(workerData.module).then((loaded) => {
  const functions = loaded.default;
  if (!Array.isArray(functions)) throw new Error('its default export must be an array of functions');
  answer(ANSWERED, put(serialize(functions.map(({ name, kind = 'scalar', description, examples, signatures }) => ({
    name, kind, description, examples,
    signatures: signatures.map((signature) => ({
      parameters: signature.parameters, literals: signature.literals, state: signature.state,
      returns: signature.returns, strict: signature.strict,
      has: Object.keys(signature).filter((member) => typeof signature[member] === 'function'),
    })),
  })))));
  serve((length) => {
    begin();
    const [index, signature, member, args] = deserialize(channel.subarray(0, length));
    return put(serialize(functions[index].signatures[signature][member](...args)));
  });
}).catch(fail);
`;

/** How long a call of the operator's own code may work. */
const CALL_MS = 1000;

/** Calls a member of a signature of the function at `index`. Throws `DataError`. */
export interface Sandbox {
  call(index: number, signature: number, member: string, args: readonly unknown[]): unknown;
}

/** A user's module in a thread of its own. It was chosen at the start of the process: it may use all of Node. */
export class FunctionSandbox implements Sandbox {
  readonly functions: readonly DescribedFunction[];
  readonly #channel: WorkerChannel;

  private constructor(channel: WorkerChannel) {
    this.#channel = channel;
    this.functions = deserialize(channel.bytes.subarray(0, channel.loaded)) as readonly DescribedFunction[];
  }

  /** Throws `Error` with what is wrong with the module. */
  static open(file: string, clock: Clock): FunctionSandbox {
    try {
      return new FunctionSandbox(
        new WorkerChannel({
          program: PROGRAM,
          data: { module: moduleOf(file) },
          clock,
          callMs: CALL_MS,
          turnMs: Infinity,
        }),
      );
    } catch (error) {
      throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
    }
  }

  call(index: number, signature: number, member: string, args: readonly unknown[]): unknown {
    const { name } = this.functions[index]!;
    const request = serialize([index, signature, member, args]);
    this.#channel.fits(name, request.length);
    this.#channel.bytes.set(request);
    const length = this.#channel.call(name, name, request.length);
    return deserialize(this.#channel.bytes.subarray(0, length));
  }

  close(): Promise<void> {
    return this.#channel.close();
  }
}

/** Where the module is imported from. TypeScript becomes a text of its own where Node cannot read it. */
function moduleOf(file: string): string {
  if (!/\.m?ts$/.test(file) || (process.features as { typescript?: unknown }).typescript)
    return pathToFileURL(resolve(file)).href;
  const text = stripTypes(readFileSync(file, 'utf8'));
  return `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`;
}
