import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../../src/common/clock.ts';
import { LogError, type LogWriter, type OffsetToCommit } from '../../../../src/log/log.ts';
import { Committer } from '../../../../src/streams/instance/committer.ts';
import { InputQueue } from '../../../../src/streams/task/input-queue.ts';
import type { Task } from '../../../../src/streams/task/task.ts';

interface Sent {
  flushes: number;
  commits: (readonly OffsetToCommit[])[];
}

/** A log without transactions, whose flushes or commits fail. */
function failingWriter(failing: 'flush' | 'commit'): { writer: LogWriter; sent: Sent } {
  const sent: Sent = { flushes: 0, commits: [] };
  const away = (): Promise<never> => Promise.reject(new LogError('unavailable', 'the broker is away'));
  const writer = {
    atomicCommit: false,
    pendingBytes: 100,
    flush() {
      sent.flushes++;
      return failing === 'flush' ? away() : Promise.resolve();
    },
    commit(offsets: readonly OffsetToCommit[]) {
      sent.commits.push(offsets);
      return failing === 'commit' ? away() : Promise.resolve();
    },
  } as unknown as LogWriter;
  return { writer, sent };
}

function open(writer: LogWriter, clock = new ManualClock()): { committer: Committer; task: Task } {
  const committer = new Committer(
    clock,
    writer,
    (store) => store,
    true,
    () => undefined,
  );
  const task = {
    inputs: [new InputQueue('in', 0, 7)],
    stores: new Map(),
    turn: { flush: () => Promise.resolve() },
    persistedNumbers: () => ({}),
    commitNeeded: true,
    commitRequested: true,
  } as unknown as Task;
  committer.addTask(task, new Map());
  return { committer, task };
}

test('what was processed is not committed when its output was lost, in the turn in which that happens too', async () => {
  const { writer, sent } = failingWriter('flush');
  const { committer, task } = open(writer);
  await committer.send(true);
  await expect(committer.commit([task])).rejects.toThrow('the broker is away');
  expect(sent).toEqual({ flushes: 1, commits: [] });
  expect(() => committer.throwFlushError()).toThrow('the broker is away');
});

test('a task whose commit failed still has something to commit', async () => {
  const failing = open(failingWriter('commit').writer);
  await expect(failing.committer.commit([failing.task])).rejects.toThrow('the broker is away');
  expect(failing.task).toMatchObject({ commitNeeded: true, commitRequested: true });
  const { writer, sent } = failingWriter('flush');
  const { committer, task } = open(writer);
  await committer.commit([task]);
  expect(sent.commits).toEqual([[{ topic: 'in', partition: 0, offset: 7, metadata: '{}' }]]);
  expect(task).toMatchObject({ commitNeeded: false, commitRequested: false });
});

describe('output goes before the commit', () => {
  /** A writer whose flushes are acknowledged when `acknowledge` is called. */
  function lingering(parts: Partial<LogWriter>) {
    const state = { flushes: 0, unsentBytes: 0, inFlightBytes: 0, acknowledge: (): void => {} };
    const writer = {
      atomicCommit: false,
      flushStaysHidden: false,
      lingerMs: 5,
      ...parts,
      get unsentBytes() {
        return state.unsentBytes;
      },
      get pendingBytes() {
        return state.unsentBytes + state.inFlightBytes;
      },
      flush() {
        state.flushes++;
        state.inFlightBytes = state.unsentBytes;
        state.unsentBytes = 0;
        return new Promise<void>((resolve) => {
          state.acknowledge = () => {
            state.inFlightBytes = 0;
            resolve();
          };
        });
      },
    } as unknown as LogWriter;
    const clock = new ManualClock();
    return { state, clock, ...open(writer, clock) };
  }

  test('linger.ms after what went before it, one at a time', async () => {
    const { state, clock, committer } = lingering({});
    expect(committer.dueInMs).toBe(Infinity);
    state.unsentBytes = 10;
    await committer.send(false);
    expect(state.flushes).toBe(1);
    clock.advance(7);
    // It is on its way, and nothing else is to go.
    expect(committer.dueInMs).toBe(Infinity);
    state.unsentBytes = 10;
    await committer.send(false);
    // One is on its way, and is waited for in short steps.
    expect([state.flushes, committer.dueInMs]).toEqual([1, 1]);
    state.acknowledge();
    await committer.settle();
    expect(committer.dueInMs).toBe(0);
    await committer.send(false);
    expect(state.flushes).toBe(2);
    state.acknowledge();
    await committer.settle();
    clock.advance(3);
    state.unsentBytes = 10;
    await committer.send(false);
    expect([state.flushes, committer.dueInMs]).toEqual([2, 2]);
    clock.advance(2);
    expect(committer.dueInMs).toBe(0);
    await committer.send(false);
    expect(state.flushes).toBe(3);
  });

  test.each([
    ['inside a transaction too', { atomicCommit: true, flushStaysHidden: true }, 1],
    ['not where it would be seen before its input is committed', { atomicCommit: true }, 0],
  ])('%s', async (_, parts, flushes) => {
    const { state, committer } = lingering(parts);
    state.unsentBytes = 10;
    await committer.send(false);
    expect(state.flushes).toBe(flushes);
  });
});
