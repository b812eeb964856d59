import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { nextTurn, systemClock } from '../../../src/common/clock.ts';
import { DataError } from '../../../src/common/error.ts';
import { IsolatedFunctions } from '../../../src/engine/user-functions/isolated-functions.ts';
import { decodeIsolated, encodeIsolated } from '../../../src/engine/user-functions/isolated-values.ts';

const functions = new IsolatedFunctions(systemClock);
afterAll(() => functions.close());
// A turn of the event loop bears only so much.
afterEach(() => nextTurn());

function scalar(body: string, parameters = ['x', 'y']): (...args: unknown[]) => unknown {
  const { sandbox } = functions.define({ name: 'F', form: 'scalar', parameters, body });
  return (...args) => sandbox.call(0, 0, 'evaluate', args);
}

describe('values cross both ways as they are', () => {
  const VALUES: readonly (readonly [name: string, value: unknown])[] = [
    ['null', null],
    ['true', true],
    ['false', false],
    ['0', 0],
    ['-0', -0],
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
    ['the least double', 5e-324],
    ['the greatest safe integer', Number.MAX_SAFE_INTEGER],
    ['a number of 17 digits', 0.1 + 0.2],
    ['the greatest BIGINT', 2n ** 63n - 1n],
    ['the least BIGINT', -(2n ** 63n)],
    ['no text', ''],
    ['a text that reads as a number', '+5'],
    ['a text that reads as an answer', '={"n":"NaN"}'],
    ['a text with NUL', 'a\0b'],
    ['a lone surrogate', 'a\ud800b'],
    ['a surrogate pair', 'a😀b'],
    ['quotes and line ends', '"\\\n\r\u2028\'`${x}'],
    ['a long text', 'ü'.repeat(100_000)],
    ['bytes', Uint8Array.from([0, 1, 255])],
    ['a list', [1, 'a', null, [2n ** 60n, -0]]],
    [
      'a map',
      new Map<unknown, unknown>([
        ['a', 1],
        ['__proto__', [2]],
        [3, new Map()],
      ]),
    ],
    ['an object', { A: 1, constructor: 'x', B: { C: [NaN] } }],
  ];
  test.each(VALUES)('%s', (_name, value) => {
    const identity = scalar('return x;');
    expect(Object.is(identity(value), value) || identity(value)).toEqual(
      typeof value === 'object' && value !== null ? value : true,
    );
    expect(identity([value])).toEqual([value]);
  });

  test('a field may have any name', () => {
    const value = JSON.parse('{"__proto__": 1, "o": 2, "n": 3, "m": [4]}') as object;
    const back = scalar('return x;')(value) as object;
    expect(Object.entries(back)).toEqual(Object.entries(value));
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
  });

  test('many arguments, and plain ones among others', () => {
    const all = scalar('return [...arguments].map((each) => typeof each);', []);
    expect(all(...Array.from({ length: 20 }, (_, i) => i))).toEqual(
      Array.from({ length: 20 }, () => 'number'),
    );
    expect(all('a', 1n, true, null, new Map())).toEqual(['string', 'bigint', 'boolean', 'object', 'object']);
  });

  test('undefined is null, also in lists; a Date is an object without fields', () => {
    expect(scalar('return;')()).toBeNull();
    expect(scalar('return [, undefined];')()).toEqual([null, null]);
    expect(scalar('return new Date(0);')()).toEqual({});
  });
});

