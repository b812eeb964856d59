import { Option } from 'commander';
import { isBroker } from '../../log/kafka/settings/broker-address.ts';
import type { KafkaSettings } from '../../log/kafka/settings/kafka-settings.ts';
import type { OutputFormat } from '../render/output-format.ts';
import { UsageError } from './usage-error.ts';

/** The options that most commands take, as they were given. */
export interface GivenOptions {
  readonly kafka?: string;
  readonly kafkaConfig?: string;
  readonly dataDir?: string;
  /** Bytes. */
  readonly memory?: number;
  readonly set: readonly string[];
  readonly output: OutputFormat;
  readonly logLevel: string;
  readonly serviceId?: string;
  readonly functions?: string;
}

/** The same, with what files and the environment say. */
export interface CommonOptions extends Omit<GivenOptions, 'kafka' | 'kafkaConfig'> {
  /** Null: the embedded log. */
  readonly kafka: KafkaSettings | null;
  readonly serviceId: string;
  /** Nobody sits before it. */
  readonly isServer?: true;
}

export const DEFAULT_SERVICE_ID = 'default_';

/** The name stands in the names of topics, with what they are for behind it. */
export function serviceId(value: string): string {
  if (/^[a-zA-Z0-9._-]{1,100}$/.test(value)) return value;
  throw new UsageError(
    `--service-id takes up to 100 letters, digits, dots, underscores and dashes, not ${value}`,
  );
}

/** Host and port, or several with commas between them. */
function brokers(value: string): string {
  if (value.split(',').every(isBroker)) return value;
  throw new UsageError(`--kafka takes host:port, or several with commas between them, not '${value}'`);
}

function dataDir(value: string): string {
  if (value.trim() !== '' && !value.includes('\0')) return value;
  throw new UsageError('--data-dir takes the path of a directory; leave it out to keep everything in memory');
}

const UNITS: Readonly<Record<string, number>> = { K: 1 << 10, M: 1 << 20, G: 1 << 30 };
const MEMORY_MIN_BYTES = 16 << 20;

function memory(value: string): number {
  const [, number, unit] = /^([0-9]{1,9})([KMG])$/i.exec(value) ?? [];
  const bytes = unit === undefined ? 0 : Number(number) * UNITS[unit.toUpperCase()]!;
  if (bytes >= MEMORY_MIN_BYTES) return bytes;
  throw new UsageError(`--memory takes a size of at least 16M, such as 256M or 2G, not ${value}`);
}

export const kafkaOption = (what: string): Option =>
  new Option('--kafka <host:port>', what).argParser(brokers);

export const kafkaConfigOption = (): Option =>
  new Option(
    '--kafka-config <file>',
    'how to connect to it, by the names of Kafka’s clients (docs/kafka.md)',
  );

export const dataDirOption = (what: string): Option =>
  new Option('--data-dir <dir>', what).argParser(dataDir);

export const functionsOption = (what: string): Option => new Option('--functions <file>', what);

export const demoOption = (): Option => new Option('--demo', 'with a demo stream to query');

/** An option that may be given several times. */
export const repeatedOption = (flags: string, what: string): Option =>
  new Option(flags, `${what}; may be given several times`)
    .argParser((value: string, previous: readonly string[]): readonly string[] => [...previous, value])
    .default([]);

/** The options of `CommonOptions`. */
export const commonOptions = (): readonly Option[] => [
  kafkaOption('use this Kafka instead of the embedded log'),
  kafkaConfigOption(),
  dataDirOption('keep the embedded log and state in this directory'),
  new Option('--memory <size>', 'how much of the queries’ state stays in memory, such as 256M').argParser(
    memory,
  ),
  repeatedOption('--set <name=value>', 'a session property'),
  functionsOption('a JavaScript or TypeScript module of functions to use in statements'),
  new Option(
    '--service-id <id>',
    `names this service’s topics and groups (default: ${DEFAULT_SERVICE_ID})`,
  ).argParser(serviceId),
  new Option('--log-level <level>', 'how much is logged to standard error')
    .choices(['silent', 'error', 'warn', 'info', 'debug'])
    .default('warn'),
  new Option('--output <format>', 'how results are shown').choices(['table', 'json', 'csv']).default('table'),
];

/** The options of commands that can talk to a server, or show the demo stream. */
export interface InteractiveOptions extends GivenOptions {
  readonly server?: string;
  readonly demo?: boolean;
}
