import { editDistance } from '../parser/edit-distance.ts';

/** Nobody means a name that is further away. */
const DISTANCE_MAX = 9;

/** A hint for a name that does not exist: the nearest one that does, or `otherwise`. */
export function suggest(name: string, known: Iterable<string>, otherwise: string): string {
  let best: string | undefined;
  // A third of the letters may be wrong: more is another word.
  let bestDistance = Infinity;
  for (const candidate of known) {
    const distance = editDistance(name.toUpperCase(), candidate.toUpperCase(), DISTANCE_MAX);
    if (distance < bestDistance && distance <= Math.max(name.length, candidate.length) / 3) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best === undefined ? otherwise : `did you mean ${best}?`;
}

/** For a function: what does the same under the name that other databases have for it, or the nearest name. */
export function suggestFunction(name: string, known: Iterable<string>): string {
  return (
    ELSEWHERE_FUNCTIONS.get(name.toUpperCase()) ?? suggest(name, known, 'SHOW FUNCTIONS lists all functions')
  );
}

/** For a type: what other databases call it, or the nearest name. */
export function suggestType(name: string, known: Iterable<string>): string {
  const type = ELSEWHERE_TYPES.get(name.toUpperCase());
  return type === undefined
    ? suggest(name, known, 'SHOW TYPES lists the types that were created')
    : `use ${type}`;
}

const ELSEWHERE_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ['UPPER', 'use UCASE'],
  ['LOWER', 'use LCASE'],
  ['LENGTH', 'use LEN'],
  ['CHAR_LENGTH', 'use LEN'],
  ['SUBSTR', 'use SUBSTRING'],
  ['POSITION', 'use INSTR'],
  ['CEILING', 'use CEIL'],
  ['POW', 'use POWER'],
  ['MOD', 'use the operator %'],
  ['NVL', 'use IFNULL or COALESCE'],
  ['ISNULL', 'use IFNULL, or IS NULL'],
  ['IF', 'use CASE WHEN … THEN … ELSE … END'],
  ['DECODE', 'use CASE WHEN … THEN … ELSE … END'],
  ['NOW', 'use UNIX_TIMESTAMP(), or FROM_UNIXTIME(UNIX_TIMESTAMP()) for a TIMESTAMP'],
  ['CURRENT_TIMESTAMP', 'use FROM_UNIXTIME(UNIX_TIMESTAMP())'],
  ['DATE_FORMAT', 'use FORMAT_DATE or FORMAT_TIMESTAMP'],
  ['TO_CHAR', 'use FORMAT_TIMESTAMP, FORMAT_DATE or CAST(… AS STRING)'],
  ['TO_TIMESTAMP', 'use PARSE_TIMESTAMP, or FROM_UNIXTIME of milliseconds'],
  ['TO_DATE', 'use PARSE_DATE'],
  ['ARRAY_AGG', 'use COLLECT_LIST'],
  ['STRING_AGG', 'use ARRAY_JOIN(COLLECT_LIST(…), …)'],
  ['LISTAGG', 'use ARRAY_JOIN(COLLECT_LIST(…), …)'],
  ['GROUP_CONCAT', 'use ARRAY_JOIN(COLLECT_LIST(…), …)'],
  ['APPROX_COUNT_DISTINCT', 'use COUNT_DISTINCT'],
  ['STDDEV', 'use STDDEV_SAMP'],
  ['LAST_VALUE', 'use LATEST_BY_OFFSET'],
  ['FIRST_VALUE', 'use EARLIEST_BY_OFFSET'],
  ['UNNEST', 'use EXPLODE'],
  ['CARDINALITY', 'use ARRAY_LENGTH'],
  ['JSON_VALUE', 'use EXTRACTJSONFIELD'],
  ['JSON_EXTRACT', 'use EXTRACTJSONFIELD'],
]);

const ELSEWHERE_TYPES: ReadonlyMap<string, string> = new Map([
  ['TEXT', 'STRING'],
  ['CHAR', 'STRING'],
  ['NVARCHAR', 'STRING'],
  ['FLOAT', 'DOUBLE'],
  ['REAL', 'DOUBLE'],
  ['NUMBER', 'BIGINT, DOUBLE or DECIMAL(precision, scale)'],
  ['NUMERIC', 'DECIMAL(precision, scale)'],
  ['LONG', 'BIGINT'],
  ['SHORT', 'INTEGER'],
  ['SMALLINT', 'INTEGER'],
  ['TINYINT', 'INTEGER'],
  ['BOOL', 'BOOLEAN'],
  ['DATETIME', 'TIMESTAMP'],
  ['TIMESTAMPTZ', 'TIMESTAMP'],
  ['BLOB', 'BYTES'],
  ['BINARY', 'BYTES'],
  ['VARBINARY', 'BYTES'],
  ['JSON', 'STRING and EXTRACTJSONFIELD, or a STRUCT of its fields'],
]);
