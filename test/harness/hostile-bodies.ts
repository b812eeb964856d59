/** Bodies of functions `(n BIGINT, t STRING) RETURNS STRING` that mean harm, each with a name for the test. */
export type HostileBody = readonly [name: string, body: string];

/**
 * Each is called twice, so that what was planted in the first call can be looked at in the second, and says `out` when it
 * has got hold of a process, which is in no language.
 */
export const WAYS_OUT: readonly HostileBody[] = [
  ['this', "found = this.constructor.constructor('return process')();"],
  ['globalThis', "found = globalThis.constructor.constructor('return process')();"],
  ['a function of its own', "found = (function () {}).constructor('return process')();"],
  ['an argument', "found = t.constructor.constructor('return process')();"],
  ['an error', "try { null.x; } catch (e) { found = e.constructor.constructor('return process')(); }"],
  [
    'a stack that overflows',
    "const f = () => f(); try { f(); } catch (e) { found = e.constructor.constructor('return process')(); }",
  ],
  ['its caller', "found = arguments.callee.caller.constructor('return process')();"],
  [
    'frames of the stack',
    `Error.prepareStackTrace = (e, frames) => frames.map((f) => f.getFunction() || f.getThis());
     for (const each of new Error().stack) try { found ??= each.constructor.constructor('return process')(); } catch {}`,
  ],
  [
    'what the host reads of an error',
    `const err = new Error('x');
     err.name = { toString: new Proxy(() => '', { apply(_, thiz, args) { found = args.constructor.constructor('return process')(); return 'x'; } }) };
     err.stack;`,
  ],
  [
    'a maker of stacks that is a proxy',
    `Error.prepareStackTrace = new Proxy(() => '', { apply(_, thiz, args) { found = args.constructor.constructor('return process')(); return 'x'; } });
     new Error().stack;`,
  ],
  [
    'import()',
    "import('node:process').then((m) => { found = m.default; }, (e) => { found = e.constructor.constructor('return process')(); });",
  ],
  [
    'modules of an interpreter',
    "import('std').then((m) => { found = m; }); import('os').then((m) => { found = m; }); found = globalThis.std ?? globalThis.os ?? globalThis.bjson;",
  ],
  [
    'a generator',
    "found = Object.getPrototypeOf(function* () {}).constructor('yield process')().next().value;",
  ],
  [
    'an async function',
    "(async () => {}).constructor('return process')().then((p) => { found = p; }, (e) => { found = e.constructor.constructor('return process')(); });",
  ],
  [
    'species',
    `class Mine extends Array { static get [Symbol.species]() { found ??= this.constructor.constructor('return process')(); return Array; } }
     const list = Mine.from([1, 2]); list.map((x) => x); list.concat([3]); return list;`,
  ],
  [
    'a getter of its result',
    "return { get X() { found = arguments.callee.caller.constructor('return process')(); return 1; } };",
  ],
  [
    'traps of its result',
    `const trap = (_, ...args) => { for (const each of args) try { found ??= each.constructor.constructor('return process')(); } catch {} };
     return new Proxy({}, new Proxy({}, { get: () => trap }));`,
  ],
  [
    'how its result becomes text',
    `const take = function (...args) { for (const each of [this, ...args]) try { found ??= each.constructor.constructor('return process')(); } catch {} };
     return { toJSON: take, toString: take, valueOf: take, [Symbol.toPrimitive]: take, then: 1 };`,
  ],
  [
    'what it throws',
    `throw new Proxy(new Error('x'), { get(target, name, self) { try { found ??= self.constructor.constructor('return process')(); } catch {} return target[name]; },
       getPrototypeOf() { return Error.prototype; } });`,
  ],
  [
    'a language that it has changed',
    `const take = function (...args) { for (const each of [this, ...args]) try { found ??= each.constructor.constructor('return process')(); } catch {} return ''; };
     JSON.parse = JSON.stringify = Array.prototype.map = Function.prototype.call = Function.prototype.apply = Object.entries = String = Number = BigInt = take;
     Array.prototype[Symbol.iterator] = take; Object.prototype.toJSON = take; Object.defineProperty(Object.prototype, 'o', { set: take, configurable: true });`,
  ],
  [
    'what is called when something is forgotten',
    `const registry = new FinalizationRegistry((held) => { found = (function () {}).constructor('return process')(); });
     for (let i = 0; i < 1000; i++) registry.register({ i }, i);`,
  ],
  [
    'text behind the end of its body',
    'return 1; }), (found = (0, eval)(\'typeof process === "object" ? process : undefined\')), (function () {',
  ],
];

/** What a function of `WAYS_OUT` is made of. */
export function wayOut(body: string): string {
  return `let found = globalThis.planted;
  try { (() => { ${body} })(); } catch {}
  globalThis.planted = found;
  if (typeof found === 'object' && typeof found?.pid === 'number') return 'out';
  return (function () { ${body.includes('return {') || body.includes('return new') || body.startsWith('throw') ? body : "return 'in';"} }).call(undefined);`;
}

