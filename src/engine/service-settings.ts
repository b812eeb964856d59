import { CLIENT_SETTINGS } from '../log/kafka/settings/client-settings.ts';
import { type SettingRow, SettingTable } from '../log/kafka/settings/setting-table.ts';
import { PROPERTIES } from './properties.ts';

/** Settings of Kafka Streams 4.1. Those that are properties here are not among them. */
export const STREAMS_SETTINGS: readonly SettingRow[] = [
  {
    names: 'topic.*',
    fate: 'honoured',
    because: 'settings of the topics that queries make for themselves (repartitions and changelogs)',
  },
  { names: 'state.dir', fate: 'mapped', because: '`--data-dir`' },
  {
    names: 'default.deserialization.exception.handler deserialization.exception.handler',
    fate: 'fixed',
    only: [
      'org.apache.kafka.streams.errors.logandcontinueexceptionhandler',
      'io.confluent.ksql.errors.logmetricandcontinueexceptionhandler',
    ],
    because: 'a record that cannot be read is kept in the processing log, and its query goes on',
  },
  {
    names: 'default.production.exception.handler production.exception.handler',
    fate: 'fixed',
    only: [
      'org.apache.kafka.streams.errors.defaultproductionexceptionhandler',
      'io.confluent.ksql.errors.productionexceptionhandlerutil$logandfailproductionexceptionhandler',
    ],
    because: 'what cannot be written stops its query, which begins again at its last commit',
  },
  {
    names:
      'default.timestamp.extractor processing.exception.handler default.client.supplier processor.wrapper.class',
    fate: 'refused',
    because: 'it names code for another runtime, and what that would do does not happen here',
  },
  {
    names: 'application.id application.server',
    fate: 'idle',
    because: 'queries have names of their own, made of `--service-id`',
  },
  {
    names:
      'num.stream.threads num.standby.replicas max.warmup.replicas acceptable.recovery.lag probing.rebalance.interval.ms task.assignor.class rack.aware.assignment.*',
    fate: 'idle',
    because: 'a query’s partitions are processed by one process, on one thread',
  },
  {
    names:
      'buffered.records.per.partition poll.ms task.timeout.ms repartition.purge.interval.ms state.cleanup.delay.ms rocksdb.config.setter statestore.cache.max.bytes default.dsl.store dsl.store.suppliers.class topology.optimization windowstore.changelog.additional.retention.ms built.in.metrics.version upgrade.from ensure.explicit.internal.resource.naming __emit.interval.ms.kstreams.windowed.aggregation__',
    fate: 'idle',
    because: 'it tunes how Kafka Streams works, not what comes out',
  },
  {
    names:
      'default.key.serde default.value.serde default.list.key.serde.inner default.list.key.serde.type default.list.value.serde.inner default.list.value.serde.type window.size.ms windowed.inner.class.serde partition.grouper',
    fate: 'idle',
    because: 'statements say how keys and values are written (KEY_FORMAT, VALUE_FORMAT)',
  },
];

