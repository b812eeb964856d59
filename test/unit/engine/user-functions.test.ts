import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { DataError } from '../../../src/common/error.ts';
import { loadUserFunctions } from '../../../src/engine/user-functions/load-user-functions.ts';
import type { AggregateFunction, ScalarFunction, TableFunction } from '../../../src/functions/function.ts';
import { BIGINT, DOUBLE, STRING, array } from '../../../src/types/sql-type.ts';
import type { SqlValue } from '../../../src/types/value.ts';

let directory: string;
let loaded: ReturnType<typeof loadUserFunctions>;
const context = { now: () => 0, random: () => 0 };

function load(name: string, source: string): ReturnType<typeof loadUserFunctions> {
  const file = join(directory, name);
  writeFileSync(file, source);
  return loadUserFunctions(file, systemClock);
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-functions-'));
  loaded = load(
    'functions.mjs',
    `globalThis.calls = 0;
     export default [
       { name: 'shout', signatures: [{ parameters: ['STRING'], returns: 'STRING', evaluate: (text) => text.toUpperCase() + '!' }] },
       { name: 'SPIN', signatures: [{ parameters: [], returns: 'INT', evaluate() { for (;;); } }] },
       { name: 'LEAVE', signatures: [{ parameters: [], returns: 'INT', evaluate() { process.exit(3); } }] },
       { name: 'LIE', signatures: [{ parameters: [], returns: 'INT', evaluate: () => 'no number' }] },
       { name: 'ENVIRONMENT', signatures: [{ parameters: [], returns: 'INT', evaluate: () => Object.keys(process.env).length }] },
       { name: 'FIRSTS', kind: 'table', signatures: [{ parameters: ['ARRAY<T>'], returns: 'T', evaluate: (list) => list.slice(0, 2) }] },
       { name: 'TOTAL', kind: 'aggregate', signatures: [{ parameters: ['BIGINT'], literals: ['INT'], state: 'BIGINT', returns: 'DOUBLE',
           initial: ([start]) => start, add: (state, [value]) => state + value, merge: (a, b) => a + b, result: (state) => state / 2 }] },
     ];`,
  );
});
afterAll(async () => {
  await loaded.close();
  rmSync(directory, { recursive: true, force: true });
});

function call(name: string, ...args: SqlValue[]): SqlValue {
  const fn = loaded.functions.get(name) as ScalarFunction;
  const evaluate = fn.signatures[0]!.open(
    args.map(() => STRING),
    name === 'SHOUT' ? STRING : { kind: 'integer' },
    context,
  ) as (...values: SqlValue[]) => SqlValue;
  return evaluate(...args);
}

test('a scalar function is called with values and gives one', () => {
  expect(call('SHOUT', 'hello')).toBe('HELLO!');
});

test('what it throws, and a result of another type, are the data’s errors', () => {
  expect(() => call('SHOUT', null)).toThrow(DataError);
  expect(() => call('LIE')).toThrow(/INTEGER was to be returned, not string no number/);
  expect(call('SHOUT', 'still here')).toBe('STILL HERE!');
});

test('a function that does not return, or ends its thread, costs that call only', () => {
  expect(() => call('SPIN')).toThrow(/no answer within/);
  expect(call('SHOUT', 'on')).toBe('ON!');
  expect(() => call('LEAVE')).toThrow(DataError);
  expect(call('SHOUT', 'and on')).toBe('AND ON!');
});

test('it sees nothing of the environment', () => {
  expect(call('ENVIRONMENT')).toBe(0);
});

test('table functions and aggregates, with generics and literals', () => {
  const firsts = loaded.functions.get('FIRSTS') as TableFunction;
  expect(firsts.signatures[0]!.open([array(DOUBLE)], context)([1.5, 2.5, 3.5])).toEqual([1.5, 2.5]);
  const total = (loaded.functions.get('TOTAL') as AggregateFunction).signatures[0]!.open(
    [BIGINT],
    [10],
    context,
  );
  expect(total.result(total.add(total.add(total.initial(), 1), 2 ** 40))).toBe((2 ** 40 + 11) / 2);
  expect(total.merge!(1, 2)).toBe(3);
  expect('undo' in total).toBe(false);
});

test('a file that is no module of functions says so', () => {
  expect(() => load('broken.mjs', 'export default 1 +;')).toThrow(/broken\.mjs: /);
  expect(() => load('none.mjs', 'export const x = 1;')).toThrow(/must be an array of functions/);
  expect(() =>
    load(
      'type.mjs',
      "export default [{ name: 'F', signatures: [{ parameters: ['NUMBR'], returns: 'INT', evaluate: () => 1 }] }];",
    ),
  ).toThrow(/function F: .*NUMBR/);
});

test('a TypeScript file is read, types and all', async () => {
  const typed = load(
    'typed.ts',
    `type Text = string | null;
     const shout = (text: Text): string => \`\${text as string}!\`;
     export default [{ name: 'TYPED', signatures: [{ parameters: ['STRING'], returns: 'STRING', evaluate: shout }] }];`,
  );
  const { signatures } = typed.functions.get('TYPED') as ScalarFunction;
  expect((signatures[0]!.open([STRING], STRING, context) as (text: SqlValue) => SqlValue)('a')).toBe('a!');
  await typed.close();
});
