import { readFileSync } from 'node:fs';
import { messageOf } from '../../common/error.ts';
import type { GivenSetting } from '../../common/properties-file.ts';
import type { GivenSettings } from '../../log/kafka/settings/given-settings.ts';
import type { KafkaSettings } from '../../log/kafka/settings/kafka-settings.ts';
import type { SettingTable } from '../../log/kafka/settings/setting-table.ts';
import { type CommonOptions, DEFAULT_SERVICE_ID, type GivenOptions } from './common-options.ts';
import { UsageError } from './usage-error.ts';

/** What the command line says of where to connect. */
type ConnectionOptions = Pick<GivenOptions, 'kafka' | 'kafkaConfig'> & { readonly logLevel?: string };

/** Settings from files and the environment, and what Kafka's clients need of them. */
export interface StartSettings {
  /** Null: no Kafka was named. */
  readonly kafka: KafkaSettings | null;
  /** Properties of the session, checked, as `--set` takes them. */
  readonly set: readonly string[];
  /** All of them by their names without a client's prefix; null: nobody looked. */
  readonly given: GivenSettings | null;
}

const VARIABLES = 'MILLRACE_KAFKA_';
/** The other variables say how to connect, not that a Kafka is wanted. */
const BROKERS = `${VARIABLES}BOOTSTRAP_SERVERS`;

/**
 * The settings of `--kafka-config` and of MILLRACE_KAFKA_… variables, which go before the file, `--kafka` before both.
 * `more` goes ahead of all: sources of a command's own, with the table of what they may hold. Throws `UsageError`.
 */
export async function readStartSettings(
  { kafka, kafkaConfig, logLevel }: ConnectionOptions,
  more: {
    readonly sources: readonly (readonly GivenSetting[])[];
    readonly table: SettingTable;
  } | null = null,
): Promise<StartSettings> {
  const isNamed = kafka !== undefined || kafkaConfig !== undefined || process.env[BROKERS] !== undefined;
  // Most runs have none of it, and begin faster without what reads it.
  if (!isNamed && more === null) return { kafka: null, set: [], given: null };
  const [{ environmentSettings }, { GivenSettings: Given, SettingError }, reading, { kafkaFileSettings }] =
    await Promise.all([
      import('../../common/properties-file.ts'),
      import('../../log/kafka/settings/given-settings.ts'),
      import('../../log/kafka/settings/kafka-settings.ts'),
      import('../../engine/service-settings.ts'),
    ]);
  const sources = [
    ...(more?.sources ?? []),
    kafkaConfig === undefined ? [] : await readSettingsFile(kafkaConfig, '--kafka-config'),
    environmentSettings(process.env, VARIABLES),
    kafka === undefined ? [] : [{ name: 'bootstrap.servers', value: kafka, where: '--kafka' }],
  ];
  const idle: { setting: GivenSetting; because: string }[] = [];
  try {
    const merged = reading.mergeSettings(sources);
    const given = new Given(merged);
    const isKafka = given.setting('bootstrap.servers metadata.broker.list') !== undefined;
    if (!isKafka && kafkaConfig !== undefined)
      throw new UsageError(`${kafkaConfig} names no brokers: bootstrap.servers, or --kafka`);
    reading.checkSettings(merged, more?.table ?? kafkaFileSettings, (setting, because) =>
      idle.push({ setting, because }),
    );
    const set = await sessionProperties(merged);
    if (idle.length > 0) await tellIdle(idle, logLevel ?? 'warn');
    return { kafka: isKafka ? reading.readKafkaSettings(given) : null, set, given };
  } catch (error) {
    throw error instanceof SettingError ? new UsageError(error.message) : error;
  }
}

/** Throws `UsageError` that names the option. */
export async function readSettingsFile(file: string, option: string): Promise<GivenSetting[]> {
  const { parseProperties } = await import('../../common/properties-file.ts');
  try {
    return parseProperties(readFileSync(file, 'utf8'), file);
  } catch (error) {
    throw new UsageError(`${option}: cannot read ${file}: ${messageOf(error)}`);
  }
}

/** Of those that are properties of queries, the values. */
async function sessionProperties(merged: ReadonlyMap<string, GivenSetting>): Promise<string[]> {
  const [{ checkProperty }, { PROPERTIES }, { isKept }] = await Promise.all([
    import('../../engine/check-property.ts'),
    import('../../engine/properties.ts'),
    import('../../engine/service-settings.ts'),
  ]);
  const known = new Set(PROPERTIES.map(({ name }) => name));
  return [...merged].flatMap(([name, { value, where }]) => {
    if (!known.has(name) && !isKept(name)) return [];
    try {
      const setting = checkProperty(name, value.trim(), 'start');
      return [`${setting.name}=${setting.value}`];
    } catch (error) {
      throw new UsageError(`${where}: ${messageOf(error)}`);
    }
  });
}

async function tellIdle(
  idle: readonly { readonly setting: GivenSetting; readonly because: string }[],
  logLevel: string,
): Promise<void> {
  const { openLogger } = await import('../../common/logger.ts');
  const logger = openLogger(logLevel);
  for (const { setting, because } of idle)
    logger.warn(
      { setting: setting.name, where: setting.where },
      `this setting changes nothing here: ${because}`,
    );
}

/** The options with what `--kafka-config` and the environment say; `--set` goes before those. Throws `UsageError`. */
export async function withSettings<T extends GivenOptions>(
  options: T,
): Promise<Omit<T, keyof GivenOptions> & CommonOptions> {
  const { kafka, set } = await readStartSettings(options);
  return {
    ...options,
    kafka,
    set: [...set, ...options.set],
    serviceId: options.serviceId ?? DEFAULT_SERVICE_ID,
  };
}
