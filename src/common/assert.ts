/** Assertions are for our own mistakes: they stop the query, never the server. A user's mistake is a `SqlError`. */

export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws `AssertionError` when `condition` does not hold. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** `value`, which the caller knows to be there. Throws `AssertionError` when it is null or undefined. */
export function must<T>(value: T | null | undefined, message = 'value must be present'): T {
  if (value === null || value === undefined) throw new AssertionError(message);
  return value;
}

/** Ends an exhaustive `switch`: a kind that is not handled does not compile. */
export function unreachable(value: never): never {
  throw new AssertionError(`unhandled case: ${JSON.stringify(value)}`);
}
