import { DEPTH_MAX, DIGITS_MAX, ROWS_MAX } from './isolated-values.ts';

/** Members of functions by their number. Scalar and table functions have the first only, aggregates the others. */
export const MEMBERS = ['evaluate', 'initial', 'add', 'undo', 'merge', 'result'] as const;

/**
 * What runs in an interpreter before a function's code, and holds on to the language as it was. It evaluates to `define`,
 * `call` and `callJson`. They return a number, or a text: `=` and the result as JSON (isolated-values.ts), `-` and what
 * the code has thrown, `!` and what says that the interpreter is no longer to be used.
 */
export const BOOTSTRAP = `(function () {
  'use strict';
  delete globalThis.SharedArrayBuffer; delete globalThis.Atomics;
  const { parse, stringify } = JSON;
  const { isArray } = Array;
  const { entries, getPrototypeOf, is, defineProperty } = Object;
  const MapType = Map, Bytes = Uint8Array, toBig = BigInt, toNumber = Number, toText = String;
  const ErrorType = Error, Internal = InternalError, FunctionType = Function;
  const GeneratorType = getPrototypeOf(function* () {}).constructor;
  const cut = Function.prototype.call.bind(String.prototype.slice);
  const bytesFrom = Bytes.from.bind(Bytes);
  const bigMax = 10n ** ${DIGITS_MAX}n;
  const MEMBERS = ${JSON.stringify(MEMBERS)};
  const members = [];

  function decode(value) {
    if (value === null || typeof value !== 'object') return value;
    if (isArray(value)) {
      for (let i = 0; i < value.length; i++) value[i] = decode(value[i]);
      return value;
    }
    if ('n' in value) return toNumber(value.n);
    if ('i' in value) return toBig(value.i);
    if ('b' in value) return bytesFrom(value.b);
    if ('m' in value) return new MapType(decode(value.m));
    const object = {};
    for (let i = 0; i < value.o.length; i++)
      defineProperty(object, value.o[i][0], { value: decode(value.o[i][1]), enumerable: true, writable: true, configurable: true });
    return object;
  }
  function encodeAll(list, depth) {
    const all = [];
    for (let i = 0; i < list.length; i++) all[i] = encode(list[i], depth);
    return all;
  }
  function encode(value, depth) {
    switch (typeof value) {
      case 'undefined': return null;
      case 'string': case 'boolean': return value;
      case 'number': return value - value === 0 && !is(value, -0) ? value : { n: is(value, -0) ? '-0' : toText(value) };
      case 'bigint':
        if (value >= bigMax || value <= -bigMax) throw new ErrorType('a bigint of more than ${DIGITS_MAX} digits was returned');
        return { i: toText(value) };
      case 'object': {
        if (value === null) return null;
        if (depth > ${DEPTH_MAX}) throw new ErrorType('a result of more than ${DEPTH_MAX} levels was returned');
        if (isArray(value)) return encodeAll(value, depth + 1);
        if (value instanceof Bytes) return { b: [...value] };
        if (value instanceof MapType) return { m: encodeAll([...value], depth + 1) };
        if (typeof value.then === 'function') throw new ErrorType('a promise was returned: functions give their result at once');
        return { o: encodeAll(entries(value), depth + 1) };
      }
      default: throw new ErrorType('a ' + typeof value + ' was returned');
    }
  }
  function given(value) {
    switch (typeof value) {
      // The reader takes what is not a number for text.
      case 'number': return value === value ? value : '={"n":"NaN"}';
      case 'string': return '=' + stringify(value);
      default: return '=' + stringify(encode(value, 0));
    }
  }
  function failure(error) {
    let mark = '-', message = 'it failed, and could not say why';
    try {
      const thrown = toText(error instanceof ErrorType ? error.message : error);
      message = thrown.length > 1000 ? cut(thrown, 0, 1000) : thrown;
      if (error instanceof Internal) mark = '!';
    } catch {}
    return mark + stringify(message);
  }
  function rowsOf(generator) {
    const rows = [];
    for (;;) {
      const { done, value } = generator.next();
      if (done) {
        if (isArray(value)) for (let i = 0; i < value.length; i++) rows[rows.length] = value[i];
        return rows;
      }
      if (rows.length >= ${ROWS_MAX}) throw new ErrorType('more than ${ROWS_MAX} rows were given in one call');
      rows[rows.length] = value;
    }
  }
  return {
    define(code) {
      try {
        const { form, parameters, body } = parse(code);
        const strict = '"use strict";\\n';
        if (form === 'scalar') members[0] = new FunctionType(...parameters, strict + body);
        else if (form === 'table') {
          const generator = new GeneratorType(...parameters, strict + body);
          members[0] = (...args) => rowsOf(generator(...args));
        } else {
          const collect = 'return [' + MEMBERS.map((name) => 'typeof ' + name + ' === "function" ? ' + name + ' : undefined').join(', ') + '];';
          const found = new FunctionType(strict + body + '\\n;' + collect)();
          for (let i = 1; i < MEMBERS.length; i++) {
            const member = isArray(found) ? found[i] : found ? found[MEMBERS[i]] : undefined;
            if (typeof member === 'function') members[i] = member;
          }
        }
        return '=' + stringify(MEMBERS.filter((_, i) => members[i] !== undefined));
      } catch (error) { return failure(error); }
    },
    call(member, ...args) {
      try { return given((0, members[member])(...args)); } catch (error) { return failure(error); }
    },
    callJson(member, args) {
      try { return given((0, members[member])(...decode(parse(args)))); } catch (error) { return failure(error); }
    },
  };
})()`;
