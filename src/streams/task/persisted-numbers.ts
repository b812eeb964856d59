import type { PersistedNumber } from '../topology/processor.ts';
import type { Undoable } from './undoable.ts';

/** Numbers of a task that are committed with its offsets: stream time, and what its operators ask to get back. */
export class PersistedNumbers implements Undoable {
  readonly #byName = new Map<string, PersistedNumber>();
  readonly #numbers: PersistedNumber[] = [];
  readonly #marked: number[] = [];

  constructor(restored: Readonly<Record<string, number>>) {
    for (const [name, value] of Object.entries(restored)) this.number(name, value);
  }

  /** The same object for the task's life. `initial` where nothing was restored. */
  number(name: string, initial: number): PersistedNumber {
    let number = this.#byName.get(name);
    if (number === undefined) {
      number = new TaskNumber(initial);
      this.#byName.set(name, number);
      this.#numbers.push(number);
    }
    return number;
  }

  /** Times that have not begun are left out: there is little room where offsets are committed. */
  toObject(): Record<string, number> {
    const begun = [...this.#byName].filter(([, { value }]) => value !== -1);
    return Object.fromEntries(begun.map(([name, { value }]) => [name, value]));
  }

  mark(): void {
    for (let i = 0; i < this.#numbers.length; i++) this.#marked[i] = this.#numbers[i]!.value;
    this.#marked.length = this.#numbers.length;
  }

  undo(): void {
    // Operators ask for their numbers when they are opened; one that came later has no value to go back to.
    for (let i = 0; i < this.#marked.length; i++) this.#numbers[i]!.value = this.#marked[i]!;
  }
}

/** A class, so that no other object with a `value` decides how its number is held: it is written for every record. */
class TaskNumber implements PersistedNumber {
  value: number;

  constructor(value: number) {
    this.value = value;
  }
}
