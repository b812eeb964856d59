/**
 * What a call of a function made by a statement costs, beside the V8 context that it was before.
 * `node scripts/run-ts.js bench/micro/user-functions.ts`. Numbers are microseconds a call, the best of five rounds: of
 * the caller's time, and of processor time in all threads.
 */
import { nextTurn, systemClock } from '../../src/common/clock.ts';
import { IsolatedFunctions } from '../../src/engine/user-functions/isolated-functions.ts';
import { openV8Context } from '../contenders/v8-context.ts';

const ROUNDS = 5;

interface Case {
  readonly name: string;
  readonly calls: number;
  readonly body: string;
  readonly argument: unknown;
}

const order = JSON.stringify({ id: 17, item: 'bolt', prices: [1.5, 2.5, 3.5], to: { city: 'Graz' } });
const CASES: readonly Case[] = [
  { name: 'x * 2', calls: 50_000, body: 'return x * 2;', argument: 21 },
  { name: 'text of 5', calls: 50_000, body: 'return x;', argument: 'hello' },
  {
    name: 'JSON',
    calls: 20_000,
    body: 'const order = JSON.parse(x); order.id++; return JSON.stringify(order);',
    argument: order,
  },
  {
    name: 'list of 10',
    calls: 20_000,
    body: 'return x.map((each) => each + 1);',
    argument: Array.from({ length: 10 }, (_, i) => i),
  },
  {
    name: 'hash of 4,000',
    calls: 200,
    body: 'let h = 0; for (let i = 0; i < x.length; i++) h = (h * 31 + x.charCodeAt(i)) | 0; return h;',
    argument: 'a'.repeat(4000),
  },
  {
    // A context of Node's is slow to find what is global.
    name: 'with Math.imul',
    calls: 200,
    body: 'let h = 0; for (let i = 0; i < x.length; i++) h = (Math.imul(h, 31) + x.charCodeAt(i)) | 0; return h;',
    argument: 'a'.repeat(4000),
  },
];

const SLICES = 20;

async function measure(calls: number, run: () => void): Promise<string> {
  let wall = Infinity;
  let cpu = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    let roundWall = 0;
    let roundCpu = 0;
    for (let slice = 0; slice < SLICES; slice++) {
      // What calls may take of one turn of the event loop is bounded.
      await nextTurn();
      const begun = process.hrtime.bigint();
      const before = process.cpuUsage();
      for (let i = 0; i < calls / SLICES; i++) run();
      const spent = process.cpuUsage(before);
      roundWall += Number(process.hrtime.bigint() - begun) / 1000;
      roundCpu += spent.user + spent.system;
    }
    wall = Math.min(wall, roundWall / calls);
    cpu = Math.min(cpu, roundCpu / calls);
  }
  return `${wall.toFixed(1).padStart(8)} ${cpu.toFixed(1).padStart(8)}`;
}

console.log('µs a call       interpreter: time, processor   V8 context: time, processor');
const isolated = new IsolatedFunctions(systemClock);
for (const { name, calls, body, argument } of CASES) {
  const { sandbox } = isolated.define({ name, form: 'scalar', parameters: ['x'], body });
  const context = openV8Context(['x'], body);
  const expected = JSON.stringify(context.call(argument));
  const got = JSON.stringify(sandbox.call(0, 0, 'evaluate', [argument]));
  if (got !== expected) throw new Error(`${name}: ${got}, not ${expected}`);
  const interpreter = await measure(calls, () => sandbox.call(0, 0, 'evaluate', [argument]));
  const v8 = await measure(calls, () => context.call(argument));
  console.log(`${name.padEnd(16)} ${interpreter.padEnd(30)} ${v8}`);
  await context.close();
}
await isolated.close();
