/**
 * Properties of ksqlDB, Kafka Streams and their clients that mean nothing here. Those that a session of ksqlDB may set
 * are accepted and kept, so that scripts and clients run unchanged; those that only its server's configuration may
 * hold are refused, as there.
 */

/** ksqlDB's own properties, behind `ksql.`. */
const KSQL = new Set(
  `access.validator.enable cast.strings.preserve.nulls connect.url connect.worker.config
  create.or.replace.enabled create.topic.inherit.source.replicas.enabled error.classifier.regex
  fetch.remote.hosts.max.timeout.seconds heartbeat.enable idle.connection.timeout.seconds
  insert.into.values.enabled json_sr.converter.deserializer.enabled lambdas.enabled
  max.push.queries metastore.backup.location metrics.tags.custom nested.error.set.null new.query.planner.enabled
  persistent.prefix query.cleanup.shutdown.timeout.ms query.error.max.queue.size query.persistent.max.bytes.buffering.total
  query.pull.consistency.token.enabled query.pull.enable.standby.reads query.pull.forwarding.timeout.ms
  query.pull.interpreter.enabled query.pull.max.allowed.offset.lag
  query.pull.max.concurrent.requests query.pull.max.hourly.bandwidth.megabytes query.pull.max.qps
  query.pull.metrics.enabled query.pull.router.thread.pool.size
  query.pull.thread.pool.size query.push.v2.alos.enabled query.push.v2.catchup.consumer.msg.window
  query.push.v2.continuation.tokens.enabled query.push.v2.interpreter.enabled
  query.push.v2.latest.reset.age.ms query.push.v2.max.catchup.consumers
  query.push.v2.max.hourly.bandwidth.megabytes query.push.v2.metrics.enabled
  query.push.v2.new.latest.delay.ms query.push.v2.registry.installed query.retry.backoff.initial.ms
  query.retry.backoff.max.ms query.status.running.threshold.seconds query.transient.max.bytes.buffering.total
  rowpartition.rowoffset.enabled runtime.feature.shared.enabled schema.registry.url shared.runtimes.count
  sink.partitions sink.replicas sink.window.change.log.additional.retention stale.suppress.enabled
  suppress.buffer.size.bytes suppress.enabled timestamp.throw.on.invalid transient.prefix
  transient.query.cleanup.service.enable udf.collect.metrics variable.substitution.enable
  websocket.connection.max.timeout.ms windowed.session.key.legacy worker.pool.size`.split(/\s+/),
);

/** Properties of Kafka Streams and of Kafka's producers and consumers. */
const KAFKA = new Set(
  `acceptable.recovery.lag acks allow.auto.create.topics auto.commit.interval.ms auto.include.jmx.reporter batch.size
  buffer.memory buffered.records.per.partition built.in.metrics.version check.crcs client.dns.lookup client.id
  client.rack connections.max.idle.ms default.api.timeout.ms default.client.supplier
  default.deserialization.exception.handler default.dsl.store default.key.serde default.list.key.serde.inner
  default.list.key.serde.type default.list.value.serde.inner default.list.value.serde.type
  default.production.exception.handler default.timestamp.extractor default.value.serde
  delivery.timeout.ms deserialization.exception.handler dsl.store.suppliers.class enable.auto.commit
  enable.idempotence enable.metrics.push exclude.internal.topics fetch.max.bytes fetch.max.wait.ms fetch.min.bytes
  group.instance.id heartbeat.interval.ms interceptor.classes internal.leave.group.on.close isolation.level
  linger.ms log.summary.interval.ms max.block.ms max.in.flight.requests.per.connection max.partition.fetch.bytes
  max.poll.interval.ms max.poll.records max.warmup.replicas metadata.max.age.ms
  metadata.max.idle.ms metric.reporters metrics.num.samples metrics.recording.level
  metrics.sample.window.ms num.standby.replicas num.stream.threads partition.assignment.strategy
  partition.grouper partitioner.class poll.ms probing.rebalance.interval.ms processing.exception.handler
  production.exception.handler rack.aware.assignment.strategy receive.buffer.bytes
  reconnect.backoff.max.ms reconnect.backoff.ms repartition.purge.interval.ms
  request.timeout.ms retries retry.backoff.max.ms retry.backoff.ms rocksdb.config.setter send.buffer.bytes
  socket.connection.setup.timeout.max.ms socket.connection.setup.timeout.ms
  state.cleanup.delay.ms statestore.cache.max.bytes task.timeout.ms topology.optimization
  upgrade.from window.size.ms windowed.inner.class.serde windowstore.changelog.additional.retention.ms
  __emit.interval.ms.kstreams.windowed.aggregation__`.split(/\s+/),
);

/** Families whose members are the user's own, or another program's. */
const FAMILIES =
  /^(ksql\.functions\.|producer\.|consumer\.|(main|restore|global)\.consumer\.|admin\.|topic\.)./;

/** Properties that concern the whole service. */
const OF_SERVER =
  /^((producer|consumer|admin|main\.consumer|restore\.consumer|global\.consumer)\.)?(bootstrap\.servers|application\.(id|server)|group\.id|transactional\.id|state\.dir|security\..*|sasl\..*|ssl\..*|config\.providers.*)$|^(listeners|ksql\.(service\.id|extension\.dir|internal\.(hidden|readonly)\.topics|internal\.listener|advertised\.listener|pull\.queries\.enable|headers\.columns\.enabled|query\.persistent\.active\.limit|udf\.enable\.security\.manager|security\..*|properties\.overrides\..*|server\..*|logging\..*|endpoint\.logging\..*))$/;

/** `name`: canonical. */
export function foreignProperty(name: string): 'settable' | 'of-server' | null {
  if (OF_SERVER.test(name)) return 'of-server';
  const known = name.startsWith('ksql.') ? KSQL.has(name.slice(5)) : KAFKA.has(name);
  return known || FAMILIES.test(name) ? 'settable' : null;
}
