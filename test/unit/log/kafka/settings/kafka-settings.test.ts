import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseProperties } from '../../../../../src/common/properties-file.ts';
import { GivenSettings } from '../../../../../src/log/kafka/settings/given-settings.ts';
import {
  checkSettings,
  clientSettings,
  type KafkaSettings,
  mergeSettings,
  readKafkaSettings,
} from '../../../../../src/log/kafka/settings/kafka-settings.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-settings-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function read(...texts: string[]): KafkaSettings & { readonly idle: string[] } {
  const idle: string[] = [];
  const merged = mergeSettings(texts.map((text, i) => parseProperties(text, `file${i + 1}`)));
  checkSettings(merged, clientSettings, ({ name }) => idle.push(name));
  return { ...readKafkaSettings(new GivenSettings(merged)), idle };
}

const JAAS = 'security.protocol=SASL_PLAINTEXT\nsasl.jaas.config=';
const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule';

describe('logins', () => {
  test.each([
    [
      `${JAAS}${PLAIN} required username="a" password="b";`,
      { mechanism: 'PLAIN', username: 'a', password: 'b' },
    ],
    [
      `${JAAS}kafkashaded.${PLAIN} REQUIRED password='it"s; =' username=a user_a="x" ;  `,
      { mechanism: 'PLAIN', username: 'a', password: 'it"s; =' },
    ],
    // The file's own backslashes are doubled.
    [
      `${JAAS}x.ScramLoginModule required username="a\\\\"b" password="c\\\\\\\\d";\nsasl.mechanism=scram-sha-256`,
      { mechanism: 'SCRAM-SHA-256', username: 'a"b', password: 'c\\d' },
    ],
    [
      'security.protocol=sasl_plaintext\nsasl.mechanisms=SCRAM-SHA-512\nsasl.username=a\nsasl.password= p ',
      { mechanism: 'SCRAM-SHA-512', username: 'a', password: 'p ' },
    ],
    [
      `${JAAS}x.OAuthBearerLoginModule required clientId="me" clientSecret="s" extension_pool="p";\nsasl.oauthbearer.token.endpoint.url=https://idp/token\nsasl.oauthbearer.extensions=cluster=c,x=y=z`,
      {
        mechanism: 'OAUTHBEARER',
        tokens: {
          endpoint: 'https://idp/token',
          clientId: 'me',
          clientSecret: 's',
          scope: undefined,
          extensions: { pool: 'p', cluster: 'c', x: 'y=z' },
          urlEncode: false,
        },
      },
    ],
  ])('%s', (text, login) => {
    expect(read(text).login).toEqual(login);
  });
});

