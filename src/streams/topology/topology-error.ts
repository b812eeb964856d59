/** A mistake in how a topology was put together: by the program's author, found before any record flows. */
export class TopologyError extends Error {
  override readonly name = 'TopologyError';
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** `value`, which the author of the topology says is there. Throws `TopologyError` when it is undefined. */
export function named<T>(value: T | undefined, message: string): T {
  if (value === undefined) throw new TopologyError(message);
  return value;
}

/** Throws `TopologyError` when `condition` does not hold. */
export function demand(condition: boolean, message: string, hint?: string): asserts condition {
  if (!condition) throw new TopologyError(message, hint);
}
