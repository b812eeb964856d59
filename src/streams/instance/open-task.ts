import { must } from '../../common/assert.ts';
import type { PartitionOffsets } from '../../log/log.ts';
import type { OffsetReset } from '../topology/offset-reset.ts';
import type { SubTopology } from '../topology/topology.ts';
import type { InputQueue } from '../task/input-queue.ts';
import { openLocalState } from './local-state.ts';
import { decodeNumbers } from './offset-metadata.ts';
import type { RestoreRange } from './restore.ts';
import { startOffset } from './start-offset.ts';
import { Task } from '../task/task.ts';
import type { TaskMeta } from './task-meta.ts';
import { type CommittedOffsets, newTask, type TaskHost } from './task-host.ts';

export interface OpenedTask {
  readonly task: Task;
  /** The next offset of each changelog that it writes, by store. */
  readonly changelogPositions: Map<string, number>;
}

/** A task whose state is as it is on this machine. */
export interface BegunTask {
  readonly task: Task;
  /** What its stores lack. */
  readonly ranges: readonly RestoreRange[];
  /** Opens its operators and its inputs, when that is restored. */
  finish(): Promise<void>;
}

/**
 * Opens a task where it last committed: its state from disk, then, by who calls, the rest from its changelogs, and after that
 * its operators and its inputs. `opened` is told as soon as there is something to close.
 */
export async function beginTask(
  host: TaskHost,
  sub: SubTopology,
  partition: number,
  committed: CommittedOffsets,
  opened: (task: OpenedTask) => void,
): Promise<BegunTask> {
  const { plan } = host;
  const topics = sub.nodes.flatMap((node) => (node.kind === 'source' ? node.topics : []));
  const inputs = topics.filter((topic) => partition < must(plan.partitions.get(topic)));
  const changelogs = await changelogOffsets(host, sub, partition);
  const names = inputs.map(plan.topicName);
  const { state, meta } = await openLocalState(host, sub, partition, names, committed, changelogs);
  const first = inputs[0];
  const committedFirst =
    first === undefined ? undefined : committed.get(`${plan.topicName(first)}-${partition}`);
  let task: Task;
  try {
    const numbers = { ...meta?.numbers, ...decodeNumbers(committedFirst?.metadata ?? '') };
    task = newTask(host, sub, partition, state, numbers);
  } catch (error) {
    // Nobody else knows of it yet, and a state that stays open cannot be opened again.
    await state.close();
    throw error;
  }
  const changelogPositions = new Map<string, number>();
  opened({ task, changelogPositions });
  for (const [store, { end }] of changelogs) changelogPositions.set(store, end);
  return {
    task,
    ranges: await rangesToRestore(host, task, meta, committed, changelogs),
    async finish() {
      await task.ready();
      task.init();
      for (const topic of inputs)
        await openInput(host, task, topic, committed, meta, offsetResetOf(sub, topic));
    },
  };
}

/** The policy of the source that reads a topic, if it has one of its own. */
export function offsetResetOf({ nodes }: SubTopology, topic: string): OffsetReset | undefined {
  const source = nodes.find((node) => node.kind === 'source' && node.topics.includes(topic));
  return source?.kind === 'source' ? source.offsetReset : undefined;
}

/**
 * Adds an input of the task's number, at the committed offset or where `reset`, by default the instance's, says. Where
 * that is, is to be committed, also without a record: state that goes to disk says where its inputs
 * stand, and what was committed must agree with it; and a restart goes on from there, whatever `latest` would say then.
 */
export async function openInput(
  host: TaskHost,
  task: Task,
  topic: string,
  committed: CommittedOffsets,
  meta: TaskMeta | null,
  offsetReset?: OffsetReset,
): Promise<InputQueue> {
  const name = host.plan.topicName(topic);
  const { partition } = task;
  const fromStart = topic !== name || host.isNew(topic, partition);
  const reset = fromStart ? 'earliest' : (offsetReset ?? host.options.offsetReset ?? 'earliest');
  const known = committed.get(`${name}-${partition}`)?.offset;
  const own = known ?? meta?.inputs[`${name}-${partition}`];
  const offset = await startOffset(host.options, { topic: name, partition }, own, reset);
  if (known !== offset && host.options.transient !== true) task.commitNeeded = true;
  return task.addInput(topic, offset);
}

/** The start and end of each changelog that the task writes, by store. */
async function changelogOffsets(
  { options, plan }: TaskHost,
  sub: SubTopology,
  partition: number,
): Promise<ReadonlyMap<string, PartitionOffsets>> {
  const { log, transient = false, changelogs = true } = options;
  const offsets = new Map<string, PartitionOffsets>();
  if (transient || !changelogs) return offsets;
  for (const { options: store, sourceTopic } of sub.stores) {
    if (sourceTopic !== undefined || !store.changelog) continue;
    offsets.set(store.name, must((await log.admin.offsets(plan.changelogName(store.name)))[partition]));
  }
  return offsets;
}

/** The parts of the changelogs that are not in the task's state. */
async function rangesToRestore(
  { options, plan }: TaskHost,
  task: Task,
  meta: TaskMeta | null,
  committed: CommittedOffsets,
  changelogs: ReadonlyMap<string, PartitionOffsets>,
): Promise<RestoreRange[]> {
  const { log, transient = false } = options;
  const { partition } = task;
  const ranges: RestoreRange[] = [];
  for (const { options: each, sourceTopic } of task.subTopology.stores) {
    const { name } = each;
    const store = must(task.stores.get(name));
    // A store that is only in memory is read from the start, whatever of the others is on disk.
    const onDisk = task.state.isOnDisk(store);
    const own = changelogs.get(name);
    if (own !== undefined) {
      const from = Math.max(own.start, onDisk ? (meta?.changelogs[name] ?? 0) : 0);
      ranges.push({ store, topic: plan.changelogName(name), partition, from, to: own.end });
    } else if (sourceTopic !== undefined && !transient) {
      const topic = plan.topicName(sourceTopic);
      const at = (await log.admin.offsets(topic))[partition];
      if (at === undefined) continue;
      const local = meta?.inputs[`${topic}-${partition}`];
      const to = Math.min(at.end, committed.get(`${topic}-${partition}`)?.offset ?? local ?? 0);
      const from = Math.max(at.start, onDisk ? (local ?? 0) : 0);
      ranges.push({ store, topic, partition, from, to, skipUnreadable: true });
    }
  }
  return ranges;
}
