import { shown } from '../topology/record-time.ts';
import { TopologyError } from '../topology/topology-error.ts';

/**
 * The functions that users hand to the DSL are plain ones: called record by record, they answer at once. What has to
 * wait belongs into `mapValuesAsync` and `processAsync`; a promise in a value's place would be written as `{}`, and
 * one in a condition's place is always true.
 */

/**
 * Keeps promises out of the results of users' functions: the types refuse them, and so does each call. In the place of a
 * result type `R`, `Plain<R>` is `R`, and `never` for promises.
 */
export type Plain<R> = R extends PromiseLike<unknown> ? never : R;

const INSTEAD = 'what has to wait belongs into mapValuesAsync or processAsync';

const AsyncFunction: unknown = (async () => undefined).constructor;

/** Looks at a function when the topology is built. Throws `TopologyError` when it is none, or an async one. */
export function plain<F>(fn: F, where: string): F {
  if (typeof fn !== 'function') throw new TopologyError(`${where} takes a function, not ${typeof fn}`);
  if (fn.constructor === AsyncFunction) throw new TopologyError(`the function of ${where} is async`, INSTEAD);
  return fn;
}

/** Looks at an object of the user's: that it has these methods, and maybe the others, none of them async. */
export function plainMethods(
  object: unknown,
  where: string,
  methods: readonly string[],
  others: readonly string[] = [],
): void {
  if (object instanceof Promise) object.catch(() => undefined);
  if (typeof object !== 'object' || object === null || object instanceof Promise)
    throw new TopologyError(
      `${where} is ${shown(object)}`,
      `an object with ${methods.join(' and ')} is needed`,
    );
  const found = object as Readonly<Record<string, unknown>>;
  for (const name of methods) plain(found[name], `${name}, of ${where},`);
  for (const name of others) if (found[name] !== undefined) plain(found[name], `${name}, of ${where},`);
}

/** The result of a function whose result counts: anything but undefined and promises. Throws `TypeError`. */
export function given<T>(result: T, what: string): T {
  // Small, so that it is inlined: it is called for each record.
  if (result === undefined || (typeof result === 'object' && result instanceof Promise)) refuse(result, what);
  return result;
}

/** As `given`, for keys: what a record does not have is no key. */
export function keyGiven<T>(result: T, what: string): T | null {
  if (result instanceof Promise) refusePromise(result, what);
  return result ?? null;
}

/** An initializer as aggregates call it. */
export function initialOf(initializer: () => unknown): () => unknown {
  plain(initializer, 'the initializer');
  return () => given(initializer(), 'initializer');
}

/** As `given`, for a condition: anything else counts as JavaScript has it. */
export function holds(result: unknown, what: string): boolean {
  if (typeof result === 'boolean') return result;
  if (result instanceof Promise) refusePromise(result, what);
  return Boolean(result);
}

/** For functions that are called for what they do. */
export function done(result: unknown, what: string): void {
  if (result instanceof Promise) refusePromise(result, what);
}

function refuse(result: unknown, what: string): never {
  if (result instanceof Promise) refusePromise(result, what);
  throw new TypeError(`the ${what} gave undefined: a return is missing, or null is meant, which is no value`);
}

function refusePromise(result: Promise<unknown>, what: string): never {
  // Nobody will ever look at it, so its rejection would end the process.
  result.catch(() => undefined);
  throw new TypeError(`the ${what} gave a promise, which nobody waits for: ${INSTEAD}`);
}
