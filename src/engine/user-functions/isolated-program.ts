/**
 * The worker's program for functions whose code came in a statement, from anybody who may send one. Each function has
 * a V8 context of its own with nothing in it but the language: no require, no process, no timers, no network.
 *
 * What makes it hold: values cross as JSON text, so no object of the worker's own realm is ever in reach of the code,
 * nor an object of the code's in reach of the worker; what the code throws is turned into text inside; the worker's
 * frames are strict, so they cannot be walked up to; its jobs never run, so what `import()` rejects with is never seen.
 * The worker itself then gives up what Node gave it, for whoever should get out all the same.
 *
 * A request is `['define', id, form, parameters, body]`, answered by the names of the members that it has, `['drop', id]`,
 * or `['call', id, member, arguments]`, answered by a text.
 */
export const ISOLATED_PROGRAM = `
const vm = require('node:vm');
const { createContext, Script } = vm;
for (const name of ['require', 'module', 'exports', 'fetch', 'WebSocket', 'EventSource', 'BroadcastChannel', 'Buffer', 'navigator'])
  delete globalThis[name];
for (const name of ['binding', '_linkedBinding', 'dlopen', 'getBuiltinModule', 'exit', 'reallyExit', 'abort', 'kill', 'chdir', 'report', 'mainModule', 'env', 'permission'])
  try { Object.defineProperty(process, name, { value: undefined, configurable: false, writable: false }); } catch {}
const bootstrap = new Script(${JSON.stringify(bootstrapText())});
const functions = new Map();
function open() {
  const context = createContext(Object.create(null), { codeGeneration: { strings: true, wasm: false }, microtaskMode: 'afterEvaluate' });
  return bootstrap.runInContext(context);
}
function told(answer) {
  if (typeof answer !== 'string') throw new Error('it gave nothing that can be used');
  if (answer[0] !== '+') throw new Error(answer.slice(1));
  return answer.slice(1);
}
function guarded(run) {
  let answer;
  // What the code may have thrown is not looked at: it could be anything.
  try { answer = run(); } catch { throw new Error('it failed, and could not say why'); }
  return told(answer);
}
answer(ANSWERED, null);
serve(([what, id, ...rest]) => {
  if (what === 'drop') { functions.delete(id); return null; }
  if (what === 'define') {
    const { define, call } = open();
    const [form, parameters, body] = rest;
    const members = guarded(() => define(form, body, ...parameters));
    functions.set(id, call);
    return members;
  }
  const call = functions.get(id);
  if (call === undefined) throw new Error('it is not defined any more');
  const [member, args] = rest;
  return guarded(() => call(member, args));
});
`;

/** What runs inside the context before the user's code, and holds on to the language as it was. */
function bootstrapText(): string {
  return `(function () {
  'use strict';
  delete globalThis.WebAssembly; delete globalThis.SharedArrayBuffer; delete globalThis.Atomics; delete globalThis.console;
  const { parse, stringify } = JSON;
  const { isArray } = Array;
  const { entries, getPrototypeOf, is } = Object;
  const MapType = Map, Bytes = Uint8Array, toBig = BigInt, toText = String;
  const FunctionType = Function;
  const GeneratorType = getPrototypeOf(function* () {}).constructor;
  function decode(value) {
    if (value === null || typeof value !== 'object') return value;
    if (isArray(value)) return value.map(decode);
    if ('n' in value) return Number(value.n);
    if ('i' in value) return toBig(value.i);
    if ('b' in value) return Bytes.from(value.b);
    if ('m' in value) return new MapType(value.m.map(([key, item]) => [decode(key), decode(item)]));
    const object = {};
    for (const [key, item] of value.o) Object.defineProperty(object, key, { value: decode(item), enumerable: true, writable: true, configurable: true });
    return object;
  }
  function encode(value) {
    switch (typeof value) {
      case 'undefined': return null;
      case 'string': case 'boolean': return value;
      case 'number': return value - value === 0 && !is(value, -0) ? value : { n: is(value, -0) ? '-0' : toText(value) };
      case 'bigint': return { i: toText(value) };
      case 'object': {
        if (value === null) return null;
        if (isArray(value)) return value.map(encode);
        if (value instanceof Bytes) return { b: [...value] };
        if (value instanceof MapType) return { m: [...value].map(([key, item]) => [encode(key), encode(item)]) };
        if (typeof value.then === 'function') throw new Error('a promise was returned: functions give their result at once');
        return { o: entries(value).map(([key, item]) => [key, encode(item)]) };
      }
      default: throw new Error('a ' + typeof value + ' was returned');
    }
  }
  function failure(error) {
    try { return '-' + toText(error instanceof Error ? error.message : error); } catch { return '-it failed, and could not say why'; }
  }
  function rowsOf(generator) {
    const rows = [];
    for (;;) {
      const { done, value } = generator.next();
      if (!done) rows.push(value);
      else return isArray(value) ? rows.concat(value) : rows;
    }
  }
  const MEMBERS = ['initial', 'add', 'undo', 'merge', 'result'];
  let members = {};
  return {
    define(form, body, ...parameters) {
      try {
        const strict = '"use strict";' + String.fromCharCode(10);
        if (form === 'scalar') members.evaluate = new FunctionType(...parameters, strict + body);
        else if (form === 'table') {
          const generator = new GeneratorType(...parameters, strict + body);
          members.evaluate = (...args) => rowsOf(generator(...args));
        } else {
          const collect = 'return {' + MEMBERS.map((name) => name + ': typeof ' + name + ' === "function" ? ' + name + ' : undefined').join(', ') + '};';
          const found = new FunctionType(strict + body + String.fromCharCode(10) + ';' + collect)();
          for (const name of MEMBERS) if (found && typeof found[name] === 'function') members[name] = found[name];
          for (const name of ['add', 'undo']) {
            const member = members[name];
            if (member) members[name] = (state, args) => member(state, ...args);
          }
        }
        return '+' + stringify(Object.keys(members));
      } catch (error) { return failure(error); }
    },
    call(member, args) {
      try { return '+' + stringify(encode(members[member](...decode(parse(args))))); } catch (error) { return failure(error); }
    },
  };
})()`;
}
