import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { Log } from '../../log/log.ts';
import type { CommonOptions } from './common-options.ts';

/** Whoever waits is told again after so long. */
const TOLD_MS = 10_000;

/** Kafka, or the embedded log in the data directory or in memory. Says on standard error when Kafka does not answer. */
export async function openLog(
  { kafka, dataDir, isServer }: Pick<CommonOptions, 'kafka' | 'dataDir' | 'isServer'>,
  shared: { readonly clock: Clock; readonly logger: Logger },
): Promise<Log> {
  if (kafka !== null) {
    const { openKafkaLogBy } = await import('../../log/kafka/open-kafka-log.ts');
    let started = false;
    let toldMs = -Infinity;
    const onSilence = (doing: string): void => {
      const nowMs = shared.clock.monotonic();
      // Of a server that runs, the log tells.
      if ((started && isServer === true) || nowMs - toldMs < TOLD_MS) return;
      toldMs = nowMs;
      process.stderr.write(
        `Kafka at ${kafka.brokers.join(', ')} has not answered for a second (${doing}); Ctrl-C ends the wait\n`,
      );
    };
    const log = await openKafkaLogBy({ settings: kafka, onSilence, ...shared });
    started = true;
    return log;
  }
  if (dataDir !== undefined) makeDataDirectory(dataDir);
  const { openEmbeddedLog } = await import('../../log/embedded/embedded-log.ts');
  return openEmbeddedLog({
    ...(dataDir === undefined ? {} : { directory: join(dataDir, 'log') }),
    ...shared,
  });
}

/** Throws an error that says which directory, and why. */
function makeDataDirectory(directory: string): void {
  try {
    makeDirectory(resolve(directory));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' ? 'it is a file' : message;
    throw new Error(`the data directory ${directory} cannot be used: ${reason}`, { cause: error });
  }
}

/** Level by level: mkdir's own recursion never ends where a file system such as /proc says that there is nothing. */
function makeDirectory(path: string): void {
  if (existsSync(path) && statSync(path).isDirectory()) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent);
  mkdirSync(path);
}