describe('what cannot be a result says why', () => {
  test.each([
    ['return Symbol("s");', 'a symbol was returned'],
    ['return () => 1;', 'a function was returned'],
    ['return (async () => 1)();', 'a promise was returned'],
    ['const a = []; a.push(a); return a;', 'more than 200 levels'],
    ['return 10n ** 1000n;', 'a bigint of more than 1000 digits'],
    ['return { get X() { throw new Error("no X"); } };', 'no X'],
    ['throw null;', 'F: null'],
    ['throw { toString() { throw 1; } };', 'could not say why'],
    ['throw "x".repeat(1e5);', /^F: x{500}[x …]{1,500}$/],
    ['const f = () => f() + 1; return f();', 'stack overflow'],
    ['const all = []; for (;;) all.push(new Array(1000).fill(all));', /out of memory|no answer|did not end/],
    ['for (;;);', /did not end within 300 ms|no answer/],
    ['try { for (;;); } catch {} finally { return 1; }', /did not end within 300 ms|no answer/],
  ])('%s', async (body, message) => {
    const call = scalar(body);
    let thrown: unknown;
    try {
      call();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(DataError);
    expect((thrown as DataError).message).toMatch(message);
    await nextTurn();
    expect(scalar('return 1;')()).toBe(1);
  });

  test('arguments and results that are too large', () => {
    expect(() => scalar('return "\\u0001".repeat(8e5);')()).toThrow(
      /the result is larger than 4194304 bytes|no answer|did not end/,
    );
    expect(() => scalar('return 1;')('x'.repeat(5e6))).toThrow(
      'the arguments of F are larger than 4194304 bytes',
    );
    expect(scalar('return x.length;')('x'.repeat(4e6))).toBe(4e6);
  });

  test('rows without end', () => {
    const { sandbox } = functions.define({
      name: 'F',
      form: 'table',
      parameters: [],
      body: 'for (;;) yield 1;',
    });
    expect(() => sandbox.call(0, 0, 'evaluate', [])).toThrow(/more than 100000 rows|did not end|no answer/);
  });

  test.each([
    '',
    'x',
    '{',
    '{"i":"x"}',
    '{"i":{}}',
    `{"i":"${'9'.repeat(2000)}"}`,
    '{"m":1}',
    '{"m":[1]}',
    '{"m":[[1,2,3]]}',
    '{"m":[{"length":2}]}',
    '{"b":{"length":1000000}}',
    '{"b":"12"}',
    '{"b":[[1]]}',
    '{"n":["1"]}',
    '{"o":[[["a"],1]]}',
    `{"i":["${'9'.repeat(2000)}"]}`,
    '{"o":null}',
    '{"q":1}',
    `${'['.repeat(1000)}${']'.repeat(1000)}`,
    `${'['.repeat(1e6)}`,
  ])('a text that no value is written as: %.20s', (text) => {
    expect(() => decodeIsolated(text)).toThrow(DataError);
  });
});

test('an interpreter that was thrown away is made anew, and others keep what they have', async () => {
  const counting =
    'globalThis.n ??= 0; if (x === "bomb") for (;;) (globalThis.all ??= []).push("x".repeat(1e6) + n++); return ++globalThis.n;';
  const [first, second] = [scalar(counting), scalar(counting)];
  expect([first(), first(), second()]).toEqual([1, 2, 1]);
  expect(() => first('bomb')).toThrow(DataError);
  await nextTurn();
  expect(first()).toBe(1);
  expect(second()).toBeLessThanOrEqual(2);
});

test("what JSON text is made of is the code's to change, what it is read as is not", () => {
  const lists = scalar('Array.prototype.toJSON = () => ({ length: 1e6 }); return new Uint8Array(1);');
  expect(() => lists()).toThrow('nothing that can be used');
  const digits = scalar(
    'Object.prototype.toJSON = function () { return this.i ? Object.assign(Object.create(null), { i: ["9".repeat(1e6)] }) : this; }; return 1n;',
  );
  expect(() => digits()).toThrow('nothing that can be used');
});

test('many short calls for one record are bounded together', async () => {
  const short = scalar('for (let i = 0; i < 3e4; i++); return x;');
  let calls = 0;
  const all = (): void => {
    while (calls < 3000) expect(short(calls)).toBe(calls++);
  };
  expect(all).toThrow(/functions have taken \d+ ms for this record/);
  await nextTurn();
  expect(short(1)).toBe(1);
});

test('calls that cost only the way are not held back, however many there are', () => {
  const cheap = scalar('return x + 1;');
  for (let i = 0; i < 60_000; i++) if (cheap(i) !== i + 1) expect.fail(`call ${i}`);
});

test('more functions than interpreters stand ready', async () => {
  const many = Array.from({ length: 80 }, (_, i) => scalar(`return x + ${i};`));
  for (let round = 0; round < 2; round++)
    for (const [i, each] of many.entries()) {
      expect(each(1)).toBe(i + 1);
      // Each has made an interpreter.
      await nextTurn();
    }
});

test('promises do not gather', async () => {
  const call = scalar('Promise.resolve("x".repeat(1e5) + x).then((text) => text); return x;');
  for (let i = 0; i < 1500; i++) {
    expect(call(i)).toBe(i);
    if (i % 100 === 99) await nextTurn();
  }
});

test('nothing is left behind by what throws', async () => {
  const call = scalar(
    'globalThis.n = (globalThis.n ?? 0) + 1; if (x !== "count") throw new Error(x.slice(0, 1)); return n;',
  );
  for (let i = 0; i < 1500; i++) {
    expect(() => call(`${i}${'x'.repeat(100_000)}`)).toThrow(DataError);
    if (i % 100 === 99) await nextTurn();
  }
  expect(call('count')).toBe(1501);
});

test('a body is read to its end, whatever is in it', () => {
  expect(scalar('return "\0" + "\ud800".length + ";" // \0\n + x;')('end')).toBe('\0' + '1;end');
});

test('what was forgotten is called no more, and its text is read no more', () => {
  const { sandbox, forget } = functions.define({
    name: 'F',
    form: 'scalar',
    parameters: [],
    body: 'return 1;',
  });
  forget();
  expect(() => sandbox.call(0, 0, 'evaluate', [])).toThrow('not defined any more');
});

test('JSON text of values has no bare object', () => {
  expect(encodeIsolated([{ a: 1 }, new Map([['b', 2n]])])).toBe('[{"o":[["a",1]]},{"m":[["b",{"i":"2"}]]}]');
});
