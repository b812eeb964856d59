import { join } from 'node:path';
import { describeRange, readWholeNumber } from '../../common/whole-number.ts';
import type { CommonOptions } from './common-options.ts';
import { EXIT_DONE, EXIT_FAILED } from './exit-codes.ts';
import { openLog } from './open-log.ts';
import { UsageError } from './usage-error.ts';

export interface ResetCommandOptions extends Pick<CommonOptions, 'kafka' | 'dataDir' | 'logLevel'> {
  readonly applicationId: string;
  readonly inputTopics: readonly string[];
  readonly internalTopics?: readonly string[];
  readonly toEarliest?: boolean;
  readonly toLatest?: boolean;
  readonly toOffset?: string;
  readonly byDuration?: string;
  readonly toDatetime?: string;
  readonly dryRun?: boolean;
}

const OFFSETS = { min: 0, max: Number.MAX_SAFE_INTEGER };

/** `millrace streams-reset`. */
export async function resetCommand(options: ResetCommandOptions): Promise<number> {
  const [{ StreamsResetError, parseDateTime, parseDuration, streamsReset }, { openLogger }, { systemClock }] =
    await Promise.all([
      import('../../streams/application/reset-application.ts'),
      import('../../common/logger.ts'),
      import('../../common/clock.ts'),
    ]);
  const { kafka, dataDir, toOffset, byDuration, toDatetime } = options;
  if (kafka === undefined && dataDir === undefined)
    throw new UsageError('streams-reset needs --kafka or --data-dir');
  const targets = ['toEarliest', 'toLatest', 'toOffset', 'byDuration', 'toDatetime'] as const;
  if (targets.filter((name) => options[name] !== undefined).length > 1)
    throw new UsageError(
      'only one of --to-earliest, --to-latest, --to-offset, --by-duration and --to-datetime can be given',
    );
  let target: Parameters<typeof streamsReset>[0]['target'] = {
    kind: options.toLatest === true ? 'latest' : 'earliest',
  };
  if (toOffset !== undefined) {
    const offset = readWholeNumber(toOffset, OFFSETS);
    if (offset === null) throw new UsageError(`--to-offset takes ${describeRange(OFFSETS)}, not ${toOffset}`);
    target = { kind: 'offset', offset };
  } else if (byDuration !== undefined) {
    const durationMs = parseDuration(byDuration);
    if (durationMs === undefined)
      throw new UsageError(`--by-duration takes an ISO duration such as PT1H30M or P7D, not ${byDuration}`);
    target = { kind: 'time', timeMs: systemClock.now() - durationMs };
  } else if (toDatetime !== undefined) {
    const timeMs = parseDateTime(toDatetime);
    if (timeMs === undefined)
      throw new UsageError(
        `--to-datetime takes an ISO date and time such as 2026-01-31T12:00:00Z, not ${toDatetime}`,
      );
    target = { kind: 'time', timeMs };
  }
  const shared = { clock: systemClock, logger: openLogger(options.logLevel) };
  const log = await openLog(options, shared);
  try {
    await streamsReset(
      {
        applicationId: options.applicationId,
        inputTopics: options.inputTopics,
        target,
        internalTopics: options.internalTopics ?? null,
        dryRun: options.dryRun === true,
      },
      {
        log,
        stateDirectory: dataDir === undefined ? null : join(dataDir, 'state'),
        write: (line) => new Promise((resolve) => process.stdout.write(`${line}\n`, () => resolve())),
      },
    );
    return EXIT_DONE;
  } catch (error) {
    if (!(error instanceof StreamsResetError)) throw error;
    process.stderr.write(`error: ${error.message}\nhint: ${error.hint}\n`);
    return EXIT_FAILED;
  } finally {
    await log.close();
  }
}
