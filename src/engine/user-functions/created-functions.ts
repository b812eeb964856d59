import type { Clock } from '../../common/clock.ts';
import { type FunctionCode, IsolatedFunctions } from './isolated-functions.ts';
import type { Sandbox } from './function-sandbox.ts';

/** The functions that CREATE FUNCTION has made, by name, and where their code runs. */
export class CreatedFunctions {
  readonly #isolated: IsolatedFunctions;
  readonly #kept = new Map<string, { readonly forget: () => void; readonly meaning: string }>();

  constructor(clock: Clock) {
    this.#isolated = new IsolatedFunctions(clock);
  }

  has(name: string): boolean {
    return this.#kept.has(name);
  }

  /**
   * Makes code callable; the name is taken by `keep`. Throws `DataError` when the text is no such code.
   */
  open(code: FunctionCode): { sandbox: Sandbox; members: readonly string[]; forget: () => void } {
    return this.#isolated.define(code);
  }

  /**
   * `forget`: of what `open` gave. What had the name before stays callable for the queries that opened it. `meaning`:
   * everything that decides about what it gives, as text.
   */
  keep(name: string, forget: () => void, meaning: string): void {
    this.#kept.set(name, { forget, meaning });
  }

  /** Undefined for what no statement has made. */
  meaningOf(name: string): string | undefined {
    return this.#kept.get(name)?.meaning;
  }

  /** Nothing calls the function any more. */
  remove(name: string): void {
    this.#kept.get(name)?.forget();
    this.#kept.delete(name);
  }

  close(): Promise<void> {
    return this.#isolated.close();
  }
}
