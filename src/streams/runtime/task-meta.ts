/**
 * What a task writes beside its rows, in the same batch: how far the rows reach. Together they let a crashed task
 * go on from its disk and replay only the changelog's tail.
 */
export interface TaskMeta {
  readonly format: 1;
  /** The next input offset, by `topic-partition` of the log. */
  readonly inputs: Readonly<Record<string, number>>;
  /** The next changelog offset, by store. */
  readonly changelogs: Readonly<Record<string, number>>;
  /** Operators' persisted numbers. */
  readonly numbers: Readonly<Record<string, number>>;
}

export function parseTaskMeta(text: string | null): TaskMeta | null {
  if (text === null) return null;
  const meta = JSON.parse(text) as TaskMeta;
  return meta.format === 1 ? meta : null;
}
