/**
 * Written with a task's rows, in the same batch: how far the rows reach. So a crashed task can go on from its disk, and
 * replays only the changelog's tail.
 */
export interface TaskMeta {
  readonly format: 1;
  /** Whose it is: application id and task. Absent in what earlier releases wrote. */
  readonly owner?: string;
  /** The next input offset, by `topic-partition` of the log. */
  readonly inputs: Readonly<Record<string, number>>;
  /** The next changelog offset, by store. */
  readonly changelogs: Readonly<Record<string, number>>;
  /** Operators' persisted numbers. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** Throws an error whose message says why it cannot be read. */
export function parseTaskMeta(text: string): TaskMeta {
  let meta: TaskMeta;
  try {
    meta = JSON.parse(text) as TaskMeta;
  } catch (error) {
    throw new Error('its positions cannot be read', { cause: error });
  }
  if (meta.format !== 1) throw new Error(`its positions are in format ${String(meta.format)}, not 1`);
  return meta;
}
