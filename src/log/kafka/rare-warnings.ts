import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';

const INTERVAL_MS = 60_000;

/**
 * A logger that says a warning once a minute, with how often it came since (`times`): while a broker is away every query
 * meets that several times a second. Warnings are the same when their text and fields are, whatever the `error` was.
 */
export function rareWarnings(logger: Logger, clock: Clock): Logger {
  const said = new Map<string, { atMs: number; times: number }>();
  return {
    error: (fields, message) => logger.error(fields, message),
    info: (fields, message) => logger.info(fields, message),
    debug: (fields, message) => logger.debug(fields, message),
    warn(fields, message) {
      const key = `${message} ${JSON.stringify({ ...fields, error: undefined })}`;
      const nowMs = clock.monotonic();
      const before = said.get(key);
      if (before !== undefined && nowMs - before.atMs < INTERVAL_MS) {
        before.times++;
        return;
      }
      const times = (before?.times ?? 0) + 1;
      for (const [other, { atMs }] of said) if (nowMs - atMs >= INTERVAL_MS) said.delete(other);
      said.set(key, { atMs: nowMs, times: 0 });
      logger.warn(times === 1 ? fields : { ...fields, times }, message);
    },
  };
}