/** Settings of ksqlDB that a session may give; they are without `ksql.`. */
const SESSION_SETTINGS: readonly SettingRow[] = [
  {
    names: 'cast.strings.preserve.nulls nested.error.set.null lambdas.enabled rowpartition.rowoffset.enabled',
    fate: 'fixed',
    only: ['true'],
    because: 'NULLs, lambdas and pseudo columns are as ksqlDB has them by default',
  },
  {
    names: 'insert.into.values.enabled create.or.replace.enabled variable.substitution.enable',
    fate: 'fixed',
    only: ['true'],
    because: 'these statements cannot be forbidden',
  },
  {
    names: 'fail.on.deserialization.error',
    fate: 'fixed',
    only: ['false'],
    because: 'a record that cannot be read is kept in the processing log, and its query goes on',
  },
  {
    names: 'fail.on.production.error',
    fate: 'fixed',
    only: ['true'],
    because: 'what cannot be written stops its query, which begins again at its last commit',
  },
  {
    names:
      'sink.partitions sink.replicas create.topic.inherit.source.replicas.enabled internal.topic.min.insync.replicas',
    fate: 'idle',
    because: 'statements say it (PARTITIONS, REPLICAS), or `replication.factor` does',
  },
  {
    names: 'schema.registry.url schema.registry.* json_sr.converter.deserializer.enabled',
    fate: 'idle',
    because: 'there is no format with a schema registry; a statement that asks for one is refused',
  },
  {
    names: 'connect.url connect.worker.config connect.*',
    fate: 'idle',
    because: 'connectors are managed by Kafka Connect’s own interface',
  },
  {
    names:
      'access.validator.enable error.classifier.regex fetch.remote.hosts.max.timeout.seconds heartbeat.enable heartbeat.* lag.reporting.enable lag.reporting.* idle.connection.timeout.seconds max.push.queries metastore.backup.location metrics.tags.custom metrics.extension persistent.prefix transient.prefix query.cleanup.shutdown.timeout.ms query.error.max.queue.size query.persistent.max.bytes.buffering.total query.retry.backoff.initial.ms query.retry.backoff.max.ms query.status.running.threshold.seconds query.transient.max.bytes.buffering.total runtime.feature.shared.enabled shared.runtimes.count sink.window.change.log.additional.retention stale.suppress.enabled suppress.buffer.size.bytes suppress.enabled transient.query.cleanup.service.enable transient.query.cleanup.service.* udf.collect.metrics websocket.connection.max.timeout.ms windowed.session.key.legacy worker.pool.size',
    fate: 'idle',
    because: 'it tunes how ksqlDB’s server works, not what comes out',
  },
  {
    names:
      'query.pull.consistency.token.enabled query.pull.enable.standby.reads query.pull.forwarding.timeout.ms query.pull.interpreter.enabled query.pull.max.allowed.offset.lag query.pull.max.concurrent.requests query.pull.max.hourly.bandwidth.megabytes query.pull.max.qps query.pull.metrics.enabled query.pull.router.thread.pool.size query.pull.thread.pool.size query.push.v2.alos.enabled query.push.v2.catchup.consumer.msg.window query.push.v2.continuation.tokens.enabled query.push.v2.interpreter.enabled query.push.v2.latest.reset.age.ms query.push.v2.max.catchup.consumers query.push.v2.max.hourly.bandwidth.megabytes query.push.v2.metrics.enabled query.push.v2.new.latest.delay.ms query.push.v2.registry.installed',
    fate: 'idle',
    because: 'it tunes how ksqlDB answers queries; `--limit` bounds what clients may take (docs/server.md)',
  },
  {
    names: 'functions.*',
    fate: 'honoured',
    because: 'kept for functions of your own',
  },
];

/** Settings of ksqlDB that only its server's configuration may give; without `ksql.`. */
const OF_SERVER: readonly SettingRow[] = [
  { names: 'service.id', fate: 'mapped', because: '`--service-id`' },
  { names: 'queries.file', fate: 'mapped', because: '`--queries-file`' },
  {
    names: 'extension.dir',
    fate: 'idle',
    because:
      'functions are JavaScript or TypeScript: `--functions FILE`; statements that call those of a jar are refused',
  },
  {
    names: 'internal.hidden.topics internal.readonly.topics',
    fate: 'idle',
    because: '`--set ksql.hidden.topics=…` and `--set ksql.readonly.topics=…` have the patterns',
  },
  {
    names: 'pull.queries.enable headers.columns.enabled',
    fate: 'fixed',
    only: ['true'],
    because: 'it cannot be forbidden',
  },
  {
    names: 'advertised.listener internal.listener',
    fate: 'mapped',
    because: '`--advertise`; the first goes before the second',
  },
  {
    names: 'cluster.* query.persistent.active.limit',
    fate: 'idle',
    because: 'a service’s queries run in one process',
  },
  {
    names:
      'properties.overrides.denylist properties.overrides.allowlist security.* authentication.* authorization.* server.auth.* multi.listener.mode.enable',
    fate: 'refused',
    because:
      'there is no authentication and no authorization in the server: put a proxy that has both in front of it (docs/server.md)',
  },
  {
    names: 'logging.* endpoint.logging.*',
    fate: 'idle',
    because: 'the processing log is always there (`KSQL_PROCESSING_LOG`)',
  },
  {
    names: 'server.* command.* udf.enable.security.manager verticle.instances vertx.* migrations.*',
    fate: 'idle',
    because: 'it tunes how ksqlDB’s server works, not what comes out',
  },
];

