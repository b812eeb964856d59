import { SqlError } from '../common/error.ts';
import { delimited } from './delimited.ts';
import type { Format } from './format.ts';
import { json } from './json.ts';
import { kafka } from './kafka.ts';
import { none } from './none.ts';

/** Every format, in the order in which they are listed to users. */
export const FORMATS: readonly Format[] = [json, delimited, kafka, none];

/** The format of that name, in any case. Throws `SqlError` ML_FORMAT with the names that exist. */
export function formatOf(name: string): Format {
  const format = FORMATS.find((candidate) => candidate.name === name.toUpperCase());
  if (format === undefined)
    throw new SqlError('ML_FORMAT', `format ${name} does not exist`, {
      hint: `the formats are ${FORMATS.map((candidate) => candidate.name).join(', ')}`,
    });
  return format;
}
