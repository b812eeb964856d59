import { nearest } from '../../common/nearest-name.ts';
import { ELSEWHERE_FUNCTIONS, ELSEWHERE_TYPES } from '../parser/elsewhere.ts';

/** A hint for a name that does not exist: the nearest one that does, or `otherwise`. */
export function suggest(name: string, known: Iterable<string>, otherwise: string): string {
  const best = nearest(name, known);
  return best === undefined ? otherwise : `did you mean ${best}?`;
}

/** For a function: what does the same under the name that other databases have for it, or the nearest name. */
export function suggestFunction(name: string, known: Iterable<string>): string {
  return suggestElsewhere(
    name,
    known,
    ELSEWHERE_FUNCTIONS,
    ({ hint }) => hint,
    'SHOW FUNCTIONS lists all functions',
  );
}

/** For a type: what other databases call it, or the nearest name. */
export function suggestType(name: string, known: Iterable<string>): string {
  return suggestElsewhere(
    name,
    known,
    ELSEWHERE_TYPES,
    (type) => `use ${type}`,
    'SHOW TYPES lists the types that were created',
  );
}

/** A misspelled name of another database is that name: UPER is UPPER, which is UCASE here. */
function suggestElsewhere<T>(
  name: string,
  known: Iterable<string>,
  elsewhere: ReadonlyMap<string, T>,
  hintOf: (entry: T) => string,
  otherwise: string,
): string {
  const exact = elsewhere.get(name.toUpperCase());
  if (exact !== undefined) return hintOf(exact);
  const near = nearest(name, [...known, ...elsewhere.keys()]);
  if (near === undefined) return otherwise;
  const entry = elsewhere.get(near);
  return entry === undefined ? `did you mean ${near}?` : hintOf(entry);
}
