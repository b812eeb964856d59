import { BOOTSTRAP } from './isolated-bootstrap.ts';
import { PLAIN, PLAIN_START } from './isolated-values.ts';

/** The first word of a request. The second is the function's number. */
export const REQUEST = { learn: 0, members: 1, call: 2, forget: 3 } as const;
/** In the fourth word of a call, in the place of the number of plain arguments: they are JSON text. */
export const AS_JSON = -1;
/** The offset of a request's text. */
export const TEXT_START = PLAIN_START;

/** How long code may run before its interpreter stops it. What does not ask the interpreter ends with its thread. */
export const RUN_MS = 300;
/** Memory of one function, in pages of 64 KiB. */
const PAGES_MAX = 1024;
/** QuickJS's part of that memory, which leaves room for arguments, and its stack. */
const HEAP_BYTES = 48 * 1024 * 1024;
const STACK_BYTES = 256 * 1024;
/** Continuations of promises that run after a call. */
const JOBS_MAX = 1000;
/** Interpreters that stand ready, and what they may have grown by, all together: the one called longest ago goes. */
const READY_MAX = 32;
const GROWN_BYTES_MAX = 128 * 1024 * 1024;

/**
 * The worker's program for functions whose code came in a statement, from anybody who may send one. Each function has an
 * interpreter of its own, QuickJS in WebAssembly, with its own memory: a fault in one of them reads and writes nothing but
 * that. What crosses is numbers and texts, and what the interpreter calls on this side is whether its time is over.
 *
 * When anything but what the code itself has thrown comes out of an interpreter (its memory or stack is full, its time is
 * over, WebAssembly has trapped), it may have stopped anywhere: it is thrown away, and the next call finds a new one.
 *
 * Requests are words, the first two of them what and which function. `learn` has its code as JSON text; `members` is
 * answered with their names as JSON; `call` has the member's number, and the number of plain arguments or `AS_JSON`; it is
 * answered with a number or with JSON text (isolated-values.ts).
 */
