import type { Clock } from '../../common/clock.ts';
import { SqlError } from '../../common/error.ts';
import type { FunctionRegistry, SqlFunction } from '../../functions/function.ts';
import { FunctionSandbox } from './function-sandbox.ts';
import { openFunction } from './open-function.ts';

/**
 * The functions of a user's module, as the registry has functions. They run in a sandbox; `close` ends it.
 * Throws `Error` saying what is wrong with the file.
 */
export function loadUserFunctions(
  file: string,
  clock: Clock,
): { functions: FunctionRegistry; close: () => Promise<void> } {
  const sandbox = FunctionSandbox.open(file, clock);
  const functions = new Map<string, SqlFunction>();
  sandbox.functions.forEach((described, index) => {
    const name = described.name.toUpperCase();
    try {
      functions.set(name, openFunction(sandbox, described, name, index));
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      throw new Error(`${file}: function ${name}: ${error.message}`, { cause: error });
    }
  });
  return { functions, close: () => sandbox.close() };
}
