import { AssertionError } from '../common/assert.ts';
import { SqlError } from '../common/error.ts';

/** Whether the user can mend it, in a statement or in the data: it is no mistake of ours. */
export function isForTheUser(error: Error): boolean {
  if (error.cause instanceof Error && !isForTheUser(error.cause)) return false;
  return !(
    error instanceof AssertionError ||
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError ||
    error instanceof SyntaxError
  );
}

/** One line, with what kind of error it is; of our own mistakes also where. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof SqlError) return `${error.code}: ${error.message}`;
  const where = isForTheUser(error)
    ? undefined
    : /at .*?\(?([^\s()]*\/(?:src|grammar)\/[^\s()]*)\)?/.exec(error.stack ?? '')?.[1];
  const text = `${error.name}: ${error.message}`.replaceAll(/\s+/g, ' ');
  return where === undefined ? text : `${text} (${where.replace(/^.*\/(?=(?:src|grammar)\/)/, '')})`;
}
