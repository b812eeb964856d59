import { RE2JS } from 're2js';
import { DataError } from '../../common/error.ts';
import { array, INTEGER, STRING, type SqlType } from '../../types/sql-type.ts';
import type { ScalarEvaluator, ScalarFunction, ScalarSignature } from '../function.ts';
import type { Parameter } from '../function.ts';
import { checked, parameter, scalar, scalars } from '../signature.ts';
import { toRe2 } from './java-regexp.ts';

/**
 * Regular expressions that users write run in linear time, whatever they are: Java's, as far as `toRe2` brings them to
 * RE2, without back references and look-around.
 */
type Compile = (pattern: string) => RE2JS;

function compileOne(pattern: string): RE2JS {
  try {
    return RE2JS.compile(toRe2(pattern));
  } catch (error) {
    throw new DataError(`the regular expression ${pattern} cannot be used (${(error as Error).message})`);
  }
}

/** Compiles patterns; the last one is kept, which is the only one for a literal. */
function openCompiler(): Compile {
  let last: string | undefined;
  let compiled: RE2JS | undefined;
  return (pattern) => {
    if (compiled === undefined || pattern !== last) {
      compiled = compileOne(pattern);
      last = pattern;
    }
    return compiled;
  };
}

function signature(
  parameters: readonly Parameter[],
  returns: SqlType,
  open: (compile: Compile) => ScalarEvaluator,
): ScalarSignature {
  return { parameters, returns, open: () => open(openCompiler()) };
}

function checkGroup(group: number): number {
  if (group < 0) throw new DataError(`a regular expression has no group ${group}`);
  return group;
}

function extract(regexp: RE2JS, input: string, group: number): string | null {
  if (checkGroup(group) > regexp.groupCount()) return null;
  const matcher = regexp.matcher(input);
  return matcher.find() ? matcher.group(group) : null;
}

function extractAll(regexp: RE2JS, input: string, group: number): (string | null)[] | null {
  if (checkGroup(group) > regexp.groupCount()) return null;
  const found: (string | null)[] = [];
  const matcher = regexp.matcher(input);
  while (matcher.find()) found.push(matcher.group(group));
  return found;
}

/**
 * Splits at matches and keeps empty parts. A pattern that matches the empty text splits as Java does: never before the
 * first character for nothing, and without the empty parts at the end.
 */
function split(regexp: RE2JS, input: string): string[] {
  const parts: string[] = [];
  const matchesEmpty = regexp.matches('');
  const matcher = regexp.matcher(input);
  let start = 0;
  while (matcher.find()) {
    if (matchesEmpty && matcher.end() === 0) continue;
    parts.push(input.slice(start, matcher.start()));
    start = matcher.end();
  }
  parts.push(input.slice(start));
  if (matchesEmpty) while (parts.length > 1 && parts.at(-1) === '') parts.pop();
  return parts;
}

/** Java's replacement text: `$1` and `${name}` are groups, a backslash makes what follows plain. */
function replace(regexp: RE2JS, input: string, replacement: string): string {
  try {
    return regexp.matcher(input).replaceAll(replacement, true);
  } catch (error) {
    throw new DataError(`the replacement ${replacement} cannot be used (${(error as Error).message})`);
  }
}

const PATTERN = checked(
  parameter('pattern', STRING, 'a regular expression of Java, without look-around and back references'),
  compileOne,
);
const INPUT = parameter('input', STRING);
const GROUP = checked(parameter('group', INTEGER, 'which group of the pattern; 0 is all of it'), checkGroup);

export const regexpFunctions: readonly ScalarFunction[] = scalars('REGULAR_EXPRESSION', [
  scalar(
    'REGEXP_EXTRACT',
    'The first match of a pattern, or a group of it; null if there is none. The pattern comes first.',
    ["REGEXP_EXTRACT('(.*) (.*)', 'hello there', 2)", "'there'"],
    'propagate',
    signature(
      [PATTERN, INPUT],
      STRING,
      (compile) => (pattern: string, input: string) => extract(compile(pattern), input, 0),
    ),
    signature(
      [PATTERN, INPUT, GROUP],
      STRING,
      (compile) => (pattern: string, input: string, group: number) => extract(compile(pattern), input, group),
    ),
  ),
  scalar(
    'REGEXP_EXTRACT_ALL',
    'All matches of a pattern, or a group of each. The pattern comes first.',
    ["REGEXP_EXTRACT_ALL('a.', 'abac')", "ARRAY['ab', 'ac']"],
    'propagate',
    signature(
      [PATTERN, INPUT],
      array(STRING),
      (compile) => (pattern: string, input: string) => extractAll(compile(pattern), input, 0),
    ),
    signature(
      [PATTERN, INPUT, GROUP],
      array(STRING),
      (compile) => (pattern: string, input: string, group: number) =>
        extractAll(compile(pattern), input, group),
    ),
  ),
  scalar(
    'REGEXP_REPLACE',
    'Replaces every match of a pattern; $1 in the replacement is the first group.',
    ["REGEXP_REPLACE('foobar', '(o+)', '<$1>')", "'f<oo>bar'"],
    'propagate',
    signature(
      [INPUT, PATTERN, parameter('replacement', STRING)],
      STRING,
      (compile) => (input: string, pattern: string, replacement: string) =>
        replace(compile(pattern), input, replacement),
    ),
  ),
  scalar(
    'REGEXP_SPLIT_TO_ARRAY',
    'The parts between the matches of a pattern.',
    ["REGEXP_SPLIT_TO_ARRAY('aabcda', '(ab|cd)')", "ARRAY['a', '', 'a']"],
    'propagate',
    signature(
      [INPUT, PATTERN],
      array(STRING),
      (compile) => (input: string, pattern: string) => split(compile(pattern), input),
    ),
  ),
]);
