import { SqlError } from '../common/error.ts';
import { FORMATS } from './every-format.ts';
import type { Format } from './format.ts';
import { json } from './json.ts';
import { kafka } from './kafka.ts';
import { none } from './none.ts';

/** The format of keys that have columns, where neither the statement nor a property names one. */
export const DEFAULT_KEY_FORMAT = kafka.name;

/** The format of keys without columns. */
export const NO_KEY_FORMAT = none.name;

/** Holds everything that a key or value may be: what is used where the format at hand cannot be. */
export const UNIVERSAL_FORMAT = json.name;

/** The format of that name, in any case. Throws `SqlError` ML_FORMAT with the names that exist. */
export function formatOf(name: string): Format {
  const format = FORMATS.find((candidate) => candidate.name === name.toUpperCase());
  if (format === undefined)
    throw new SqlError('ML_FORMAT', `format ${name} does not exist`, {
      hint: `the formats are ${FORMATS.map((candidate) => candidate.name).join(', ')}`,
    });
  return format;
}
