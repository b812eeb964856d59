// Runs an example: `node examples/run.js word-count`, on the embedded log, or with `--kafka HOST:PORT`.
// Writes the example's input to its topics, runs its topology over it and prints what came out.
import { fileURLToPath } from 'node:url';
import {
  openEmbeddedLog,
  openKafkaLog,
  openStateBackend,
  silentLogger,
  Streams,
  StreamsBuilder,
  systemClock,
} from 'millrace/streams';

/** Creates the example's topics and writes its input, each record to the partition that it names, or 0. */
export async function writeInput(example, log) {
  for (const [name, partitions] of Object.entries({ ...example.inputTopics, ...example.outputTopics }))
    await log.admin.createTopic({ name, partitions });
  const writer = await log.openWriter();
  const none = Buffer.alloc(0);
  for (const { topic, partition = 0, key, value, timestamp } of example.input()) {
    const keyBytes = key === null ? none : Buffer.from(key);
    const valueBytes =
      value === null ? none : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
    writer
      .appender({ topic, partition })
      .append(
        timestamp,
        keyBytes,
        key === null ? -1 : 0,
        keyBytes.length,
        valueBytes,
        value === null ? -1 : 0,
        valueBytes.length,
        null,
      );
  }
  await writer.flush();
  await writer.close();
}

/**
 * Runs the topology until it has processed all of its input. `watch` sees the application before it is stopped.
 * @param {any} example
 * @param {any} log
 * @param {string} applicationId
 * @param {(streams: any) => unknown} [watch]
 */
export async function runTopology(example, log, applicationId, watch = () => undefined) {
  const builder = new StreamsBuilder();
  example.build(builder);
  const streams = new Streams(builder.build(), {
    applicationId,
    log,
    state: openStateBackend(),
    stateDirectory: null,
    clock: systemClock,
    logger: silentLogger,
  });
  await streams.start();
  await streams.catchUp();
  await watch(streams);
  await streams.close();
}

/** Every record of a topic: `{ key, value, timestamp }` with bytes. */
export async function readTopic(log, topic) {
  const offsets = await log.admin.offsets(topic);
  const reader = log.openReader();
  const records = [];
  offsets.forEach(({ start }, partition) => reader.assign({ topic, partition, offset: start }));
  while (offsets.some(({ end }, partition) => reader.position({ topic, partition }) < end))
    for (const batch of await reader.poll(1000))
      for (let i = batch.first; i < batch.count; i++) {
        const part = (start, end) => (start < 0 ? null : Buffer.from(batch.buffer.subarray(start, end)));
        records.push({
          key: part(batch.keyStart[i], batch.keyEnd[i]),
          value: part(batch.valueStart[i], batch.valueEnd[i]),
          timestamp: batch.timestamps[i],
        });
      }
  await reader.close();
  return records;
}

async function main([name, option, address]) {
  const { example } = await import(`./${name}/topology.js`);
  const shared = { clock: systemClock, logger: silentLogger };
  const log =
    option === '--kafka'
      ? await openKafkaLog({ brokers: [address], clientId: name, ...shared })
      : await openEmbeddedLog(shared);
  await writeInput(example, log);
  await runTopology(example, log, `example-${name}`, (streams) => example.watch?.(streams, console.log));
  for (const topic of Object.keys(example.outputTopics))
    for (const { key, value, timestamp } of await readTopic(log, topic)) {
      const window = example.windowed ? ` window ${key.readBigInt64BE(key.length - 8)}` : '';
      const text = key === null ? 'null' : key.subarray(0, key.length - (example.windowed ?? 0)).toString();
      console.log(`${topic} @${timestamp} ${text}${window}: ${value === null ? 'null' : value.toString()}`);
    }
  await log.close();
}

// Waiting for the embedded log alone does not keep a process alive.
const alive = setInterval(() => undefined, 1 << 30);
if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
clearInterval(alive);
