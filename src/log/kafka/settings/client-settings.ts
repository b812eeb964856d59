import type { SettingRow } from './setting-table.ts';

/** What is set of a producer, by Java's name, then librdkafka's. A query can have its own. */
export const PRODUCER_SETTINGS = {
  compression: 'compression.type compression.codec',
  lingerMs: 'linger.ms queue.buffering.max.ms',
  requestBytesMax: 'max.request.size message.max.bytes',
} as const;

/**
 * Settings of Kafka's clients: those of Java's producer, consumer and admin client (4.1) and of librdkafka (2.x), whose
 * names differ for a few.
 */
export const CLIENT_SETTINGS: readonly SettingRow[] = [
  {
    names: 'bootstrap.servers metadata.broker.list',
    fate: 'honoured',
    because: 'brokers to begin with, `host:port` with commas between them; `--kafka` goes before it',
  },
  {
    names: 'security.protocol',
    fate: 'honoured',
    because: 'PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL',
  },
  {
    names: 'sasl.mechanism sasl.mechanisms',
    fate: 'honoured',
    because: 'PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; GSSAPI (Kerberos) and others are refused',
  },
  {
    names: 'sasl.jaas.config',
    fate: 'honoured',
    because:
      'one entry of PlainLoginModule, ScramLoginModule or OAuthBearerLoginModule: its options are the login',
  },
  { names: 'sasl.username sasl.password', fate: 'honoured', because: 'the login for PLAIN and SCRAM' },
  {
    names:
      'sasl.oauthbearer.token.endpoint.url sasl.oauthbearer.client.credentials.client.id sasl.oauthbearer.client.credentials.client.secret sasl.oauthbearer.client.id sasl.oauthbearer.client.secret sasl.oauthbearer.scope sasl.oauthbearer.extensions sasl.oauthbearer.header.urlencode',
    fate: 'honoured',
    because:
      'where OAUTHBEARER gets its tokens: by client id and secret, anew when four fifths of their time are over',
  },
  {
    names: 'sasl.oauthbearer.method',
    fate: 'fixed',
    only: ['oidc'],
    because: 'tokens come from a token endpoint',
  },
  {
    names: 'sasl.oauthbearer.grant.type',
    fate: 'fixed',
    only: ['client_credentials'],
    because: 'tokens are asked for with client id and secret',
  },
  {
    names: 'sasl.login.callback.handler.class',
    fate: 'fixed',
    only: [
      'org.apache.kafka.common.security.oauthbearer.oauthbearerlogincallbackhandler',
      'org.apache.kafka.common.security.oauthbearer.secured.oauthbearerlogincallbackhandler',
    ],
    because: 'no Java runs here; what these two classes do for OAUTHBEARER is built in',
  },
  {
    names: 'sasl.oauthbearer.jwt.retriever.class',
    fate: 'fixed',
    only: [
      'org.apache.kafka.common.security.oauthbearer.defaultjwtretriever',
      'org.apache.kafka.common.security.oauthbearer.clientcredentialsjwtretriever',
    ],
    because: 'no Java runs here; what these two classes do is built in',
  },
  {
    names:
      'sasl.oauthbearer.assertion.* sasl.oauthbearer.config sasl.oauthbearer.metadata.authentication.type',
    fate: 'refused',
    because: 'tokens are asked for with client id and secret only',
  },
  {
    names: 'enable.sasl.oauthbearer.unsecure.jwt',
    fate: 'fixed',
    only: ['false'],
    because: 'tokens that nobody signed are not made',
  },
  {
    names:
      'ssl.truststore.type ssl.truststore.location ssl.truststore.certificates ssl.ca.location ssl.ca.pem',
    fate: 'honoured',
    because:
      'whose certificates brokers may have, PEM (several behind each other); without them, those that Node.js trusts. Keystores of Java (JKS, PKCS12) are refused here: `keytool -exportcert -rfc` writes their certificates as PEM',
  },
  {
    names: 'ssl.truststore.password',
    fate: 'idle',
    because: 'certificates in PEM are not locked',
  },
  {
    names:
      'ssl.keystore.type ssl.keystore.location ssl.keystore.key ssl.keystore.certificate.chain ssl.keystore.password ssl.key.password ssl.certificate.location ssl.certificate.pem ssl.key.location ssl.key.pem',
    fate: 'honoured',
    because:
      'the client’s own certificate and key, PEM or PKCS12; JKS is refused: `keytool -importkeystore -deststoretype PKCS12` converts it',
  },
  { names: 'ssl.crl.location', fate: 'honoured', because: 'certificates that were revoked, PEM' },
  {
    names: 'ssl.endpoint.identification.algorithm',
    fate: 'honoured',
    because: '`https`, the default, compares a broker’s name with its certificate; empty or `none` does not',
  },
  {
    names: 'enable.ssl.certificate.verification',
    fate: 'honoured',
    because: '`false` takes any certificate of any broker',
  },
  {
    names: 'ssl.enabled.protocols ssl.protocol',
    fate: 'honoured',
    because: 'TLSv1.2 and TLSv1.3, or one of them; older ones are refused',
  },
  {
    names: 'ssl.cipher.suites',
    fate: 'honoured',
    because: 'by the names of Java or of OpenSSL, with commas or colons between them',
  },
  {
    names: 'client.id',
    fate: 'honoured',
    because: 'the name in the brokers’ logs and quotas; `millrace` without it',
  },
  {
    names: 'request.timeout.ms socket.timeout.ms',
    fate: 'honoured',
    because: 'how long a broker may take to answer; 30000 without it',
  },
  {
    names: 'socket.connection.setup.timeout.ms',
    fate: 'honoured',
    because: 'how long a connection and its login may take; 10000 without it',
  },
  {
    names: 'acks request.required.acks',
    fate: 'fixed',
    only: ['all', '-1'],
    because:
      'what is written counts when all in-sync replicas have it: with less, a broker that dies loses rows',
  },
  {
    names: 'enable.idempotence',
    fate: 'fixed',
    only: ['true'],
    because: 'without it a repeated request writes rows twice',
  },
  {
    names: 'isolation.level',
    fate: 'fixed',
    only: ['read_committed'],
    because: 'what a transaction has not committed is never read',
  },
  {
    names: 'check.crcs',
    fate: 'fixed',
    only: ['true'],
    because: 'damage is always looked for',
  },
  {
    names: 'partitioner',
    fate: 'fixed',
    only: ['murmur2', 'murmur2_random'],
    because: 'keys go to partitions as Java’s clients send them',
  },
  {
    names: 'partitioner.ignore.keys transaction.two.phase.commit.enable enable.gapless.guarantee',
    fate: 'fixed',
    only: ['false'],
    because: 'there is nothing that does this',
  },
  {
    names: 'interceptor.classes',
    fate: 'fixed',
    only: [
      'io.confluent.monitoring.clients.interceptor.monitoringproducerinterceptor',
      'io.confluent.monitoring.clients.interceptor.monitoringconsumerinterceptor',
    ],
    because: 'no Java runs here; these two, of Confluent’s published examples, only count records',
  },
  {
    names:
      'partitioner.class sasl.client.callback.handler.class sasl.login.class ssl.engine.factory.class plugin.library.paths',
    fate: 'refused',
    because: 'it names code for another runtime, and what that would do does not happen here',
  },
  {
    names: 'config.providers config.providers.*',
    fate: 'refused',
    because:
      'values are taken as they stand; what is secret can come in an environment variable: MILLRACE_KAFKA_SASL_PASSWORD',
  },
  {
    names:
      'sasl.kerberos.service.name sasl.kerberos.kinit.cmd sasl.kerberos.min.time.before.relogin sasl.kerberos.ticket.renew.jitter sasl.kerberos.ticket.renew.window.factor sasl.kerberos.principal sasl.kerberos.keytab',
    fate: 'idle',
    because: 'it concerns Kerberos; a file whose `sasl.mechanism` is GSSAPI is refused',
  },
  {
    names:
      'sasl.login.connect.timeout.ms sasl.login.read.timeout.ms sasl.login.refresh.buffer.seconds sasl.login.refresh.min.period.seconds sasl.login.refresh.window.factor sasl.login.refresh.window.jitter sasl.login.retry.backoff.ms sasl.login.retry.backoff.max.ms',
    fate: 'idle',
    because:
      'a token endpoint has ten seconds to answer, and a token is asked for anew when a connection needs one',
  },
  {
    names:
      'sasl.oauthbearer.clock.skew.seconds sasl.oauthbearer.expected.audience sasl.oauthbearer.expected.issuer sasl.oauthbearer.jwks.endpoint.url sasl.oauthbearer.jwks.endpoint.refresh.ms sasl.oauthbearer.jwks.endpoint.retry.backoff.ms sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms sasl.oauthbearer.jwt.validator.class sasl.oauthbearer.scope.claim.name sasl.oauthbearer.sub.claim.name',
    fate: 'idle',
    because: 'the broker checks tokens',
  },
  {
    names:
      'ssl.provider ssl.providers ssl.engine.location ssl.engine.id ssl.keymanager.algorithm ssl.trustmanager.algorithm ssl.secure.random.implementation ssl.curves.list ssl.sigalgs.list ssl.ca.certificate.stores security.providers https.ca.location https.ca.pem',
    fate: 'idle',
    because: 'TLS is that of Node.js, with its own choice here',
  },
  {
    names:
      'group.id group.instance.id transactional.id group.protocol group.protocol.type group.remote.assignor partition.assignment.strategy internal.leave.group.on.close',
    fate: 'idle',
    because: 'groups and transactions have names of their own, made of `--service-id` and the query',
  },
  {
    names:
      'enable.auto.commit auto.commit.enable auto.commit.interval.ms enable.auto.offset.store offset.store.method offset.store.path offset.store.sync.interval.ms',
    fate: 'idle',
    because: 'offsets are committed with the output; `commit.interval.ms` says how often',
  },
  {
    names:
      'batch.size batch.num.messages queue.buffering.max.messages queue.buffering.max.kbytes queue.buffering.backpressure.threshold buffer.memory max.block.ms max.in.flight max.in.flight.requests.per.connection partitioner.adaptive.partitioning.enable partitioner.availability.timeout.ms sticky.partitioning.linger.ms message.copy.max.bytes compression.gzip.level compression.lz4.level compression.zstd.level compression.level queuing.strategy delivery.report.only.error produce.offset.report',
    fate: 'idle',
    because: 'rows gather for a commit, and their order is kept: there is nothing to tune by it',
  },
  {
    names:
      'retries message.send.max.retries retry.backoff.ms retry.backoff.max.ms reconnect.backoff.ms reconnect.backoff.max.ms reconnect.backoff.jitter.ms delivery.timeout.ms message.timeout.ms request.timeout.max.ms default.api.timeout.ms socket.connection.setup.timeout.max.ms socket.max.fails',
    fate: 'idle',
    because:
      'what fails for a while is tried again for two minutes; then the query says so and begins again at its last commit',
  },
  {
    names:
      'fetch.min.bytes fetch.max.bytes fetch.max.wait.ms fetch.wait.max.ms max.partition.fetch.bytes fetch.message.max.bytes receive.message.max.bytes fetch.error.backoff.ms fetch.queue.backoff.ms queued.min.messages queued.max.messages.kbytes max.poll.records max.poll.interval.ms exclude.internal.topics enable.partition.eof consume.callback.max.messages',
    fate: 'idle',
    because: 'reading keeps its own pace: a record is read whatever its size, and no poll is ever too late',
  },
  {
    names:
      'metadata.max.age.ms metadata.max.idle.ms metadata.recovery.strategy metadata.recovery.rebootstrap.trigger.ms topic.metadata.refresh.interval.ms topic.metadata.refresh.fast.interval.ms topic.metadata.refresh.fast.cnt topic.metadata.refresh.sparse topic.metadata.propagation.max.ms topic.blacklist client.dns.lookup client.rack broker.address.ttl broker.address.family coordinator.query.interval.ms bootstrap.controllers',
    fate: 'idle',
    because:
      'leaders and coordinators are looked up when an answer says that they moved, by the bootstrap list when nobody else answers',
  },
  {
    names:
      'connections.max.idle.ms send.buffer.bytes receive.buffer.bytes socket.send.buffer.bytes socket.receive.buffer.bytes socket.keepalive.enable socket.nagle.disable socket.blocking.max.ms',
    fate: 'idle',
    because: 'sockets are kept as they are: with keep-alive, and without delay',
  },
  {
    names:
      'enable.metrics.push metric.reporters metrics.num.samples metrics.recording.level metrics.sample.window.ms auto.include.jmx.reporter statistics.interval.ms debug log_level log.queue log.thread.name log.connection.close enable.random.seed internal.termination.signal api.version.request api.version.request.timeout.ms api.version.fallback.ms broker.version.fallback builtin.features allow.auto.create.topics log.summary.interval.ms test.mock.num.brokers internal.throw.on.fetch.stable.offset.unsupported share.acknowledgement.mode',
    fate: 'idle',
    because: 'it tells or asks what nobody reads here',
  },
  {
    names: 'key.serializer value.serializer key.deserializer value.deserializer schema.registry.url',
    fate: 'idle',
    because: 'statements say how keys and values are written (KEY_FORMAT, VALUE_FORMAT)',
  },
  {
    names: PRODUCER_SETTINGS.compression,
    fate: 'honoured',
    because: 'how output is compressed: none, gzip, snappy, lz4 or zstd; a query can have its own (SET)',
  },
  {
    names: PRODUCER_SETTINGS.lingerMs,
    fate: 'honoured',
    because:
      'for how many milliseconds, at most, output waits for more; 5 without it; it goes at once when there is no more input, and with each commit; a query can have its own (SET)',
  },
  {
    names: PRODUCER_SETTINGS.requestBytesMax,
    fate: 'honoured',
    because:
      'the largest record that is written, in bytes; 1048576 without it; a query can have its own (SET)',
  },
  {
    names: 'auto.offset.reset session.timeout.ms transaction.timeout.ms',
    fate: 'idle',
    because: 'it is not the connection’s: SET, `--set` or an option of Streams says it',
  },
  {
    names: 'heartbeat.interval.ms',
    fate: 'idle',
    because: 'a process says several times in each session time-out that it is there',
  },
];
