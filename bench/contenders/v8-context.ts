import { deserialize, serialize } from 'node:v8';
import { Worker } from 'node:worker_threads';

/**
 * What a function of a statement ran in before it got an interpreter: a V8 context in a thread, values crossing as JSON
 * text. Kept to say what the wall costs; a context is none.
 */
const PROGRAM = `
const vm = require('node:vm');
const { workerData } = require('node:worker_threads');
const { deserialize, serialize } = require('node:v8');
const control = new Int32Array(workerData.control), channel = Buffer.from(workerData.channel);
const call = vm.runInNewContext('(function (parameters, body) { const f = new Function(...parameters, body); return (text) => JSON.stringify(f(...JSON.parse(text))); })')(workerData.parameters, workerData.body);
for (;;) {
  for (let seen = Atomics.load(control, 0); seen !== 1; seen = Atomics.load(control, 0)) Atomics.wait(control, 0, seen);
  const bytes = serialize(call(deserialize(channel.subarray(0, control[1]))));
  bytes.copy(channel);
  control[1] = bytes.length;
  Atomics.store(control, 0, 2);
  Atomics.notify(control, 0);
}
`;

export function openV8Context(
  parameters: readonly string[],
  body: string,
): { call: (...args: unknown[]) => unknown; close: () => Promise<unknown> } {
  const control = new Int32Array(new SharedArrayBuffer(8));
  const channel = Buffer.from(new SharedArrayBuffer(1 << 20));
  const worker = new Worker(PROGRAM, {
    eval: true,
    workerData: { control: control.buffer, channel: channel.buffer, parameters, body },
  });
  return {
    call(...args) {
      const bytes = serialize(JSON.stringify(args));
      bytes.copy(channel);
      control[1] = bytes.length;
      Atomics.store(control, 0, 1);
      Atomics.notify(control, 0);
      while (Atomics.load(control, 0) === 1) Atomics.wait(control, 0, 1);
      return JSON.parse(deserialize(channel.subarray(0, control[1])) as string);
    },
    close: () => worker.terminate(),
  };
}