/** Lengths that no list has, handed to each method of lists. None of these bodies may give more than null or `over`. */
const LENGTHS: readonly HostileBody[] = [
  'at',
  'concat',
  'copyWithin',
  'entries',
  'every',
  'fill',
  'filter',
  'find',
  'findIndex',
  'findLast',
  'findLastIndex',
  'flat',
  'flatMap',
  'forEach',
  'includes',
  'indexOf',
  'join',
  'keys',
  'lastIndexOf',
  'map',
  'pop',
  'push',
  'reduce',
  'reduceRight',
  'reverse',
  'shift',
  'slice',
  'some',
  'sort',
  'splice',
  'toLocaleString',
  'toReversed',
  'toSorted',
  'toSpliced',
  'toString',
  'unshift',
  'values',
  'with',
].map((method) => [
  `${method} of 2 ** 53 - 1`,
  `Array.prototype.${method}.call({ length: 2 ** 53 - 1, [Symbol.isConcatSpreadable]: true }, ${
    /^(every|filter|find|flatMap|forEach|map|reduce|some)/.test(method) ? '() => false' : '1, 0'
  }); return 'over';`,
]);

/** Bodies that do not return, or not before they have everything. */
export const BOMBS: readonly HostileBody[] = [
  ['a loop', 'for (;;);'],
  ['a search without end', 'return String(Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1));'],
  ['a sort of 2 ** 32 - 1', 'Array.prototype.sort.call({ length: 2 ** 32 - 1 }); return "over";'],
  ['a list of objects', 'new Array(2 ** 27).fill(0).map((x) => ({ x })); return "over";'],
  ['a recursion', 'const f = () => f() + f(); return f();'],
  ['an endless iteration', 'function* all() { for (;;) yield 1; } return String([...all()]);'],
  ['a text that doubles', "let s = 'x'; for (;;) s += s;"],
  ['many texts', "const all = []; for (;;) all.push('x'.repeat(1e6) + all.length);"],
  [
    'many texts, and no error heard',
    "const all = []; for (;;) try { all.push('x'.repeat(1e6) + all.length); } catch {}",
  ],
  ['buffers', 'const all = []; for (;;) all.push(new Uint8Array(1e6));'],
  ['a map that grows', 'const m = new Map(); for (let i = 0; ; i++) m.set(i, { i });'],
  ['a bigint that grows', 'let b = 3n; for (;;) b *= b;'],
  ['a bigint as text', 'let b = 3n; for (let i = 0; i < 19; i++) b *= b; return String(b);'],
  ['a bigint as a result', 'return 7n ** 3000n;'],
  ['a regular expression', "return String(/^(a+)+$/.test('a'.repeat(40) + 'b'));"],
  [
    'a regular expression of brackets',
    "return String(new RegExp('(?:'.repeat(50_000) + ')'.repeat(50_000)).test('a'));",
  ],
  ['JSON that is deep', "return JSON.stringify(JSON.parse('['.repeat(1e6) + ']'.repeat(1e6)));"],
  ['a result that is deep', 'let deep = []; for (let i = 0; i < 1e5; i++) deep = [deep]; return deep;'],
  ['a result that is in itself', 'const round = []; round.push(round); return round;'],
  ['a result that is large', "return 'x'.repeat(2e7);"],
  ['a result that is long', 'return new Array(2 ** 32 - 1);'],
  ['a getter of the result', 'return { get X() { for (;;); } };'],
  ['keys of the result', 'return new Proxy({}, { ownKeys() { for (;;); } });'],
  [
    'how the result becomes text',
    'return { toJSON() { for (;;); }, then: { valueOf() { for (;;); } }, X: { toJSON() { for (;;); } }, get Y() { for (;;); } };',
  ],
  ['what is thrown', 'throw { get message() { for (;;); }, toString() { for (;;); } };'],
  ['a promise', '(async () => { for (;;) await null; })(); return Promise.resolve("over");'],
  ['a promise that waits', 'return (async () => { await new Promise(() => {}); })();'],
  ['waiting', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); return "over";'],
  ['source that is deep', "return eval('('.repeat(1e6));"],
  ['proxies of proxies', 'let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x;'],
  ['a comparison', '[3, 2, 1].sort(() => { for (;;); });'],
  ['a conversion', 'return String(+{ valueOf() { for (;;); } });'],
  [
    'texts that grow when they are replaced',
    "return 'a'.repeat(2 ** 24).replaceAll('a', 'b'.repeat(2 ** 10));",
  ],
  ...LENGTHS,
];

/** Those that are ended with their server in every run; the others in `test/long`. One of each kind of ending. */
export const BOMBS_OF_EACH_KIND: readonly HostileBody[] = BOMBS.slice(0, 6);
