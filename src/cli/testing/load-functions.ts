import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FunctionRegistry, SqlFunction } from '../../functions/function.ts';

/**
 * Functions from a JavaScript module whose default export is an array of them, in the form that the built-in ones have
 * (`src/functions/function.ts`). Rejects with what is wrong with the file.
 */
export async function loadFunctions(file: string): Promise<FunctionRegistry> {
  const loaded = (await import(pathToFileURL(resolve(file)).href)) as { readonly default?: unknown };
  if (!Array.isArray(loaded.default))
    throw new Error(`${file} has no functions: its default export must be an array of them`);
  return new Map((loaded.default as readonly SqlFunction[]).map((each) => [each.name.toUpperCase(), each]));
}