/** Settings of ksqlDB's REST server without a prefix. */
const OF_LISTENERS: readonly SettingRow[] = [
  {
    names: 'listeners',
    fate: 'mapped',
    because: '`--host` and `--port`: one, by http; for https put a proxy in front of it',
  },
  { names: 'access.control.allow.origin', fate: 'mapped', because: '`--allow-origin`; `*` is refused' },
  {
    names:
      'authentication.method authentication.realm authentication.roles authentication.skip.paths ssl.client.auth ssl.client.authentication',
    fate: 'refused',
    because:
      'there is no authentication and no TLS in the server: put a proxy that has both in front of it (docs/server.md)',
  },
  {
    names:
      'access.control.allow.methods access.control.allow.headers response.http.headers.config request.logger.name shutdown.graceful.ms idle.timeout.ms thread.pool.min thread.pool.max response.mediatype.* compression.enable',
    fate: 'idle',
    because: 'it tunes ksqlDB’s REST server',
  },
  { names: 'ui.enabled confluent.*', fate: 'idle', because: 'it concerns Confluent’s other programs' },
];

const prefixed = (rows: readonly SettingRow[]): SettingRow[] =>
  rows.map((row) => ({
    ...row,
    names: row.names
      .split(/\s+/)
      .map((name) => `ksql.${name}`)
      .join(' '),
  }));

/** A property of this program: what values it takes, it says itself. */
const PROPERTY_ROWS: readonly SettingRow[] = PROPERTIES.map(({ name, description }) => ({
  names: name,
  fate: 'honoured',
  because: description,
}));

export const KSQL_SETTINGS: readonly SettingRow[] = prefixed(SESSION_SETTINGS);
export const SERVER_SETTINGS: readonly SettingRow[] = [...prefixed(OF_SERVER), ...OF_LISTENERS];

/** What a file for Kafka may hold: clients of Kafka, Kafka Streams, and the properties of queries. */
export const kafkaFileSettings = new SettingTable([
  ...CLIENT_SETTINGS,
  ...STREAMS_SETTINGS,
  ...PROPERTY_ROWS,
]);

/** What `ksql-server.properties` may hold. */
export const serverFileSettings = new SettingTable([
  ...CLIENT_SETTINGS,
  ...STREAMS_SETTINGS,
  ...KSQL_SETTINGS,
  ...SERVER_SETTINGS,
  ...PROPERTY_ROWS,
]);

const serverOnly = new SettingTable(SERVER_SETTINGS);
const ofClients = new SettingTable(CLIENT_SETTINGS);

/** Whether Kafka's clients have a setting that does here what it does there. */
export function isHonouredOfClients(name: string): boolean {
  return ofClients.row(name)?.fate === 'honoured';
}

/** Whether a session keeps a setting for others who know what it means. */
export function isKept(name: string): boolean {
  return (
    name.startsWith('ksql.functions.') || (name.startsWith('topic.') && ofClients.row(name) === undefined)
  );
}

/** Whether ksqlDB takes a setting from its server's configuration only. `name`: without a client's prefix. */
export function isOfServer(name: string): boolean {
  return serverOnly.row(name) !== undefined;
}