describe('mistakes are told with file, line and what to do, and no secret', () => {
  test.each([
    ['sasl.usrname=a', /^file1 line 1: sasl\.usrname is not a setting; did you mean sasl\.username\?$/],
    ['acks=0', /line 1: acks must be all or -1/],
    ['producer.acks=1', /line 1: producer\.acks must be/],
    ['interceptor.classes=com.example.A', /interceptor\.classes must be io\.confluent/],
    ['security.protocol=TLS', /must be PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL, not 'TLS'/],
    ['security.protocol=SASL_SSL', /so sasl\.mechanism is needed: PLAIN, /],
    [
      'security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI',
      /line 2: sasl\.mechanism is GSSAPI \(Kerberos\), which/,
    ],
    [
      'security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.username=a',
      /sasl\.username and sasl\.password/,
    ],
    [
      'security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER',
      /so sasl\.oauthbearer\.token\.endpoint\.url is needed/,
    ],
    [`${JAAS}x.Krb5LoginModule required;`, /names Krb5LoginModule, which is not known here/],
    [`${JAAS}x.PlainLoginModule username="hunter2";`, /behind the login module stands required/],
    [`${JAAS}x.PlainLoginModule required username="a" password="hunter2"`, /a semicolon ends it/],
    [`${JAAS}x.PlainLoginModule required password="hunter2;`, /a quote is not closed/],
    [`${JAAS}x.PlainLoginModule required username "hunter2";`, /options are written name="value"/],
    [`${JAAS}x.PlainLoginModule required; x.PlainLoginModule required;`, /there is more behind/],
    [
      `${JAAS}x.PlainLoginModule required username="a" password="b";\nsasl.mechanism=SCRAM-SHA-256`,
      /is for PLAIN/,
    ],
    [
      'sasl.username=a\nsasl.password=hunter2',
      /line 1: sasl\.username is used only where security\.protocol is SASL_SSL/,
    ],
    ['ssl.ca.location=/none', /is used only where security\.protocol is SSL or SASL_SSL/],
    ['bootstrap.servers=localhost', /must be host:port, .*not 'localhost'/],
    ['bootstrap.servers=a:0', /must be host:port/],
    ['request.timeout.ms=1e3', /must be a whole number from 1/],
    [
      'security.protocol=SSL\nssl.truststore.location=/no/such/ca.pem',
      /line 2: .*\/no\/such\/ca\.pem, which does not exist/,
    ],
    ['security.protocol=SSL\nssl.truststore.certificates=abc', /is no PEM/],
    [
      'security.protocol=SSL\nssl.keystore.key=-----BEGIN PRIVATE KEY----- hunter2 -----END PRIVATE KEY-----',
      /needs its certificate/,
    ],
    ['security.protocol=SSL\nssl.endpoint.identification.algorithm=ldaps', /must be https, none or empty/],
    ['security.protocol=SSL\nssl.enabled.protocols=TLSv1.1', /must be TLSv1\.2, TLSv1\.3/],
    ['security.protocol=SSL\nssl.cipher.suites=TLS_HUNTER', /has TLS_HUNTER, which is not known/],
    [
      'producer.security.protocol=SSL\nconsumer.security.protocol=PLAINTEXT',
      /differs from producer\.security\.protocol \(file1 line 1\)/,
    ],
    ['config.providers=file', /MILLRACE_KAFKA_SASL_PASSWORD/],
  ])('%s', (text, message) => {
    const action = (): unknown => read(text);
    expect(action).toThrow(message);
    expect(action).not.toThrow('hunter2');
  });

  test('a keystore of Java is refused with what converts it', () => {
    const file = join(directory, 'store.jks');
    writeFileSync(file, Buffer.from('feedfeed00000002', 'hex'));
    const text = (name: string): string => `security.protocol=SSL\nssl.${name}.location=${file}`;
    expect(() => read(text('truststore'))).toThrow(/keystore of Java \(JKS\): .*keytool -exportcert -rfc/);
    expect(() => read(text('keystore'))).toThrow(/JKS\): convert it: keytool -importkeystore/);
  });
});

test('sources go before those ahead of them, and a client’s own setting before one for all', () => {
  const settings = read(
    'bootstrap.servers=a:1,PLAINTEXT://b:2,[::1]:3\nclient.id=one\nrequest.timeout.ms=5\nproducer.request.timeout.ms=6',
    'ksql.streams.client.id=two\nlinger.ms=7\nbatch.size=5\nacks=ALL',
  );
  expect(settings).toMatchObject({
    brokers: ['a:1', 'b:2', '[::1]:3'],
    clientId: 'two',
    requestTimeoutMs: 6,
    tls: null,
    login: null,
    producer: { lingerMs: 7 },
    idle: ['batch.size'],
  });
});

test('what TLS is told', () => {
  const { tls } = read(
    'security.protocol=SSL\nssl.endpoint.identification.algorithm=\nenable.ssl.certificate.verification=false\nssl.enabled.protocols=TLSv1.3, TLSv1.2\nssl.cipher.suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,TLS_RSA_WITH_AES_256_CBC_SHA256',
  );
  expect(tls).toEqual({
    anyName: true,
    anyCertificate: true,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:AES256-SHA256',
  });
});
