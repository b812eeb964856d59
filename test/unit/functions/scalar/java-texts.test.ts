import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DataError } from '../../../../src/common/error.ts';
import { STRING } from '../../../../src/types/sql-type.ts';
import type { SqlValue } from '../../../../src/types/value.ts';
import { call } from '../call.ts';

/**
 * What Java 17 made of random texts with java.net.URI, URLDecoder, URLEncoder, java.util.regex, Base64, commons-lang's
 * `unescapeJava` and String's case mappings: [function, arguments, result, or null where Java refused]. For URL_EXTRACT the
 * result is protocol, host, port, path, query and fragment, for TO_BYTES hexadecimal, and for REGEXP_EXTRACT_ALL every
 * match in angle brackets.
 */
type Case = readonly [name: string, args: readonly string[], result: SqlValue];

const FILE = new URL('../../../fixtures/java-texts.json', import.meta.url);
const cases = JSON.parse(readFileSync(FILE, 'utf8')) as Case[];
const PARTS = ['PROTOCOL', 'HOST', 'PORT', 'PATH', 'QUERY', 'FRAGMENT'];

/** The pattern comes first in the cases. */
function run(name: string, args: readonly string[]): SqlValue {
  const of = (fn: string, ...texts: string[]): SqlValue =>
    call(fn, ...texts.map((text) => [STRING, text] as const));
  switch (name) {
    case 'URL_EXTRACT':
      // The path of a URL that has none is the empty text.
      return PARTS.map((part) => of(`URL_EXTRACT_${part}`, args[0]!));
    case 'TO_BYTES':
      return Buffer.from(of('TO_BYTES', args[0]!, 'base64') as Uint8Array).toString('hex');
    case 'REGEXP_EXTRACT_ALL':
      return (of(name, ...args) as string[]).map((found) => `<${found}>`).join('');
    case 'REGEXP_REPLACE':
      return of(name, args[1]!, args[0]!, args[2]!);
    default:
      return of(name, ...args);
  }
}

test.each(cases)('%s of %j is %j', (name, args, result) => {
  if (result !== null) expect(run(name, args)).toEqual(result);
  else expect(() => run(name, args)).toThrow(DataError);
});