export const ISOLATED_PROGRAM = `
const { newQuickJSWASMModuleFromVariant, newVariant } = require(workerData.core);
const quickJs = require(workerData.variant).default;
const { wasmModule } = workerData;
/** By function, as JSON text. */
const codes = new Map();
/** By function, the one called longest ago first. */
const interpreters = new Map();
let latest = null;
let grownBytes = 0;

/** A thread has no clock handed in: what it measures is its own time. */
const elapsed = performance.now.bind(performance);
let ranMs = 0;
let askedAt = -1;
let stopped = false;
/** Time in which this thread did not run counts little: a busy machine must not turn results into nulls. */
function isOver() {
  const now = elapsed();
  if (askedAt >= 0) ranMs += Math.min(now - askedAt, 5);
  askedAt = now;
  return (stopped = ranMs >= ${RUN_MS});
}
function resetTime() {
  ranMs = 0;
  askedAt = -1;
  stopped = false;
}

class Interpreter {
  static async open(id) {
    const memory = new WebAssembly.Memory({ initial: 256, maximum: ${PAGES_MAX} });
    const module = await newQuickJSWASMModuleFromVariant(newVariant(quickJs, { wasmModule, wasmMemory: memory }));
    return new Interpreter(id, module, memory);
  }
  constructor(id, module, memory) {
    resetTime();
    this.id = id;
    this.memory = memory;
    this.bytes = this.startBytes = memory.buffer.byteLength;
    this.runtime = module.newRuntime({ memoryLimitBytes: ${HEAP_BYTES}, maxStackSizeBytes: ${STACK_BYTES}, interruptHandler: isOver });
    const context = (this.context = this.runtime.newContext());
    const made = context.unwrapResult(context.evalCode(${JSON.stringify(BOOTSTRAP)}));
    this.call = context.getProp(made, 'call');
    this.callJson = context.getProp(made, 'callJson');
    interpreters.set(id, this);
    latest = id;
    this.members = this.run(context.getProp(made, 'define'), (args) => args.push(context.newString(codes.get(id))));
    makeRoom();
  }
  /** Returns the number or the text that came, without what it begins with. The arguments are what fill pushes. */
  run(fn, fill) {
    const { context } = this;
    const args = [];
    let text;
    try {
      fill(args, context);
      resetTime();
      begin();
      const result = context.callFunction(fn, context.undefined, args);
      if (result.error === undefined) {
        const { value } = result;
        const number = context.getNumber(value);
        if (number === number) text = number;
        else text = context.getString(value);
        value.dispose();
      }
      for (let i = 0; i < args.length; i++) args[i].dispose();
    } catch { text = undefined; }
    ran(ranMs);
    if (typeof text === 'number') return this.done(text);
    const mark = text === undefined ? '' : text[0];
    if (mark === '=') return this.done(text.slice(1));
    if (mark === '-') return this.done(null, reason(text));
    discard(this);
    if (stopped) throw new Stopped('it did not end within ${RUN_MS} ms');
    throw new Error(mark === '!' ? reason(text) : 'it ran out of memory or stack');
  }
  /** Runs what waits for promises, within the time of the call: it would gather. */
  settle() {
    try { this.runtime.executePendingJobs(${JOBS_MAX}).dispose(); } catch { discard(this); }
    ran(ranMs);
    if (stopped || this.runtime.hasPendingJob()) discard(this);
    if (stopped) throw new Stopped('it did not end within ${RUN_MS} ms');
  }
  done(value, failed) {
    if (this.memory.buffer.byteLength !== this.bytes) {
      grownBytes += this.memory.buffer.byteLength - this.bytes;
      this.bytes = this.memory.buffer.byteLength;
      makeRoom();
    }
    if (this.runtime.hasPendingJob()) this.settle();
    if (failed !== undefined) throw new Error(failed);
    return value;
  }
}
function reason(text) {
  try { return String(JSON.parse(text.slice(1))); } catch { return 'it failed, and could not say why'; }
}
function discard(interpreter) {
  if (interpreters.get(interpreter.id) !== interpreter) return;
  interpreters.delete(interpreter.id);
  grownBytes -= interpreter.bytes - interpreter.startBytes;
  if (latest === interpreter.id) latest = null;
}
function makeRoom() {
  for (const each of interpreters.values()) {
    if (interpreters.size <= ${READY_MAX} && grownBytes <= ${GROWN_BYTES_MAX}) return;
    if (each.id !== latest) discard(each);
  }
}
function fillPlain(args, context) {
  args.push(context.newNumber(words[2]));
  for (let i = 0, count = words[3], at = ${PLAIN_START} + count * 16; i < count; i++) {
    const place = (${PLAIN_START} >> 2) + i * 4;
    switch (words[place]) {
      case ${PLAIN.number}: args.push(context.newNumber(numbers[(place >> 1) + 1])); break;
      case ${PLAIN.text}: args.push(context.newString(channel.toString('utf8', at, at += words[place + 1]))); break;
      case ${PLAIN.true}: args.push(context.true); break;
      case ${PLAIN.false}: args.push(context.false); break;
      default: args.push(context.null);
    }
  }
}
function fillJson(args, context) {
  args.push(context.newNumber(words[2]), context.newString(channel.toString('utf8', ${TEXT_START}, control[1])));
}
function call(interpreter) {
  const { id } = interpreter;
  if (latest !== id) {
    interpreters.delete(id);
    interpreters.set(id, interpreter);
    latest = id;
  }
  const given = words[3] === ${AS_JSON} ? interpreter.run(interpreter.callJson, fillJson) : interpreter.run(interpreter.call, fillPlain);
  if (typeof given !== 'number') return putText(given);
  numbers[0] = given;
  return NUMBER;
}
answer(ANSWERED, 0);
serve((length) => {
  const id = words[1];
  switch (words[0]) {
    case ${REQUEST.learn}:
      codes.set(id, channel.toString('utf8', ${TEXT_START}, length));
      return 0;
    case ${REQUEST.members}:
      return Interpreter.open(id).then(({ members }) => putText(members));
    case ${REQUEST.call}: {
      const ready = interpreters.get(id);
      return ready === undefined ? Interpreter.open(id).then(call) : call(ready);
    }
    default: {
      codes.delete(id);
      const ready = interpreters.get(id);
      if (ready !== undefined) discard(ready);
      return 0;
    }
  }
});
`;
