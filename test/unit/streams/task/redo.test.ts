import { beforeEach, expect, test } from 'vitest';
import { nextTurn } from '../../../../src/common/clock.ts';
import { MISS, type TaskState } from '../../../../src/state/store.ts';
import { PersistedNumbers } from '../../../../src/streams/task/persisted-numbers.ts';
import type { RecordFailures } from '../../../../src/streams/task/record-failures.ts';
import type { TaskOutput } from '../../../../src/streams/task/record-sink.ts';
import { Redo } from '../../../../src/streams/task/redo.ts';

/** What was asked of the parts, in order. */
let asked: string[];
/** What memory holds. */
let inMemory: Set<string>;
let wanted: string[];
let endLoad: (() => void)[];
let loadFails: Error | null;
let numbers: PersistedNumbers;
let state: { resident: boolean; missed: boolean; waits: boolean; readFailure: unknown };

const note = (what: string) => (): void => void asked.push(what);

function open(repeatable = true): Redo {
  return new Redo({
    state: state as unknown as TaskState,
    repeatable,
    output: { mark: note('mark output'), undo: note('undo output') } as unknown as TaskOutput,
    failures: {
      mark: note('mark failures'),
      undo: note('undo failures'),
      keep: note('keep failures'),
    } as unknown as RecordFailures,
    numbers,
    calls: [],
  });
}

beforeEach(() => {
  asked = [];
  inMemory = new Set();
  wanted = [];
  endLoad = [];
  loadFails = null;
  numbers = new PersistedNumbers({});
  state = {
    resident: false,
    missed: false,
    waits: false,
    readFailure: null,
    beginRecord: () => {
      state.missed = false;
      asked.push('mark state');
    },
    undoRecord: note('undo state'),
    load: () => {
      asked.push(`load ${wanted.join(' ')}`);
      if (loadFails !== null) return Promise.reject(loadFails);
      return new Promise<void>((resolve) => {
        endLoad.push(() => {
          for (const each of wanted.splice(0)) inMemory.add(each);
          resolve();
        });
      });
    },
    allowWaiting: () => {
      asked.push('allow waiting');
      return Promise.resolve();
    },
  } as typeof state;
});

function read(name: string): void {
  if (inMemory.has(name)) return;
  state.missed = true;
  wanted.push(name);
  throw MISS; // oxlint-disable-line no-throw-literal
}

test('an attempt that misses something is undone as a whole, and made again when it is loaded', async () => {
  const redo = open();
  const count = numbers.number('count', 0);
  const done = redo.until(() =>
    redo.attempt(
      (names: readonly string[]) => {
        count.value++;
        names.forEach(read);
      },
      ['a', 'b'],
    ),
  );
  const mark = ['mark failures', 'mark state', 'mark output'];
  const undo = ['undo failures', 'undo state', 'undo output'];
  await nextTurn();
  expect(asked).toEqual([...mark, ...undo, 'load a']);
  expect(count.value).toBe(0);
  endLoad[0]!();
  await nextTurn();
  endLoad[1]!();
  await done;
  expect(asked.slice(7)).toEqual([...mark, ...undo, 'load b', ...mark, 'keep failures']);
  expect(count.value).toBe(1);
});

test('a miss that somebody caught is undone too, and what follows from it is no failure', async () => {
  const redo = open();
  const silent = (name: string): void => {
    try {
      read(name);
    } catch {}
  };
  expect(redo.attempt(silent, 'a')).toBe(false);
  const failing = (name: string): void => {
    silent(name);
    throw new Error('there is no row');
  };
  expect(redo.attempt(failing, 'b')).toBe(false);
  inMemory.add('b');
  expect(() => redo.attempt(failing, 'b')).toThrow('there is no row');
});

test('nothing is attempted while somebody else has state loaded, and both get what they want', async () => {
  const redo = open();
  wanted.push('outside');
  const outside = redo.load();
  let attempts = 0;
  const done = redo.until(() =>
    redo.attempt((name) => {
      attempts++;
      read(name);
    }, 'a'),
  );
  expect(redo.attempt(read, 'a')).toBe(false);
  await nextTurn();
  expect(attempts).toBe(0);
  endLoad[0]!();
  await outside;
  await nextTurn();
  endLoad[1]!();
  await done;
  expect(attempts).toBe(2);
  expect(asked.filter((each) => each.startsWith('load'))).toEqual(['load outside', 'load a']);
});

test('a load that fails is told to whoever waits for it, and the next one is a new one', async () => {
  const redo = open();
  loadFails = new Error('the disk is gone');
  await expect(redo.until(() => redo.attempt(read, 'a'))).rejects.toThrow('the disk is gone');
  loadFails = null;
  expect(redo.isLoading).toBe(false);
  const done = redo.until(() => redo.attempt(read, 'a'));
  await nextTurn();
  endLoad[0]!();
  await done;
});

test('what cannot be made again waits for the database, and nothing of it is marked', async () => {
  const redo = open(false);
  let waited = false;
  await redo.until(() => redo.attempt(() => void (waited = state.waits), null));
  expect(waited).toBe(true);
  expect(state.waits).toBe(false);
  expect(asked).toEqual(['allow waiting']);
  expect(() => redo.attempt(() => void (state.readFailure = new Error('cannot be read')), null)).toThrow(
    'cannot be read',
  );
});

test('with everything in memory nothing is marked', () => {
  state.resident = true;
  const redo = open();
  expect(redo.attempt(() => undefined, null)).toBe(true);
  expect(asked).toEqual([]);
});
