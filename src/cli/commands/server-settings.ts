import { environmentSettings, type GivenSetting } from '../../common/properties-file.ts';
import { type GivenSettings, SettingError } from '../../log/kafka/settings/given-settings.ts';
import { openLogger } from '../../common/logger.ts';
import { nearest } from '../../common/nearest-name.ts';
import { withoutClient } from '../../log/kafka/settings/setting-table.ts';
import { serverFileSettings } from '../../engine/service-settings.ts';
import { type CommonOptions, DEFAULT_SERVICE_ID, type GivenOptions, serviceId } from './common-options.ts';
import { readSettingsFile, readStartSettings } from './start-settings.ts';
import { UsageError } from './usage-error.ts';

/** What ksqlDB's configuration stands for of the server's own options. */
export interface ServerPlace {
  readonly host?: string;
  readonly port?: string;
  readonly queriesFile?: string;
  /** Where other processes of the service say that this one is. */
  readonly advertise?: string;
  readonly allowOrigin: readonly string[];
}

/**
 * The options of a server with what `ksql-server.properties` says, the KSQL_… variables of ksqlDB's image, which go before
 * it, and what `withSettings` reads. What the command line says goes before all. Throws `UsageError`.
 */
export async function withServerSettings<T extends GivenOptions & ServerPlace>(
  options: T,
  file: string | undefined,
): Promise<Omit<T, keyof GivenOptions> & CommonOptions> {
  const own = [
    ...(file === undefined ? [] : [await readSettingsFile(file, 'server')]),
    imageSettings(options.logLevel),
    javaOptions(process.env['KSQL_OPTS'] ?? ''),
  ].filter((source) => source.length > 0);
  const more = own.length === 0 ? null : { sources: own, table: serverFileSettings };
  const { kafka, set, given } = await readStartSettings(options, more);
  if (file !== undefined && kafka === null && options.dataDir === undefined)
    throw new UsageError(`${file} names no brokers: bootstrap.servers, or --kafka`);
  try {
    const place = given === null ? { allowOrigin: [] } : placeOf(given);
    return {
      ...place,
      ...withoutUndefined(options),
      kafka,
      set: [...set, ...options.set],
      allowOrigin: [...place.allowOrigin, ...options.allowOrigin],
      serviceId: options.serviceId ?? serviceOf(given) ?? DEFAULT_SERVICE_ID,
      ...directoryOf(options, given),
    };
  } catch (error) {
    throw error instanceof SettingError ? new UsageError(error.message) : error;
  }
}

function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

/** Variables of ksqlDB's start scripts and image that are no settings. */
const NO_SETTINGS =
  /^KSQL_(?:OPTS|CLASSPATH|HOME|DIR|USER|VERSION|HOSTNAME|COMPONENT|CONFIG_DIR|SERVER_URL|HEAP_OPTS|DAEMON_|JVM_|JMX_|GC_|LOG4J_|CUB_)/;

/** Others may begin so too, and belong to other programs: of an unknown one a line is logged. */
function imageSettings(logLevel: string): GivenSetting[] {
  const variables = environmentSettings(process.env, 'KSQL_', (variable) => NO_SETTINGS.test(variable));
  return variables.filter(({ name, where }) => {
    if (serverFileSettings.row(withoutClient(name)) !== undefined) return true;
    const near = nearest(name, serverFileSettings.names);
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    openLogger(logLevel).warn({ variable: where }, `${name} is not a setting${hint}`);
    return false;
  });
}

/** `-Dname=value` of Java's command line, which ksqlDB takes settings from. */
function javaOptions(text: string): GivenSetting[] {
  return [...text.matchAll(/(?:^|\s)-D([^\s=]+)=("[^"]*"|'[^']*'|\S*)/g)]
    .map(([, name, value]) => ({
      name: name!,
      value: value!.replace(/^(["'])(.*)\1$/s, '$2'),
      where: 'KSQL_OPTS',
    }))
    .filter(({ name }) => serverFileSettings.row(withoutClient(name)) !== undefined);
}

function placeOf(given: GivenSettings): ServerPlace {
  const queriesFile = given.text('ksql.queries.file');
  return {
    ...listenerOf(given),
    ...(queriesFile === undefined ? {} : { queriesFile }),
    ...advertisedOf(given),
    allowOrigin: originsOf(given),
  };
}

/** ksqlDB's server takes several; an address without a host is every address. */
function listenerOf(given: GivenSettings): Pick<ServerPlace, 'host' | 'port'> {
  const listeners = given.setting('listeners');
  if (listeners === undefined) return {};
  const urls = listeners.value.split(',').map((url) => url.trim());
  if (urls.length > 1) throw new SettingError(listeners, 'has several addresses, and there can be one');
  if (/^https:/i.test(urls[0]!))
    throw new SettingError(
      listeners,
      'is https: there is no TLS in the server, put a proxy that has it in front',
    );
  const match = /^http:\/\/(\[[0-9a-fA-F:.]+\]|[^\s:/]*):([0-9]+)\/?$/i.exec(urls[0]!);
  if (match === null) throw new SettingError(listeners, 'must be an address such as http://0.0.0.0:8088');
  const host = match[1]!.replace(/^\[(.*)\]$/, '$1');
  return { host: host === '' ? '0.0.0.0' : host, port: match[2]! };
}

function advertisedOf(given: GivenSettings): Pick<ServerPlace, 'advertise'> {
  const advertised = given.setting('ksql.advertised.listener ksql.internal.listener');
  if (advertised === undefined) return {};
  const advertise = advertised.value.trim();
  if (URL.canParse(advertise)) return { advertise };
  throw new SettingError(advertised, `must be a URL such as http://host-a:8088, not '${advertise}'`);
}

function originsOf(given: GivenSettings): string[] {
  const origins = given.setting('access.control.allow.origin');
  if (origins === undefined) return [];
  if (origins.value.trim() === '*')
    throw new SettingError(
      origins,
      'is *, which would let in every page that anybody opens: name the origins',
    );
  return origins.value.split(',').map((origin) => origin.trim());
}

function serviceOf(given: GivenSettings | null): string | undefined {
  const named = given?.setting('ksql.service.id');
  return named && serviceId(named.value.trim());
}

function directoryOf({ dataDir }: GivenOptions, given: GivenSettings | null): { dataDir?: string } {
  const directory = dataDir ?? given?.text('state.dir');
  return directory === undefined ? {} : { dataDir: directory };
}
