import { assert } from '../common/assert.ts';
import { aggregateFunctions } from './aggregate/aggregate-functions.ts';
import type { FunctionRegistry, SqlFunction } from './function.ts';
import { arrayJoinFunctions } from './scalar/array-join.ts';
import { arrayOrderFunctions } from './scalar/array-order.ts';
import { arraySetFunctions } from './scalar/array-set.ts';
import { arrayFunctions } from './scalar/array.ts';
import { bytesFunctions } from './scalar/bytes.ts';
import { chrFunctions } from './scalar/chr.ts';
import { concatFunctions } from './scalar/concat.ts';
import { conditionalFunctions, otherFunctions } from './scalar/conditional.ts';
import { encodeFunctions } from './scalar/encode.ts';
import { extremeFunctions } from './scalar/extreme.ts';
import { seriesFunctions } from './scalar/generate-series.ts';
import { geoFunctions } from './scalar/geo.ts';
import { jsonFunctions } from './scalar/json.ts';
import { lambdaFunctions } from './scalar/lambda.ts';
import { mapFunctions } from './scalar/map.ts';
import { maskFunctions } from './scalar/mask.ts';
import { mathFunctions } from './scalar/math.ts';
import { padFunctions } from './scalar/pad.ts';
import { regexpFunctions } from './scalar/regexp.ts';
import { splitFunctions } from './scalar/split.ts';
import { stringFunctions } from './scalar/string.ts';
import { substringFunctions } from './scalar/substring.ts';
import { temporalFunctions } from './scalar/temporal.ts';
import { urlFunctions } from './scalar/url.ts';
import { uuidFunctions } from './scalar/uuid.ts';
import { tableFunctions } from './table/explode.ts';

/** Every built-in function, topic by topic. A new function joins its topic's list. */
export const allFunctions: readonly SqlFunction[] = [
  ...mathFunctions,
  ...extremeFunctions,
  ...stringFunctions,
  ...concatFunctions,
  ...padFunctions,
  ...splitFunctions,
  ...substringFunctions,
  ...encodeFunctions,
  ...uuidFunctions,
  ...chrFunctions,
  ...maskFunctions,
  ...regexpFunctions,
  ...temporalFunctions,
  ...arrayFunctions,
  ...arraySetFunctions,
  ...arrayOrderFunctions,
  ...arrayJoinFunctions,
  ...seriesFunctions,
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
