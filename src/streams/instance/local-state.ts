import { join } from 'node:path';
import type { PartitionOffsets } from '../../log/log.ts';
import { StateError } from '../../state/directory-lock.ts';
import type { TaskState } from '../../state/store.ts';
import type { SubTopology } from '../topology/topology.ts';
import { parseTaskMeta, type TaskMeta } from './task-meta.ts';
import type { CommittedOffsets, TaskHost } from './task-host.ts';

/** A task's state as it is on this machine; `meta` null where that is nothing, and all comes from changelogs. */
export interface LocalState {
  readonly state: TaskState;
  readonly meta: TaskMeta | null;
}

/** Why state on disk is not gone on from. */
interface Refusal {
  readonly reason: string;
  /** The files are not what this task wrote; otherwise somebody moved the log back, and wants other state. */
  readonly damaged: boolean;
}

/** The name inside a task's state that says whose it is. */
export function stateOwner(applicationId: string, task: string): string {
  return `${applicationId}/${task}`;
}

/**
 * Opens the state of a task. What cannot be gone on from is deleted, with a warning, to be rebuilt from the changelogs;
 * where a store has none, that would be less than there was, and is a `StateError` instead.
 */
export async function openLocalState(
  host: TaskHost,
  sub: SubTopology,
  partition: number,
  inputs: readonly string[],
  committed: CommittedOffsets,
  changelogs: ReadonlyMap<string, PartitionOffsets>,
): Promise<LocalState> {
  const { state: backend, stateDirectory, applicationId, logger } = host.options;
  const task = `${sub.index}_${partition}`;
  const directory =
    stateDirectory === null || sub.stores.length === 0 ? null : join(stateDirectory, applicationId, task);
  const state = await backend.openTaskState(directory);
  try {
    const names = inputs.map((topic) => `${topic}-${partition}`);
    const found = readMeta(state, stateOwner(applicationId, task));
    const refusal =
      found instanceof Error ? { reason: found.message, damaged: true } : refuse(found, names, committed);
    const lost = directory === null ? [] : storesWithoutChangelog(host, sub);
    if (refusal === null) {
      if (found === null && lost.length > 0 && names.some((name) => (committed.get(name)?.offset ?? 0) > 0))
        logger.warn(
          { applicationId, task, directory, stores: lost },
          'stores without a changelog have no state here and begin empty',
        );
      const meta = found as TaskMeta | null;
      for (const [store, { end }] of changelogs) {
        const position = meta?.changelogs[store] ?? 0;
        if (position > end)
          logger.warn(
            { applicationId, task, directory, store, position, end },
            'a changelog has lost its end: what is missing there is in this directory only',
          );
      }
      return { state, meta };
    }
    const { reason, damaged } = refusal;
    if (damaged && lost.length > 0)
      throw new StateError(
        `the state of task ${task} in ${directory} cannot be used (${reason}), ` +
          `and there is no changelog to rebuild ${lost.join(', ')} from`,
        'restore the directory from a backup, without the file `damaged`, or delete it to begin with empty stores',
        found,
      );
    logger.warn(
      { applicationId, task, directory, reason },
      'the local state cannot be used: it is deleted and rebuilt from its changelogs',
    );
    await state.wipe();
    return { state, meta: null };
  } catch (error) {
    // Nobody else knows of it yet, and a state that stays open cannot be opened again.
    await state.close();
    throw error;
  }
}

/** An error where the state is not this task's, or cannot be read. */
function readMeta(state: TaskState, owner: string): TaskMeta | null | Error {
  if (state.damage !== null) return state.damage;
  if (state.meta === null) return null;
  try {
    const meta = parseTaskMeta(state.meta);
    return meta.owner === undefined || meta.owner === owner ? meta : new Error(`it is of ${meta.owner}`);
  } catch (error) {
    return error as Error;
  }
}

function refuse(
  meta: TaskMeta | null,
  inputs: readonly string[],
  committed: CommittedOffsets,
): Refusal | null {
  if (meta === null) return null;
  for (const input of inputs) {
    const local = meta.inputs[input];
    const offset = committed.get(input)?.offset;
    if (local !== undefined && (offset === undefined || offset < local))
      return {
        reason: `it is at offset ${local} of ${input}, and ${offset ?? 'no offset'} is committed`,
        damaged: false,
      };
  }
  return null;
}

/** Stores whose rows are on disk only. */
function storesWithoutChangelog({ options }: TaskHost, sub: SubTopology): string[] {
  const { changelogs = true, transient = false } = options;
  if (transient) return [];
  return sub.stores
    .filter(({ options: store, sourceTopic }) => {
      const logged = sourceTopic !== undefined || (changelogs && store.changelog);
      return store.persistent && !logged;
    })
    .map(({ options: store }) => store.name);
}
