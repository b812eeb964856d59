import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type ServerPlace, withServerSettings } from '../../../../src/cli/commands/server-settings.ts';
import { withSettings } from '../../../../src/cli/commands/start-settings.ts';
import { UsageError } from '../../../../src/cli/commands/usage-error.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-server-settings-'));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(...lines: string[]): string {
  const path = join(directory, 'f.properties');
  writeFileSync(path, lines.join('\n'));
  return path;
}

const GIVEN = { set: [], output: 'table', logLevel: 'silent', allowOrigin: [] } as const;
const server = (
  path: string | undefined,
  more: Partial<ServerPlace> & { kafka?: string; serviceId?: string; set?: string[] } = {},
) => withServerSettings({ ...GIVEN, ...more }, path);

test('ksql-server.properties says where to listen, whose service it is, what runs and how to connect', async () => {
  const path = file(
    'listeners=http://0.0.0.0:8099',
    'bootstrap.servers=a:1',
    'ksql.service.id=svc_',
    'ksql.queries.file=/q.sql',
    'ksql.advertised.listener=http://host-a:8099',
    'ksql.streams.security.protocol=SASL_PLAINTEXT',
    'ksql.streams.sasl.mechanism=PLAIN',
    'ksql.streams.sasl.jaas.config=x.PlainLoginModule required username="u" password="p";',
    'ksql.streams.auto.offset.reset=latest',
    'ksql.streams.commit.interval.ms=500',
    'ksql.streams.topic.min.insync.replicas=2',
    'ksql.streams.state.dir=/state',
    'ksql.streams.producer.acks=all',
    'ksql.schema.registry.url=http://sr:8081',
    'ksql.functions.f.base=7',
    'ksql.logging.processing.topic.auto.create=true',
    'access.control.allow.origin=https://a.example',
  );
  expect(await server(path)).toMatchObject({
    host: '0.0.0.0',
    port: '8099',
    serviceId: 'svc_',
    queriesFile: '/q.sql',
    advertise: 'http://host-a:8099',
    dataDir: '/state',
    allowOrigin: ['https://a.example'],
    kafka: { brokers: ['a:1'], login: { mechanism: 'PLAIN', username: 'u', password: 'p' } },
    set: [
      'auto.offset.reset=latest',
      'commit.interval.ms=500',
      'topic.min.insync.replicas=2',
      'ksql.functions.f.base=7',
    ],
  });
});

test('the image’s variables go before the file, Java’s options before those, the command line before all', async () => {
  vi.stubEnv('KSQL_BOOTSTRAP_SERVERS', 'b:2');
  vi.stubEnv('KSQL_KSQL_SERVICE_ID', 'image_');
  vi.stubEnv('KSQL_LISTENERS', 'http://:1234');
  vi.stubEnv('KSQL_KSQL_STREAMS_AUTO_OFFSET_RESET', 'latest');
  vi.stubEnv('KSQL_HEAP_OPTS', '-Xmx1g');
  vi.stubEnv('KSQL_NO_SUCH_THING', 'of another program');
  vi.stubEnv(
    'KSQL_OPTS',
    '-Xss1m -Dksql.queries.file="/a b.sql" -Djava.io.tmpdir=/tmp -Dksql.service.id=java_',
  );
  const path = file('bootstrap.servers=a:1', 'ksql.service.id=file_', 'auto.offset.reset=earliest');
  expect(await server(path)).toMatchObject({
    kafka: { brokers: ['b:2'] },
    serviceId: 'java_',
    queriesFile: '/a b.sql',
    host: '0.0.0.0',
    port: '1234',
    set: ['auto.offset.reset=latest'],
  });
  expect(await server(path, { kafka: 'c:3', serviceId: 'mine', port: '0', set: ['a=b'] })).toMatchObject({
    kafka: { brokers: ['c:3'] },
    serviceId: 'mine',
    port: '0',
    set: ['auto.offset.reset=latest', 'a=b'],
  });
  expect(await server(undefined)).toMatchObject({ kafka: { brokers: ['b:2'] }, serviceId: 'java_' });
});

test.each([
  ['ksql.servce.id=a', /line 2: ksql\.servce\.id is not a setting; did you mean ksql\.service\.id\?/],
  ['listeners=https://0.0.0.0:8088', /line 2: listeners is https: there is no TLS in the server/],
  ['listeners=http://a:1,http://b:2', /has several addresses/],
  ['listeners=0.0.0.0', /must be an address such as/],
  ['authentication.method=BASIC', /authentication\.method cannot be honoured: there is no authentication/],
  ['ksql.security.extension.class=x', /cannot be honoured/],
  ['access.control.allow.origin=*', /name the origins/],
  ['ksql.streams.producer.acks=0', /must be all or -1/],
  [
    'ksql.streams.auto.offset.reset=sideways',
    /line 2: property 'auto\.offset\.reset' must be earliest or latest/,
  ],
  ['ksql.service.id=../x', /takes up to 100 letters/],
])('%s in it is refused', async (line, message) => {
  const refused = server(file('bootstrap.servers=a:1', line));
  await expect(refused).rejects.toBeInstanceOf(UsageError);
  await expect(refused).rejects.toThrow(message);
});

test('a file that names no brokers, or is not there, is refused', async () => {
  await expect(server(file('ksql.service.id=a'))).rejects.toThrow('names no brokers');
  await expect(server('/no/such/file')).rejects.toThrow('cannot read /no/such/file');
});

test('--kafka-config, variables and --kafka', async () => {
  const kafkaConfig = file('bootstrap.servers=a:1', 'client.id=f', 'auto.offset.reset=latest');
  expect(await withSettings({ ...GIVEN, kafkaConfig })).toMatchObject({
    kafka: { brokers: ['a:1'], clientId: 'f' },
    set: ['auto.offset.reset=latest'],
    serviceId: 'default_',
  });
  vi.stubEnv('MILLRACE_KAFKA_CLIENT_ID', 'variable');
  expect(await withSettings({ ...GIVEN, kafkaConfig, kafka: 'c:3' })).toMatchObject({
    kafka: { brokers: ['c:3'], clientId: 'variable' },
  });
  // Variables that only say how to connect do not turn the embedded log off.
  expect(await withSettings(GIVEN)).toMatchObject({ kafka: null });
  vi.stubEnv('MILLRACE_KAFKA_BOOTSTRAP_SERVERS', 'b:2');
  expect(await withSettings(GIVEN)).toMatchObject({ kafka: { brokers: ['b:2'], clientId: 'variable' } });
  vi.stubEnv('MILLRACE_KAFKA_SASL_PASWORD', 'hunter2');
  await expect(withSettings(GIVEN)).rejects.toThrow(
    /^MILLRACE_KAFKA_SASL_PASWORD: sasl\.pasword is not a setting; did you mean sasl\.password\?$/,
  );
  await expect(withSettings({ ...GIVEN, kafkaConfig: file('listeners=http://a:1') })).rejects.toThrow(
    UsageError,
  );
});
