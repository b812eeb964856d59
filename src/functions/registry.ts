import { assert } from '../common/assert.ts';
import { aggregateFunctions } from './aggregate/aggregate-functions.ts';
import type { FunctionRegistry, SqlFunction } from './function.ts';
import { arrayFunctions } from './scalar/array.ts';
import { bytesFunctions } from './scalar/bytes.ts';
import { conditionalFunctions, otherFunctions } from './scalar/conditional.ts';
import { extremeFunctions } from './scalar/extreme.ts';
import { geoFunctions } from './scalar/geo.ts';
import { jsonFunctions } from './scalar/json.ts';
import { lambdaFunctions } from './scalar/lambda.ts';
import { mapFunctions } from './scalar/map.ts';
import { maskFunctions } from './scalar/mask.ts';
import { mathFunctions } from './scalar/math.ts';
import { regexpFunctions } from './scalar/regexp.ts';
import { stringFunctions } from './scalar/string.ts';
import { temporalFunctions } from './scalar/temporal.ts';
import { urlFunctions } from './scalar/url.ts';
import { tableFunctions } from './table/explode.ts';

/** Every built-in function, topic by topic. A new function joins its topic's list. */
export const allFunctions: readonly SqlFunction[] = [
  ...mathFunctions,
  ...extremeFunctions,
  ...stringFunctions,
  ...maskFunctions,
  ...regexpFunctions,
  ...temporalFunctions,
  ...arrayFunctions,
  ...mapFunctions,
  ...lambdaFunctions,
  ...conditionalFunctions,
  ...jsonFunctions,
  ...urlFunctions,
  ...bytesFunctions,
  ...geoFunctions,
  ...otherFunctions,
  ...aggregateFunctions,
  ...tableFunctions,
];

/** A registry of the functions. Two of one name, or a name that is not upper case, is our own mistake. */
export function registryOf(functions: readonly SqlFunction[]): FunctionRegistry {
  const registry = new Map<string, SqlFunction>();
  for (const fn of functions) {
    assert(fn.name === fn.name.toUpperCase(), `function ${fn.name} is not in upper case`);
    assert(!registry.has(fn.name), `function ${fn.name} is listed twice`);
    registry.set(fn.name, fn);
  }
  return registry;
}

export const builtinFunctions: FunctionRegistry = registryOf(allFunctions);
