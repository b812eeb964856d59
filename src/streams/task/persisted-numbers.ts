import type { PersistedNumber } from '../topology/processor.ts';

/** Numbers of a task that are committed with its offsets: stream time, and what its operators ask to get back. */
export class PersistedNumbers {
  readonly #numbers = new Map<string, PersistedNumber>();
  readonly #saved: number[] = [];

  set(name: string, value: number): void {
    this.#numbers.set(name, { value });
  }

  /** The same object for the task's life. `initial` where nothing was restored. */
  number(name: string, initial: number): PersistedNumber {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = { value: initial };
      this.#numbers.set(name, number);
    }
    return number;
  }

  toObject(): Record<string, number> {
    return Object.fromEntries([...this.#numbers].map(([name, number]) => [name, number.value]));
  }

  /** Keeps the present values, for `restore`. */
  save(): void {
    let i = 0;
    for (const number of this.#numbers.values()) this.#saved[i++] = number.value;
    this.#saved.length = i;
  }

  /** Takes back what was set since `save`. */
  restore(): void {
    let i = 0;
    for (const number of this.#numbers.values()) {
      // Operators ask for their numbers when they are opened; one that came later has no value to go back to.
      if (i === this.#saved.length) return;
      number.value = this.#saved[i++]!;
    }
  }
}
