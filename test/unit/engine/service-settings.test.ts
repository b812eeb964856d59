import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { checkProperty } from '../../../src/engine/check-property.ts';
import { PROPERTIES } from '../../../src/engine/properties.ts';
import {
  KSQL_SETTINGS,
  kafkaFileSettings,
  SERVER_SETTINGS,
  serverFileSettings,
  STREAMS_SETTINGS,
} from '../../../src/engine/service-settings.ts';
import { newSession } from '../../../src/engine/session.ts';
import { CLIENT_SETTINGS } from '../../../src/log/kafka/settings/client-settings.ts';
import { GivenSettings } from '../../../src/log/kafka/settings/given-settings.ts';
import { readKafkaSettings } from '../../../src/log/kafka/settings/kafka-settings.ts';
import { refusalOf, type SettingRow } from '../../../src/log/kafka/settings/setting-table.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

const ROWS: readonly SettingRow[] = [
  ...CLIENT_SETTINGS,
  ...STREAMS_SETTINGS,
  ...KSQL_SETTINGS,
  ...SERVER_SETTINGS,
];
const namesOf = ({ names }: SettingRow): string[] => names.split(/\s+/);
const DOCUMENT = fileURLToPath(new URL('../../../docs/kafka.md', import.meta.url));

const FATES = [
  ['honoured', 'Honoured'],
  ['mapped', 'Mapped: they stand for an option'],
  ['fixed', 'So in any case: another value is refused'],
  ['refused', 'Refused'],
  ['idle', 'Without meaning here: a line in the log'],
] as const;

/** A list for each fate, of the settings that are no properties of queries. */
function documentLines(): string[] {
  return FATES.flatMap(([fate, title]) => [
    '',
    `**${title}**`,
    '',
    ...ROWS.filter((row) => row.fate === fate).flatMap((row) => {
      const names = namesOf(row).filter((name) => !PROPERTIES.some((property) => property.name === name));
      if (names.length === 0) return [];
      const only =
        row.only === undefined ? '' : `only ${row.only.map((value) => `\`${value}\``).join(' or ')}; `;
      return [`- ${names.map((name) => `\`${name}\``).join(', ')}: ${only}${row.because}`];
    }),
  ]);
}

test('docs/kafka.md has every setting; UPDATE_DOCS=1 writes them', () => {
  const text = readFileSync(DOCUMENT, 'utf8');
  const wanted = text.replace(
    /(<!-- settings -->\n)[^]*(\n<!-- end -->)/,
    (_, before: string, after: string) => `${before}${documentLines().join('\n')}\n${after}`,
  );
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(DOCUMENT, wanted);
  expect(readFileSync(DOCUMENT, 'utf8'), 'stale: UPDATE_DOCS=1 writes it anew').toBe(wanted);
});

test('no name is in two rows, and what only some values may be says which', () => {
  const names = ROWS.flatMap(namesOf);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  for (const row of ROWS) {
    expect(row.only !== undefined, row.names).toBe(row.fate === 'fixed');
    for (const value of row.only ?? []) expect(refusalOf(row, value)).toBeNull();
  }
});

test('every setting of a connection that is honoured is read', () => {
  const settings = new GivenSettings(
    new Map(
      Object.entries({
        'bootstrap.servers': 'a:1',
        'security.protocol': 'SASL_SSL',
        'sasl.mechanism': 'OAUTHBEARER',
        'sasl.oauthbearer.token.endpoint.url': 'http://a/',
        'sasl.oauthbearer.client.id': 'a',
        'sasl.oauthbearer.client.secret': 'b',
      }).map(([name, value]) => [name, { name, value, where: 'test' }]),
    ),
  );
  readKafkaSettings(settings);
  const plain = new GivenSettings(
    new Map(
      Object.entries({
        'security.protocol': 'SASL_PLAINTEXT',
        'sasl.mechanism': 'PLAIN',
        'sasl.username': 'a',
        'sasl.password': 'b',
      }).map(([name, value]) => [name, { name, value, where: 'test' }]),
    ),
  );
  readKafkaSettings(plain);
  const honoured = CLIENT_SETTINGS.filter(({ fate }) => fate === 'honoured').flatMap(namesOf);
  expect(honoured.filter((name) => !settings.asked.has(name) && !plain.asked.has(name))).toEqual([]);
});

test.each([
  ['acks', '0'],
  ['ksql.streams.producer.acks', '0'],
  ['producer.acks', '1'],
  ['enable.idempotence', 'false'],
  ['consumer.isolation.level', 'read_uncommitted'],
  ['producer.interceptor.classes', 'com.example.Spy'],
  ['ksql.fail.on.deserialization.error', 'true'],
])('%s=%s is refused by SET, --set and requests', async (name, value) => {
  for (const giver of ['statement', 'request', 'start'] as const)
    expect(() => checkProperty(name, value, giver)).toThrow(/must be|cannot be honoured/);
  const engine = await openEngine();
  await expect(execute(engine, `SET '${name}' = '${value}';`)).rejects.toMatchObject({ code: 'ML_PROPERTY' });
  await engine.close();
});

test.each([
  ['acks', 'all'],
  ['ksql.streams.producer.acks', '-1'],
  ['enable.idempotence', 'TRUE'],
  ['isolation.level', 'read_committed'],
  [
    'producer.interceptor.classes',
    'io.confluent.monitoring.clients.interceptor.MonitoringProducerInterceptor',
  ],
])('%s=%s is so anyway', (name, value) => {
  expect(checkProperty(name, value, 'statement').value).toBe(value);
});

test.each([
  ['security.protocol', 'MILLRACE_KAFKA_SECURITY_PROTOCOL'],
  ['producer.security.protocol', 'MILLRACE_KAFKA_SECURITY_PROTOCOL'],
  ['ksql.streams.sasl.jaas.config', 'MILLRACE_KAFKA_SASL_JAAS_CONFIG'],
  ['request.timeout.ms', 'MILLRACE_KAFKA_REQUEST_TIMEOUT_MS'],
])('--set %s says where it belongs', (name, variable) => {
  expect(() => checkProperty(name, 'SSL', 'start')).toThrow(
    expect.objectContaining({
      hint: expect.stringMatching(`--kafka-config.*${variable}`) as string,
    }) as Error,
  );
});

test('SET of what changes nothing says so', async () => {
  const engine = await openEngine();
  const session = newSession();
  const { entity } = await execute(engine, "SET 'ksql.streams.num.stream.threads' = '4';", session);
  expect(JSON.stringify(entity)).toMatch(/is set to 4, which changes nothing here: a query’s partitions/);
  expect(session.properties.get('num.stream.threads')).toBe('4');
  await engine.close();
});

/** What the ConfigDefs of Kafka 4.1's producer, consumer, admin client and Streams have. */
const JAVA = readFileSync(new URL('../../fixtures/kafka-settings.txt', import.meta.url), 'utf8');

test('files know all names of Kafka’s clients and Streams, and the server’s file those of ksqlDB', () => {
  for (const { name } of PROPERTIES.filter((property) => !property.name.startsWith('ksql.')))
    expect(kafkaFileSettings.row(name)?.fate, name).toBe('honoured');
  const names = JAVA.split('\n').filter((name) => name !== '');
  expect(names.filter((name) => kafkaFileSettings.row(name) === undefined)).toEqual([]);
  expect(names.length).toBe(189);
  expect(kafkaFileSettings.row('listeners')).toBeUndefined();
  expect(serverFileSettings.row('listeners')?.fate).toBe('mapped');
  expect(serverFileSettings.row('ksql.schema.registry.basic.auth.user.info')?.fate).toBe('idle');
});
