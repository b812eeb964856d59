import type { Log } from '../../log/log.ts';
import { lockState } from '../instance/state-directory.ts';

/** An application whose traces are to go. */
export interface LeftApplication {
  readonly log: Log;
  readonly applicationId: string;
  /** Null where its state is in memory. */
  readonly stateDirectory: string | null;
}

/**
 * Deletes local state, committed offsets, and topics of an application that does not run: those of `topics` that are
 * there. Throws `StateError` when its state is open, before anything is changed.
 */
export async function forgetApplication(
  { log, applicationId, stateDirectory }: LeftApplication,
  topics: readonly string[],
): Promise<void> {
  const { admin } = log;
  if (stateDirectory !== null) await (await lockState(stateDirectory, applicationId)).delete();
  const committed = await admin.committed(applicationId);
  if (committed.length > 0)
    await admin.alterCommitted(
      applicationId,
      committed.map(({ topic, partition }) => ({ topic, partition, offset: null })),
    );
  for (const topic of topics) await admin.deleteTopic(topic);
}
