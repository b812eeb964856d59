import { expect, test } from 'vitest';
import type { LogAdmin, TopicPartition } from '../../../../src/log/log.ts';
import { RepartitionPurge } from '../../../../src/streams/instance/repartition-purge.ts';
import { InputQueue } from '../../../../src/streams/task/input-queue.ts';
import type { Task } from '../../../../src/streams/task/task.ts';

test('repartitioned records are deleted now and then, when it is committed that they were read', async () => {
  const deleted: (TopicPartition & { readonly offset: number })[] = [];
  const admin = {
    deleteRecords(until: TopicPartition & { readonly offset: number }) {
      deleted.push(until);
      return Promise.resolve();
    },
  } as unknown as LogAdmin;
  const purge = new RepartitionPurge(admin, new Set(['own']), 0);
  const taskOf = (partition: number, commitNeeded: boolean): Task => {
    const inputs = [new InputQueue('in', partition, 5), new InputQueue('own', partition, 7)];
    // Over a marker: a start from what is committed must find its offset.
    for (const input of inputs) input.skipTo(8);
    return { inputs, commitNeeded } as unknown as Task;
  };
  const tasks = [taskOf(0, false), taskOf(1, true)];
  await purge.purgeWhenDue(tasks, 29_999);
  expect(deleted).toEqual([]);
  await purge.purgeWhenDue(tasks, 30_000);
  expect(deleted).toEqual([{ topic: 'own', partition: 0, offset: 7 }]);
  await purge.purgeWhenDue(tasks, 59_999);
  expect(deleted).toHaveLength(1);
});
