/**
 * A real Apache Kafka broker for tests, benches and people.
 *
 *   node scripts/kafka.js start      prints host:port and runs until Ctrl-C
 *   node scripts/kafka.js classpath  prints the class path of the tools
 *
 * The jars come from Maven Central once, into a cache folder. Every broker is a combined KRaft node with
 * storage of its own in a temporary directory, which goes away with it. Between the caller and the Java process
 * stands a guard (`node scripts/kafka.js guard`) whose standard input is a pipe from the caller: when the caller
 * dies, even by SIGKILL, the pipe closes and the guard ends the broker.
 */
import { execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const KAFKA_VERSION = '4.1.0';
const SLF4J_VERSION = '1.7.36';
const START_TIMEOUT_MS = 60_000;
const QUIET = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];

const artifact = (groupId, artifactId, version) =>
  `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId><artifactId>kafka-for-tests</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    ${artifact('org.apache.kafka', 'kafka_2.13', KAFKA_VERSION)}
    ${artifact('org.apache.kafka', 'kafka-tools', KAFKA_VERSION)}
    ${artifact('org.apache.kafka', 'kafka-streams', KAFKA_VERSION)}
    ${artifact('org.slf4j', 'slf4j-simple', SLF4J_VERSION)}
  </dependencies>
</project>
`;

/**
 * Why no broker can be started here, or undefined when one can.
 * @returns {Promise<string | undefined>}
 */
export async function whyNoKafka() {
  try {
    await run('java', ['-version']);
  } catch {
    return 'Java is not installed (java -version failed)';
  }
  if (existsSync(kafkaDirectory())) return undefined;
  try {
    await run('mvn', ['-version']);
  } catch {
    return 'Maven is not installed (mvn -version failed), and Kafka is not in the cache yet';
  }
  return undefined;
}

function kafkaDirectory() {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(cache, 'millrace', `kafka-${KAFKA_VERSION}`);
}

/**
 * The class path of Kafka and its tools, downloaded when first needed. Safe to call from several processes at
 * once: each downloads to a directory of its own, and the first rename wins.
 * @returns {Promise<string>}
 */
export async function kafkaClasspath() {
  const home = kafkaDirectory();
  if (!existsSync(home)) {
    await mkdir(dirname(home), { recursive: true });
    const draft = await mkdtemp(`${home}.`);
    try {
      await writeFile(join(draft, 'pom.xml'), POM);
      const goal = 'dependency:copy-dependencies';
      const libs = ['-DincludeScope=runtime', `-DoutputDirectory=${join(draft, 'libs')}`];
      await run('mvn', ['-B', '-q', '-f', join(draft, 'pom.xml'), goal, ...libs], { timeout: 600_000 });
      await rename(draft, home);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      if (!existsSync(home)) throw error;
    }
  }
  return `${join(home, 'libs')}/*`;
}

/** Arguments for `java` that run one of Kafka's tools. */
export async function kafkaTool(mainClass, args) {
  const jvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...QUIET];
  return [...jvm, '-cp', await kafkaClasspath(), mainClass, ...args];
}

/**
 * Starts a broker and resolves when it answers. `stop` ends it and removes its storage; so does the end of this
 * process, however it comes.
 * @returns {Promise<{ address: string, pid: number, stop: () => Promise<void> }>} `pid`: of the broker itself
 */
export async function startKafka() {
  // detached: Ctrl-C in a terminal reaches every process of the group, and the guard must outlive it to clean up.
  const guard = spawn(process.execPath, [fileURLToPath(import.meta.url), 'guard'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = new Promise((resolve) => guard.once('exit', resolve));
  let complaints = '';
  guard.stderr.on('data', (text) => (complaints += text));
  guard.stdin.on('error', () => {});
  const [address, pid] = await new Promise((resolve, reject) => {
    let text = '';
    guard.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('\n')) resolve(text.trim().split(' '));
    });
    guard.once('error', reject);
    guard.once('close', (code) =>
      reject(new Error(`the Kafka broker did not start (exit ${code})\n${complaints}`)),
    );
  });
  // A caller that has nothing else to do may end; the pipe closes then, and the guard follows.
  for (const handle of [guard, guard.stdin, guard.stdout, guard.stderr]) handle.unref?.();
  return {
    address,
    pid: Number(pid),
    async stop() {
      guard.ref();
      guard.stdin.end();
      await exited;
    },
  };
}

