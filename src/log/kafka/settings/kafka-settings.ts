import { TIMER_MS_MAX } from '../../../common/clock.ts';
import { nearest } from '../../../common/nearest-name.ts';
import type { GivenSetting } from '../../../common/properties-file.ts';
import { COMPRESSIONS } from '../../codecs.ts';
import { LINGER_MS_MAX, type ProducerOptions } from '../../log.ts';
import { REQUEST_BYTES_LIMIT } from '../../slab-appender.ts';
import { isBroker } from './broker-address.ts';
import { CLIENT_SETTINGS, PRODUCER_SETTINGS } from './client-settings.ts';
import { GivenSettings, SettingError } from './given-settings.ts';
import { type Login, readLogin } from './login.ts';
import { isOfConnection, refusalOf, SettingTable, withoutClient } from './setting-table.ts';
import { readTls, type Tls } from './tls.ts';

/** How a connection is made. Plain data: threads that connect are sent it. */
export interface ConnectionSettings {
  /** Null: no TLS. */
  readonly tls: Tls | null;
  /** Null: no SASL. */
  readonly login: Login | null;
  /** How long a broker may take to answer, unless a request says otherwise. */
  readonly requestTimeoutMs: number | undefined;
  /** How long a connection, and then its login, may take. */
  readonly connectTimeoutMs: number | undefined;
}

/** What connections and writers are made with. */
export interface KafkaSettings extends ConnectionSettings {
  /** `host:port` each. */
  readonly brokers: readonly string[];
  readonly clientId: string | undefined;
  /** How writers send that are opened without saying so. */
  readonly producer: ProducerOptions;
}

const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;

export const clientSettings = new SettingTable(CLIENT_SETTINGS);

/** Told of each setting that changes nothing here, and why. */
export type NoteIdle = (setting: GivenSetting, because: string) => void;

/**
 * Settings by their name without a client's prefix. Each of `sources` goes before the ones ahead of it; within one, a
 * setting for a client alone goes before one for all. Throws `SettingError` where clients of one source differ in how
 * they connect: here there is one connection.
 */
export function mergeSettings(sources: readonly (readonly GivenSetting[])[]): Map<string, GivenSetting> {
  const merged = new Map<string, GivenSetting>();
  for (const source of sources) {
    const own = new Map<string, GivenSetting>();
    for (const setting of source) {
      const name = withoutClient(setting.name);
      const before = own.get(name);
      if (before !== undefined && before.name !== setting.name) {
        if (isOfConnection(name) && before.value !== setting.value)
          throw new SettingError(
            setting,
            `differs from ${before.name} (${before.where}): all clients share one connection`,
          );
        if (before.name.length > setting.name.length) continue;
      }
      own.set(name, setting);
    }
    for (const [name, setting] of own) merged.set(name, setting);
  }
  return merged;
}

/** Throws `SettingError` for a setting that is unknown or refused. `merged`: by names without a client's prefix. */
export function checkSettings(
  merged: ReadonlyMap<string, GivenSetting>,
  table: SettingTable,
  idle: NoteIdle,
): void {
  for (const [name, setting] of merged) {
    const row = table.row(name);
    if (row === undefined) {
      const near = nearest(name, table.names);
      throw new SettingError(
        setting,
        `is not a setting${near === undefined ? '' : `; did you mean ${near}?`}`,
      );
    }
    const refusal = refusalOf(row, setting.value);
    if (refusal !== null) throw new SettingError(setting, refusal);
    if (row.fate === 'idle') idle(setting, row.because);
  }
}

/** Throws `SettingError`. Settings of other rooms are left alone. */
export function readKafkaSettings(settings: GivenSettings): KafkaSettings {
  const protocol = settings.oneOf('security.protocol', PROTOCOLS);
  const given = settings.setting('security.protocol');
  if (protocol === undefined) refuseUnused(settings);
  const milliseconds = { min: 1, max: TIMER_MS_MAX };
  return {
    brokers: brokersOf(settings.setting('bootstrap.servers metadata.broker.list')),
    clientId: settings.text('client.id'),
    tls: protocol === 'SSL' || protocol === 'SASL_SSL' ? readTls(settings) : null,
    login: protocol === 'SASL_PLAINTEXT' || protocol === 'SASL_SSL' ? readLogin(settings, given!) : null,
    requestTimeoutMs: settings.whole('request.timeout.ms socket.timeout.ms', milliseconds),
    connectTimeoutMs: settings.whole('socket.connection.setup.timeout.ms', milliseconds),
    producer: readProducer(settings),
  };
}

function readProducer(settings: GivenSettings): ProducerOptions {
  const compression = settings.oneOf(PRODUCER_SETTINGS.compression, COMPRESSIONS);
  const requestBytesMax = settings.whole(PRODUCER_SETTINGS.requestBytesMax, {
    min: 1,
    max: REQUEST_BYTES_LIMIT,
  });
  const lingerMs = settings.whole(PRODUCER_SETTINGS.lingerMs, { min: 0, max: LINGER_MS_MAX });
  return {
    ...(lingerMs === undefined ? {} : { lingerMs }),
    ...(compression === undefined ? {} : { compression }),
    ...(requestBytesMax === undefined ? {} : { requestBytesMax }),
  };
}

/** Without `security.protocol` Kafka takes PLAINTEXT: a login that is never used would go unnoticed. */
function refuseUnused(settings: GivenSettings): void {
  const unused = settings.setting(
    'sasl.username sasl.jaas.config sasl.mechanism sasl.mechanisms ssl.truststore.location ssl.truststore.certificates ssl.keystore.location ssl.keystore.key ssl.ca.location ssl.ca.pem ssl.certificate.location ssl.certificate.pem',
  );
  if (unused === undefined) return;
  const protocols = unused.name.includes('sasl.') ? 'SASL_SSL or SASL_PLAINTEXT' : 'SSL or SASL_SSL';
  throw new SettingError(unused, `is used only where security.protocol is ${protocols}, which is not given`);
}

/** `host:port` each, in brackets where an address has colons. librdkafka allows a protocol before it. */
function brokersOf(given: GivenSetting | undefined): string[] {
  if (given === undefined) return [];
  const brokers = given.value
    .split(',')
    .map((broker) => broker.trim().replace(/^[A-Z_]+:\/\//i, ''))
    .filter((broker) => broker !== '');
  const bad = brokers.find((broker) => !isBroker(broker));
  if (bad === undefined && brokers.length > 0) return brokers;
  throw new SettingError(
    given,
    `must be host:port, or several with commas between them, not '${bad ?? given.value}'`,
  );
}
