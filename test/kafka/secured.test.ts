import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { createServer as createTlsServer } from 'node:tls';
import { join } from 'node:path';
import { inspect, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Kafka, startKafka } from '../../scripts/kafka.js';
import { systemClock } from '../../src/common/clock.ts';
import { parseProperties } from '../../src/common/properties-file.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { LogError } from '../../src/log/log.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { Millrace, millrace, terminalMissing } from '../harness/millrace.ts';

const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule';
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule';
const OAUTH = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule';

/** An unsecured token, as Kafka's own checker takes it (RFC 7515, appendix A.5). */
function unsecuredToken(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nowS = Math.floor(systemClock.now() / 1000);
  return `${part({ alg: 'none' })}.${part({ sub: 'alice', iat: nowS, exp: nowS + 3600 })}.`;
}

const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { stdio: 'pipe' });

/** The settings of a file as the library takes them. */
function configOf(brokers: string, protocol: string, settings: string): Record<string, string> {
  const text = `bootstrap.servers=${brokers}\nsecurity.protocol=${protocol}\n${settings}`;
  return Object.fromEntries(parseProperties(text, 'test').map(({ name, value }) => [name, value]));
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describeKafka('a secured Kafka', () => {
  let directory: string;
  let kafka: Kafka;
  let tokens: HttpServer;
  let tokenUrl: string;
  const tokenRequests: { authorization: string | undefined; body: string }[] = [];
  /** Files and addresses by the names that the settings below have for them. */
  const places: Record<string, string> = {};

  /** Signed by itself, for one address. */
  function makeCertificate(name: string, address: string, days: number): void {
    const [key, request, extensions, cert] = ['key', 'csr', 'ext', 'pem'].map((kind) =>
      join(directory, `${name}.${kind}`),
    ) as [string, string, string, string];
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`, '-keyout', key, '-out', request);
    writeFileSync(extensions, `subjectAltName=IP:${address}\n`);
    const dates = ['-days', String(days), '-extfile', extensions];
    openssl('x509', '-req', '-in', request, '-signkey', key, ...dates, '-out', cert);
  }

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-secured-'));
    makeCertificate('expired', '127.0.0.1', -1);
    makeCertificate('named', '127.0.0.99', 2);
    kafka = await startKafka({
      secured: true,
      clientCertificates: 'required',
      settings: { 'listener.name.sasl_ssl.sasl.enabled.mechanisms': 'SCRAM-SHA-512,OAUTHBEARER' },
    });
    const { ca, cert, key, encryptedKey, keyPassword, strangerCa } = kafka.certificates!;
    const p12 = join(directory, 'client.p12');
    openssl('pkcs12', '-export', '-in', cert, '-inkey', key, '-out', p12, '-passout', 'pass:p12-secret');
    const oneLine = readFileSync(ca, 'utf8').replaceAll('\n', ' ');
    tokens = createHttpServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        tokenRequests.push({ authorization: request.headers.authorization, body });
        const known =
          request.headers.authorization === `Basic ${Buffer.from('me:my-secret').toString('base64')}`;
        response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify(
            known ? { access_token: unsecuredToken(), expires_in: 3600 } : { error: 'invalid_client' },
          ),
        );
      });
    });
    tokenUrl = `http://127.0.0.1:${await listening(tokens)}/token`;
    Object.assign(places, { ca, cert, key, encryptedKey, keyPassword, strangerCa, p12, oneLine });
  });
  afterAll(async () => {
    tokens.close();
    await kafka.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  /** The settings of a listener, `{name}` for what is only known when the broker runs. */
  const WAYS: readonly (readonly [way: string, listener: string, settings: string])[] = [
    ['PLAINTEXT', 'PLAINTEXT', ''],
    [
      'SASL_PLAINTEXT, PLAIN by JAAS',
      'SASL_PLAINTEXT',
      `sasl.mechanism=PLAIN\nsasl.jaas.config=${PLAIN} required \\\n  username="alice" password="alice-secret";\n`,
    ],
    [
      'SASL_PLAINTEXT, SCRAM-SHA-256 by librdkafka’s names',
      'SASL_PLAINTEXT',
      'sasl.mechanisms=SCRAM-SHA-256\nsasl.username=alice\nsasl.password=alice-secret\n',
    ],
    [
      'SSL, a locked key by librdkafka’s names',
      'SSL',
      'ssl.ca.location={ca}\nssl.certificate.location={cert}\nssl.key.location={encryptedKey}\nssl.key.password={keyPassword}\n',
    ],
    [
      'SSL, PKCS12 and a certificate on one line',
      'SSL',
      'ssl.truststore.type=PEM\nssl.truststore.certificates={oneLine}\nssl.keystore.type=PKCS12\nssl.keystore.location={p12}\nssl.keystore.password=p12-secret\n',
    ],
    [
      'SASL_SSL, SCRAM-SHA-512 by JAAS',
      'SASL_SSL',
      `ssl.truststore.type=PEM\nssl.truststore.location={ca}\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=${SCRAM} required username="alice" password="alice-secret";\n`,
    ],
    [
      'SASL_SSL, OAUTHBEARER',
      'SASL_SSL',
      `ssl.truststore.type=PEM\nssl.truststore.location={ca}\nsasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url={tokens}\nsasl.jaas.config=${OAUTH} required clientId="me" clientSecret="my-secret" scope="kafka";\n`,
    ],
  ];

  const filled = (settings: string): string =>
    settings.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === 'tokens' ? tokenUrl : places[name]!));

  test.each(WAYS)('a script runs: %s', async (way, listener, settings) => {
    const file = join(directory, 'kafka.properties');
    writeFileSync(
      file,
      `bootstrap.servers=${kafka.listeners[listener]!}\nsecurity.protocol=${listener}\n${filled(settings)}`,
    );
    const topic = uniqueName('secured');
    const script = join(directory, 'script.sql');
    writeFileSync(
      script,
      `CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='${topic}', VALUE_FORMAT='JSON', PARTITIONS=2);
       INSERT INTO S VALUES ('a', 1); INSERT INTO S VALUES ('b', 2); INSERT INTO S VALUES ('a', 3);
       CREATE TABLE T WITH (KAFKA_TOPIC='${topic}-t') AS SELECT K, SUM(V) AS N FROM S GROUP BY K;
       SELECT * FROM T WHERE K = 'a';`,
    );
    const ran = await millrace([
      'run',
      script,
      '--kafka-config',
      file,
      '--service-id',
      uniqueName('secured'),
      '--output',
      'csv',
    ]);
    // A busy machine may need more than a second for it.
    const stderr = ran.stderr.replaceAll(/^Kafka at .* has not answered .*\n/gm, '');
    expect({ way, code: ran.code, stderr }).toEqual({ way, code: 0, stderr: '' });
    expect(ran.stdout).toContain('a,4');
  });

  test('one token serves all connections, and the endpoint is asked by id and secret', () => {
    expect(tokenRequests.length).toBeGreaterThan(0);
    expect(tokenRequests[0]).toEqual({
      authorization: `Basic ${Buffer.from('me:my-secret').toString('base64')}`,
      body: 'grant_type=client_credentials&scope=kafka',
    });
    expect(tokenRequests.length).toBeLessThan(4);
  });

  /** Counts who comes to a listener. */
  async function counted(listener: string): Promise<{ port: number; count: () => number; server: Server }> {
    const port = Number(kafka.listeners[listener]!.split(':')[1]);
    let count = 0;
    const server = createServer((client) => {
      count++;
      const broker = connect({ host: '127.0.0.1', port });
      client.pipe(broker).pipe(client);
      client.on('error', () => broker.destroy());
      broker.on('error', () => client.destroy());
      broker.on('close', () => client.destroy());
    });
    return { port: await listening(server), count: () => count, server };
  }

  const TRUST = 'ssl.truststore.type=PEM\nssl.truststore.location={ca}\n';
  const LOGIN = 'sasl.mechanism=PLAIN\nsasl.username=alice\nsasl.password=alice-secret\n';

  test.each([
    [
      'a wrong password',
      'SASL_PLAINTEXT',
      'SASL_PLAINTEXT',
      LOGIN.replace('alice-secret', 'wr0ng'),
      'unauthorized',
      /refused the login.*invalid username or password.*sasl\.password/i,
    ],
    [
      'a wrong password by SCRAM',
      'SASL_SSL',
      'SASL_SSL',
      TRUST + LOGIN.replace('PLAIN', 'SCRAM-SHA-512').replace('alice-secret', 'wr0ng'),
      'unauthorized',
      /refused the login.*invalid credentials/i,
    ],
    [
      'an unknown user',
      'SASL_PLAINTEXT',
      'SASL_PLAINTEXT',
      LOGIN.replace('alice\n', 'nobody\n'),
      'unauthorized',
      /refused the login/,
    ],
    [
      'a client that is unknown at the token endpoint',
      'SASL_PLAINTEXT',
      'SASL_PLAINTEXT',
      'sasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url={tokens}\nsasl.oauthbearer.client.id=me\nsasl.oauthbearer.client.secret=wr0ng\n',
      'unauthorized',
      /token endpoint .* gave no token to me: 401 invalid_client/,
    ],
    [
      'an authority that is not known',
      'SASL_SSL',
      'SASL_SSL',
      LOGIN,
      'unavailable',
      /certificate of the broker at .* is not trusted: .*ssl\.truststore\.location/,
    ],
    ['another authority', 'SSL', 'SSL', 'ssl.ca.location={strangerCa}\n', 'unavailable', /is not trusted/],
    [
      'no client certificate',
      'SSL',
      'SSL',
      TRUST,
      'unauthorized',
      /asks for a client certificate.*ssl\.keystore\.location/,
    ],
    [
      'TLS to a plain port',
      'PLAINTEXT',
      'SSL',
      TRUST,
      'unavailable',
      /speaks no TLS at this port: security\.protocol must be PLAINTEXT, not SSL/,
    ],
    [
      'TLS and a login to a port with a login alone',
      'SASL_PLAINTEXT',
      'SASL_SSL',
      TRUST + LOGIN,
      'unavailable',
      /speaks no TLS at this port: security\.protocol must be SASL_PLAINTEXT/,
    ],
    [
      'plain to a TLS port',
      'SASL_SSL',
      'PLAINTEXT',
      '',
      'unavailable',
      /speaks TLS at this port: security\.protocol must be SASL_SSL, not PLAINTEXT/,
    ],
    [
      'a login to a port without',
      'PLAINTEXT',
      'SASL_PLAINTEXT',
      LOGIN,
      'unauthorized',
      /takes no login at this port/,
    ],
    [
      'no login to a port that wants one',
      'SASL_PLAINTEXT',
      'PLAINTEXT',
      '',
      'unauthorized',
      /asks for a login at this port: security\.protocol must be SASL_PLAINTEXT.*SCRAM-SHA-256/,
    ],
    [
      'a mechanism that the broker lacks',
      'SASL_SSL',
      'SASL_SSL',
      TRUST + LOGIN,
      'unauthorized',
      /does not know the login PLAIN \(sasl\.mechanism: SCRAM-SHA-512, OAUTHBEARER\)/,
    ],
  ] as const)(
    '%s is said by name, at the first attempt',
    async (_, listener, protocol, settings, kind, message) => {
      const { port, count, server } = await counted(listener);
      const lines: string[] = [];
      const told = (fields: object, text: string): void => void lines.push(inspect({ text, ...fields }));
      const logger = { error: told, warn: told, info: told, debug: told };
      const config = configOf(`127.0.0.1:${port}`, protocol, filled(settings));
      const error = await openKafkaLog({ config, clock: systemClock, logger }).then(
        () => null,
        (thrown: unknown) => thrown as LogError,
      );
      server.close();
      expect(error).toBeInstanceOf(LogError);
      expect(error).toMatchObject({ kind, message: expect.stringMatching(message) as string });
      expect([error!.message, ...lines].join('\n')).not.toMatch(/wr0ng|secret/);
      // One connection, and two that ask what the port is.
      expect(count()).toBeLessThanOrEqual(3);
    },
  );

  test.each([
    ['expired', /certificate of the broker at .* has expired/],
    [
      'named',
      /certificate of the broker at .* is for another name: .*ssl\.endpoint\.identification\.algorithm/,
    ],
  ])('a certificate that is not right is said by name: %s', async (name, message) => {
    const [cert, key] = ['pem', 'key'].map((kind) =>
      readFileSync(join(directory, `${name}.${kind}`), 'utf8'),
    );
    let count = 0;
    const server = createTlsServer({ cert: cert!, key: key! });
    server.on('connection', () => count++);
    const config = {
      'bootstrap.servers': `127.0.0.1:${await listening(server)}`,
      'security.protocol': 'SSL',
      'ssl.truststore.certificates': cert!,
    };
    await expect(openKafkaLog({ config, clock: systemClock, logger: silentLogger })).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(message) as string,
    });
    server.close();
    expect(count).toBe(1);
  });

  const missing = terminalMissing();
  test.skipIf(missing !== null)(
    'a statement that Kafka does not answer says so, and Ctrl-C gives the prompt back',
    async () => {
      const running = new Millrace(['--kafka', kafka.address, '--service-id', uniqueName('stopped')], {
        terminal: true,
        env: { HOME: directory, TERM: 'xterm', COLUMNS: '200' },
      });
      const screen = (): string => stripVTControlCharacters(running.stdout).replaceAll('\r', '');
      const prompts = (): number => screen().split('millrace> ').length - 1;
      await running.until(() => prompts() > 0, 'the prompt');
      process.kill(kafka.pid, 'SIGSTOP');
      try {
        const before = prompts();
        running.write('SHOW TOPICS;\r');
        await running.until(() => screen().includes('has not answered for a second'), 'it is told');
        expect(screen()).toMatch(/has not answered for a second \(listing topics\); Ctrl-C ends the wait/);
        running.write('\u0003');
        await running.until(() => prompts() > before && screen().endsWith('millrace> '), 'a prompt');
      } finally {
        process.kill(kafka.pid, 'SIGCONT');
      }
      running.write('exit\r');
      expect((await running.finished).code).toBe(0);
    },
  );
});