/** Runs one broker until standard input closes or a signal comes. Prints its address and process id when it answers. */
async function guard() {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-kafka-'));
  let broker;
  let ending = false;
  const end = async (code) => {
    if (ending) return;
    ending = true;
    const process_ = broker;
    if (process_ !== undefined && process_.exitCode === null && process_.signalCode === null) {
      const gone = new Promise((resolve) => process_.once('exit', resolve));
      // The storage is thrown away, so there is nothing that an orderly shutdown would save.
      process_.kill('SIGKILL');
      await gone;
    }
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    process.exit(code);
  };
  process.stdin.resume();
  process.stdin.on('end', () => void end(0));
  process.stdin.on('error', () => void end(0));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end(0));
  try {
    const classpath = await kafkaClasspath();
    const [port, controllerPort] = await freePorts(2);
    const settings = join(directory, 'server.properties');
    await writeFile(settings, brokerSettings(port, controllerPort, join(directory, 'data')));
    const { stdout: id } = await run('java', await kafkaTool('kafka.tools.StorageTool', ['random-uuid']));
    await run(
      'java',
      await kafkaTool('kafka.tools.StorageTool', ['format', '-t', id.trim(), '-c', settings]),
    );
    if (ending) return;
    const output = openSync(join(directory, 'broker.log'), 'w');
    const jvm = ['-Xmx512m', '-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
    broker = spawn('java', [...jvm, '-cp', classpath, 'kafka.Kafka', settings], {
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    broker.once('exit', () => void failed(`the broker process ended`));
    const failed = async (why) => {
      if (ending) return;
      const log = await readFile(join(directory, 'broker.log'), 'utf8').catch(() => '');
      process.stderr.write(`${why}\n${log.slice(-4000)}\n`);
      await end(1);
    };
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!ending && !(await answers(port))) {
      if (performance.now() > deadline) return await failed(`no answer within ${START_TIMEOUT_MS} ms`);
      await delay(50);
    }
    if (!ending) process.stdout.write(`127.0.0.1:${port} ${broker.pid}\n`);
  } catch (error) {
    process.stderr.write(`${error.stderr ?? ''}${error.stack}\n`);
    await end(1);
  }
}

function brokerSettings(port, controllerPort, dataDirectory) {
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': dataDirectory,
    'auto.create.topics.enable': false,
    'offsets.topic.num.partitions': 2,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 2,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
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
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** Ports that were free a moment ago; all are held until the last is known, so that they differ. */
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve, reject) => {
          const server = createServer();
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Whether a broker on `port` names itself in a Metadata response (version 1, no topics). */
function answers(port) {
  const request = Buffer.from([0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 7, 0xff, 0xff, 0, 0, 0, 0]);
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let response = Buffer.alloc(0);
    const done = (result) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(2000, () => done(false));
    socket.on('error', () => done(false));
    socket.on('close', () => done(false));
    socket.on('connect', () => socket.write(request));
    socket.on('data', (chunk) => {
      response = Buffer.concat([response, chunk]);
      if (response.length < 12) return;
      done(response.readInt32BE(4) === 7 && response.readInt32BE(8) > 0);
    });
  });
}

async function start() {
  const why = await whyNoKafka();
  if (why !== undefined) {
    console.error(why);
    process.exit(1);
  }
  const kafka = await startKafka();
  console.log(kafka.address);
  const end = () => void kafka.stop().then(() => process.exit(0));
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  setInterval(() => {}, 1 << 30);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const command = process.argv[2];
  if (command === 'guard') await guard();
  else if (command === 'start') await start();
  else if (command === 'classpath') console.log(await kafkaClasspath());
  else {
    console.error('usage: node scripts/kafka.js start | classpath');
    process.exit(2);
  }
}
