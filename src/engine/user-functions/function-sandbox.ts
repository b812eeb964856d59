import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stripTypes } from './strip-types.ts';
import type { DescribedFunction } from './user-function.ts';
import { WorkerChannel } from './worker-channel.ts';

/** Knows nothing of the engine: it loads the module, describes it, and calls its members. */
const PROGRAM = `
import(workerData.module).then((loaded) => {
  const functions = loaded.default;
  if (!Array.isArray(functions)) throw new Error('its default export must be an array of functions');
  answer(ANSWERED, functions.map(({ name, kind = 'scalar', description, examples, signatures }) => ({
    name, kind, description, examples,
    signatures: signatures.map((signature) => ({
      parameters: signature.parameters, literals: signature.literals, state: signature.state,
      returns: signature.returns, strict: signature.strict,
      has: Object.keys(signature).filter((member) => typeof signature[member] === 'function'),
    })),
  })));
  serve(([index, signature, member, args]) => functions[index].signatures[signature][member](...args));
}).catch((error) => answer(FAILED, text(error)));
`;

/** What calls a member of a signature of the function at `index`. Throws `DataError`. */
export interface Sandbox {
  call(index: number, signature: number, member: string, args: readonly unknown[]): unknown;
}

/** A user's module in a thread of its own. Whoever starts the process chose it: it may use what Node has. */
export class FunctionSandbox implements Sandbox {
  readonly functions: readonly DescribedFunction[];
  readonly #channel: WorkerChannel;

  private constructor(channel: WorkerChannel) {
    this.#channel = channel;
    this.functions = channel.loaded as readonly DescribedFunction[];
  }

  /** Throws `Error` with what is wrong with the module. */
  static open(file: string): FunctionSandbox {
    try {
      return new FunctionSandbox(new WorkerChannel(PROGRAM, { module: moduleOf(file) }, () => undefined));
    } catch (error) {
      throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
    }
  }

  call(index: number, signature: number, member: string, args: readonly unknown[]): unknown {
    const { name } = this.functions[index]!;
    return this.#channel.call(name, [index, signature, member, args], name);
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
