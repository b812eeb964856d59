import { join } from 'node:path';
import { Option } from 'commander';
import { describeRange, readWholeNumber } from '../../common/whole-number.ts';
import type { CliCommand } from './command.ts';
import { dataDirOption, type GivenOptions, kafkaConfigOption, kafkaOption } from './common-options.ts';
import { EXIT_DONE, EXIT_FAILED } from './exit-codes.ts';
import { openLog } from './open-log.ts';
import { readStartSettings } from './start-settings.ts';
import { UsageError } from './usage-error.ts';

interface ResetOptions extends Pick<GivenOptions, 'kafka' | 'kafkaConfig' | 'dataDir' | 'logLevel'> {
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

const listOption = (flags: string, what: string): Option =>
  new Option(flags, what).argParser((value: string) =>
    value
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  );

export const resetCommand: CliCommand = {
  usage: 'streams-reset',
  description:
    'lets a stopped streams application begin again: its input offsets, internal topics and local state',
  page: 'streams.md',
  options: [
    new Option('--application-id <id>', 'whose').makeOptionMandatory(),
    listOption('--input-topics <topics>', 'topics to read again, separated by commas').default([]),
    new Option('--to-earliest', 'read them from their beginning; the default'),
    new Option('--to-latest', 'read them from their end'),
    new Option('--to-offset <number>', 'read every partition from this offset, or the nearest that exists'),
    new Option('--by-duration <duration>', 'read what is at most that old, such as PT1H'),
    new Option('--to-datetime <time>', 'read what is not older, such as 2026-01-31T12:00:00Z'),
    listOption('--internal-topics <topics>', 'delete only these of its internal topics, instead of all'),
    new Option('--dry-run', 'say what would be done, and do nothing'),
    kafkaOption('the application runs on this Kafka'),
    kafkaConfigOption(),
    dataDirOption('where the embedded log and the application’s state are kept'),
  ],
  run: reset,
};

async function reset(_given: readonly string[], options: ResetOptions): Promise<number> {
  const [{ StreamsResetError, parseDateTime, parseDuration, streamsReset }, { openLogger }, { systemClock }] =
    await Promise.all([
      import('../../streams/application/reset-application.ts'),
      import('../../common/logger.ts'),
      import('../../common/clock.ts'),
    ]);
  const { dataDir, toOffset, byDuration, toDatetime } = options;
  const { kafka } = await readStartSettings(options);
  if (kafka === null && dataDir === undefined)
    throw new UsageError('streams-reset needs --kafka, --kafka-config or --data-dir');
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
  const log = await openLog({ ...options, kafka }, shared);
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
