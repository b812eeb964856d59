import type { Task } from '../task/task.ts';
import type { SubTopology } from '../topology/topology.ts';
import { Listeners } from './listeners.ts';
import { beginTask, type OpenedTask } from './open-task.ts';
import { Restoration } from './restoration.ts';
import { restoreStores } from './restore.ts';
import type { CommittedOffsets, TaskHost } from './task-host.ts';

export interface OpeningTasks {
  /** Ends it: what is restored is left where it is, and it rejects. */
  readonly signal: AbortSignal;
  /** Told of each task as soon as there is something to close. */
  readonly opened: (task: OpenedTask) => void;
  /** What is being restored from now on; null when that is over. */
  readonly restores: (restoration: Restoration | null) => void;
}

/** Opens tasks where they last committed. The state of all is restored side by side. */
export async function openTasks(
  host: TaskHost,
  wanted: readonly { readonly sub: SubTopology; readonly partition: number }[],
  committed: CommittedOffsets,
  { signal, opened, restores }: OpeningTasks,
): Promise<readonly Task[]> {
  const { applicationId, log, logger, clock, onRestore } = host.options;
  const begun = [];
  for (const { sub, partition } of wanted)
    begun.push(await beginTask(host, sub, partition, committed, opened));
  const restoring = begun.map(({ task, ranges }) => ({ state: task.state, ranges }));
  const restoration = new Restoration(
    restoring.flatMap(({ ranges }) => ranges),
    { applicationId, logger, clock },
  );
  restores(restoration);
  try {
    const listener = new Listeners(logger, applicationId).restore(onRestore);
    const restored = await restoreStores(log, restoring, { listener, clock, signal, restoration });
    for (const [i, { task }] of begun.entries())
      if (restored[i]! > 0)
        logger.info({ applicationId, task: task.id, records: restored[i] }, 'state restored');
  } finally {
    restores(null);
  }
  for (const each of begun) await each.finish();
  return begun.map(({ task }) => task);
}
