import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../src/log/log.ts';

export interface HeldLog {
  /** Outlives the engines and applications that close it. */
  readonly log: Log;
  /** While this is set, changelogs are not read. */
  held: boolean;
  /** Readers of changelogs that are open. */
  restoring: number;
  close(): Promise<void>;
}

/** A log in memory that keeps state from being restored until it is told. */
export async function openHeldLog(): Promise<HeldLog> {
  const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  const close = log.close.bind(log);
  const openReader = log.openReader.bind(log);
  const control: HeldLog = { log, held: false, restoring: 0, close };
  log.close = () => Promise.resolve();
  log.openReader = (options) => {
    const reader = openReader(options);
    const assign = reader.assign.bind(reader);
    const poll = reader.poll.bind(reader);
    const closeReader = reader.close.bind(reader);
    let restores = false;
    reader.assign = (position) => {
      if (position.topic.endsWith('-changelog') && !restores) {
        restores = true;
        control.restoring++;
      }
      assign(position);
    };
    reader.poll = async (maxWaitMs) => {
      if (!restores || !control.held) return poll(maxWaitMs);
      await new Promise<void>((resolve) => setImmediate(resolve));
      return [];
    };
    reader.close = () => {
      if (restores) control.restoring--;
      restores = false;
      return closeReader();
    };
    return reader;
  };
  return control;
}
