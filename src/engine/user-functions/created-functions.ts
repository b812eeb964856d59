import type { Clock } from '../../common/clock.ts';
import { type FunctionCode, IsolatedFunctions } from './isolated-functions.ts';
import type { Sandbox } from './function-sandbox.ts';

/** The functions that CREATE FUNCTION has made, by name, and where their code runs. */
export class CreatedFunctions {
  readonly #isolated: IsolatedFunctions;
  readonly #forget = new Map<string, () => void>();

  constructor(clock: Clock) {
    this.#isolated = new IsolatedFunctions(clock);
  }

  has(name: string): boolean {
    return this.#forget.has(name);
  }

  /**
   * Makes code callable; the name is taken by `keep`. Throws `DataError` when the text is no such code.
   */
  open(code: FunctionCode): { sandbox: Sandbox; members: readonly string[]; forget: () => void } {
    return this.#isolated.define(code);
  }

  /** `forget`: of what `open` gave. What had the name before stays callable for the queries that opened it. */
  keep(name: string, forget: () => void): void {
    this.#forget.set(name, forget);
  }

  /** Nothing calls the function any more. */
  remove(name: string): void {
    this.#forget.get(name)?.();
    this.#forget.delete(name);
  }

  close(): Promise<void> {
    return this.#isolated.close();
  }
}
