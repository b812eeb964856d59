/** What server.properties of a test broker says. */

const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule';
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule';
const OAUTHBEARER = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule';

/** The listeners for clients. Brokers talk to each other through INTERNAL, which no proxy stands before. */
export const listenersOf = ({ secured }) =>
  secured ? ['PLAINTEXT', 'SASL_PLAINTEXT', 'SSL', 'SASL_SSL'] : ['PLAINTEXT'];

/**
 * @param {object} options those of `startKafka`, complete
 * @param {{ id: number, ports: Record<string, number> }[]} nodes ports by listener
 * @param {{ id: number, ports: Record<string, number> }} node the one whose settings are asked for
 */
export function brokerSettings(options, nodes, node, dataDirectory, certificates) {
  const { id, ports } = node;
  const listeners = listenersOf(options);
  const replicas = Math.min(nodes.length, 3);
  const inSync = Math.max(1, replicas - 1);
  const advertised = { ...ports, ...options.advertisedPorts[id] };
  const at = (names, chosen) => names.map((name) => `${name}://127.0.0.1:${chosen[name]}`).join(',');
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': nodes
      .map((each) => `${each.id}@127.0.0.1:${each.ports.CONTROLLER}`)
      .join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: at([...listeners, 'INTERNAL', 'CONTROLLER'], ports),
    'advertised.listeners': at([...listeners, 'INTERNAL'], advertised),
    'listener.security.protocol.map': [
      ...listeners.map((name) => `${name}:${name}`),
      'INTERNAL:PLAINTEXT',
      'CONTROLLER:PLAINTEXT',
    ].join(','),
    'inter.broker.listener.name': 'INTERNAL',
    'log.dirs': dataDirectory,
    'auto.create.topics.enable': false,
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.num.partitions': 2,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.num.partitions': 2,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'group.initial.rebalance.delay.ms': 0,
    // Tests of members and transactions that are silent for too long would wait longer.
    'group.min.session.timeout.ms': 1000,
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
    // Records of tests and benches are of any year: nothing may be deleted for its age while they run.
    'log.retention.ms': -1,
    'log.retention.check.interval.ms': 86_400_000,
    // The cleaner deletes too, from topics that are compacted as well: those of windowed tables, which have a retention.
    'log.cleaner.backoff.ms': 86_400_000,
    // Streams in tests carry made-up times; a broker refuses those more than an hour ahead of its clock.
    'log.message.timestamp.after.max.ms': '9223372036854775807',
    'num.network.threads': 2,
    'num.io.threads': 2,
    'log.cleaner.dedupe.buffer.size': 4_000_000,
    ...(options.version.startsWith('3.')
      ? {}
      : {
          'share.coordinator.state.topic.num.partitions': 1,
          'share.coordinator.state.topic.replication.factor': replicas,
          'share.coordinator.state.topic.min.isr': inSync,
        }),
    ...(options.secured ? securitySettings(options, certificates) : {}),
    ...(options.authorizer ? authorizerSettings() : {}),
    ...options.settings,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function securitySettings({ users, clientCertificates }, certificates) {
  const names = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`);
  const settings = {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': certificates.server,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': certificates.ca,
    'listener.name.ssl.ssl.client.auth': clientCertificates,
  };
  for (const listener of ['sasl_plaintext', 'sasl_ssl']) {
    const login = (mechanism, module, ...rest) => {
      settings[`listener.name.${listener}.${mechanism}.sasl.jaas.config`] =
        `${[module, 'required', ...rest].join(' ')};`;
    };
    login('plain', PLAIN, ...names);
    login('scram-sha-256', SCRAM);
    login('scram-sha-512', SCRAM);
    // Kafka's own checker of unsecured tokens: anything of the form header.claims. without a signature.
    login('oauthbearer', OAUTHBEARER, 'unsecuredLoginStringClaim_sub="nobody"');
  }
  return settings;
}

/** Who comes without a name may do everything: the brokers, and whoever prepares a test at PLAINTEXT. */
const authorizerSettings = () => ({
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS;User:admin',
  'allow.everyone.if.no.acl.found': false,
});
