/**
 * Real Apache Kafka brokers for tests, benches and people.
 *
 *   node scripts/kafka.js start [OPTIONS]    prints the listeners and runs until Ctrl-C; OPTIONS is JSON, as of `startKafka`
 *   node scripts/kafka.js classpath          prints the class path of the tools
 *
 * Every broker is a combined KRaft node with storage of its own in a temporary directory, which goes away with it.
 * Between the caller and the Java processes stands a guard (`node scripts/kafka.js guard`) whose standard input is a
 * pipe from the caller: when the caller dies, even by SIGKILL, the pipe closes and the guard ends the brokers.
 */
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeCertificates } from './kafka-certificates.js';
import { KAFKA_VERSION, kafkaClasspath, kafkaTool, whyNoKafka } from './kafka-jars.js';
import { brokerSettings, listenersOf } from './kafka-settings.js';

export { KAFKA_VERSION, kafkaClasspath, kafkaTool, whyNoKafka };

const run = promisify(execFile);
const START_TIMEOUT_MS = 90_000;

/**
 * @typedef {object} KafkaOptions
 * @property {string} [version] of Apache Kafka: 4.4.0, 4.1.0, 3.9.1 are tried
 * @property {number} [nodes] brokers, 1 or 3 with the ids from 1 on; three hold three copies of all, and two must write
 * @property {number} [transactionVersion] the finalized `transaction.version`; left out, what this Kafka has by default
 * @property {number} [heapMb] of each broker
 * @property {boolean} [secured] listeners SASL_PLAINTEXT, SSL and SASL_SSL too, with PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
 *   and Kafka's unsecured OAUTHBEARER (a token `header.claims.` without a signature)
 * @property {Record<string, string>} [users] name to password, for PLAIN and SCRAM; there are `admin` and `alice` unless said
 * @property {'none' | 'requested' | 'required'} [clientCertificates] at the listener SSL
 * @property {boolean} [authorizer] StandardAuthorizer; `User:admin` may do everything, and so may who comes without a name
 * @property {Record<number, Record<string, number>>} [advertisedPorts] by node and listener: where a proxy stands before it
 * @property {Record<string, string | number>} [settings] of server.properties, over all others
 */

/**
 * @typedef {object} Kafka
 * @property {string} address of all brokers, at PLAINTEXT: `host:port,…`
 * @property {Record<string, string>} listeners such an address by listener
 * @property {number} pid of the first broker
 * @property {{ id: number, pid: number, ports: Record<string, number>, data: string }[]} nodes `data`: the directory of its segments
 * @property {import('./kafka-certificates.js').Certificates | null} certificates when secured
 * @property {Record<string, string>} users when secured
 * @property {(id: number) => Promise<void>} kill ends a broker by SIGKILL; it is gone when this resolves
 * @property {(id: number) => Promise<number>} restart starts a killed broker again on its storage; its new process id, once it answers
 * @property {() => Promise<void>} stop ends all and removes their storage; so does the end of this process, however it comes
 */

/**
 * Starts brokers and resolves when they answer.
 * @param {KafkaOptions} [options]
 * @returns {Promise<Kafka>}
 */
export async function startKafka(options = {}) {
  // detached: Ctrl-C in a terminal reaches every process of the group, and the guard must outlive it to clean up.
  const guard = spawn(process.execPath, [fileURLToPath(import.meta.url), 'guard', JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let ended = false;
  const exited = new Promise((resolve) => guard.once('exit', resolve));
  let complaints = '';
  guard.stderr.on('data', (text) => (complaints += text));
  guard.stdin.on('error', () => {});
  /** Who waits for the next line: the guard answers in order. */
  const waiting = [];
  createInterface({ input: guard.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)));
  const nextLine = (what) => {
    if (ended) return Promise.reject(new Error(`${what}: the brokers are gone`));
    return new Promise((resolve, reject) => waiting.push({ what, resolve, reject }));
  };
  guard.once('close', (code) => {
    ended = true;
    for (const { what, reject } of waiting.splice(0))
      reject(new Error(`${what} failed (exit ${code})\n${complaints}`));
  });
  const { nodes, listeners, certificates, users } = await nextLine('the start of a Kafka broker');
  // A caller that has nothing else to do may end; the pipe closes then, and the guard follows.
  for (const handle of [guard, guard.stdin, guard.stdout, guard.stderr]) handle.unref?.();
  const order = async (command) => {
    const answer = nextLine(`${command.do} of node ${command.id}`);
    guard.stdin.write(`${JSON.stringify(command)}\n`);
    guard.ref();
    guard.stdout.ref();
    try {
      return await answer;
    } finally {
      guard.unref();
      guard.stdout.unref();
    }
  };
  return {
    address: listeners.PLAINTEXT,
    listeners,
    pid: nodes[0].pid,
    nodes,
    certificates,
    users,
    kill: async (id) => void (await order({ do: 'kill', id })),
    async restart(id) {
      const { pid } = await order({ do: 'start', id });
      nodes.find((node) => node.id === id).pid = pid;
      return pid;
    },
    async stop() {
      guard.ref();
      guard.stdin.end();
      await exited;
    },
  };
}

const complete = (given) => ({
  version: KAFKA_VERSION,
  nodes: 1,
  transactionVersion: undefined,
  heapMb: (given.nodes ?? 1) > 1 ? 400 : 512,
  secured: false,
  users: { admin: 'admin-secret', alice: 'alice-secret' },
  clientCertificates: 'none',
  authorizer: false,
  advertisedPorts: {},
  settings: {},
  ...given,
});

/** Runs brokers until standard input closes or a signal comes. Prints a line of JSON when they answer, and one for each order. */
async function guard(options) {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-kafka-'));
  const nodes = [];
  let ending = false;
  const killed = async (node) => {
    const { process: process_ } = node;
    node.process = undefined;
    if (process_ === undefined || process_.exitCode !== null || process_.signalCode !== null) return;
    const gone = new Promise((resolve) => process_.once('exit', resolve));
    process_.kill('SIGKILL');
    await gone;
  };
  const end = async (code) => {
    if (ending) return;
    ending = true;
    // The storage is thrown away, so there is nothing that an orderly shutdown would save.
    await Promise.all(nodes.map(killed));
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    process.exit(code);
  };
  const failed = async (why, node) => {
    if (ending) return;
    const log = await readFile(join(directory, `broker-${node.id}.log`), 'utf8').catch(() => '');
    process.stderr.write(`${why}\n${log.slice(-4000)}\n`);
    await end(1);
  };
  const running = () => nodes.filter((node) => node.process !== undefined).length;
  const started = async (node) => {
    const output = openSync(join(directory, `broker-${node.id}.log`), 'a');
    const jvm = [
      `-Xmx${options.heapMb}m`,
      '-XX:+UseSerialGC',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    ];
    const child = spawn(
      'java',
      [...jvm, '-cp', await kafkaClasspath(options.version), 'kafka.Kafka', node.settings],
      {
        stdio: ['ignore', output, output],
      },
    );
    closeSync(output);
    node.process = child;
    child.once('exit', () => node.process === child && void failed(`broker ${node.id} ended`, node));
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!ending && (await brokersKnownAt(node.ports.PLAINTEXT)) < running()) {
      if (performance.now() > deadline) return await failed(`no answer within ${START_TIMEOUT_MS} ms`, node);
      await delay(50);
    }
  };
  const obey = async (order) => {
    const node = nodes.find(({ id }) => id === order.id);
    if (order.do === 'kill') await killed(node);
    else await started(node);
    process.stdout.write(`${JSON.stringify({ pid: node.process?.pid })}\n`);
  };
  let obeyed = Promise.resolve();
  createInterface({ input: process.stdin })
    .on('line', (line) => void (obeyed = obeyed.then(() => obey(JSON.parse(line)))))
    .on('close', () => void end(0));
  process.stdin.on('error', () => void end(0));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end(0));
  try {
    const names = [...listenersOf(options), 'INTERNAL', 'CONTROLLER'];
    const free = await freePorts(options.nodes * names.length);
    for (let id = 1; id <= options.nodes; id++)
      nodes.push({ id, ports: Object.fromEntries(names.map((name) => [name, free.pop()])) });
    const certificates = options.secured ? await makeCertificates(directory) : null;
    // One that begins with a dash would be taken for an option.
    const clusterId = `k${randomBytes(16).toString('base64url').slice(1)}`;
    await Promise.all(
      nodes.map(async (node) => {
        node.settings = join(directory, `server-${node.id}.properties`);
        node.data = join(directory, `data-${node.id}`);
        await writeFile(node.settings, brokerSettings(options, nodes, node, node.data, certificates));
        const args = ['format', '-t', clusterId, '-c', node.settings, ...formatArguments(options)];
        await run('java', await kafkaTool('kafka.tools.StorageTool', args, options.version));
      }),
    );
    if (ending) return;
    await Promise.all(nodes.map(started));
    if (ending) return;
    const listeners = Object.fromEntries(
      listenersOf(options).map((name) => [
        name,
        nodes.map(({ ports }) => `127.0.0.1:${ports[name]}`).join(','),
      ]),
    );
    const told = nodes.map(({ id, ports, data, process: { pid } }) => ({ id, pid, ports, data }));
    const { users } = options;
    process.stdout.write(`${JSON.stringify({ nodes: told, listeners, certificates, users })}\n`);
  } catch (error) {
    process.stderr.write(`${error.stdout ?? ''}${error.stderr ?? ''}${error.stack}\n`);
    await end(1);
  }
}

function formatArguments({ transactionVersion, secured, users }) {
  const features =
    transactionVersion === undefined ? [] : ['--feature', `transaction.version=${transactionVersion}`];
  if (!secured) return features;
  const scram = Object.entries(users).flatMap(([name, password]) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${name},password=${password}]`,
    ]),
  );
  return [...features, ...scram];
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

/** How many brokers one on `port` names in a Metadata response (version 1, no topics); 0 when it does not answer. */
function brokersKnownAt(port) {
  const request = Buffer.from([0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 7, 0xff, 0xff, 0, 0, 0, 0]);
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let response = Buffer.alloc(0);
    const done = (result) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(2000, () => done(0));
    socket.on('error', () => done(0));
    socket.on('close', () => done(0));
    socket.on('connect', () => socket.write(request));
    socket.on('data', (chunk) => {
      response = Buffer.concat([response, chunk]);
      if (response.length < 12) return;
      done(response.readInt32BE(4) === 7 ? response.readInt32BE(8) : 0);
    });
  });
}

async function start(options) {
  const why = await whyNoKafka(options.version);
  if (why !== undefined) {
    console.error(why);
    process.exit(1);
  }
  const kafka = await startKafka(options);
  console.log(kafka.address);
  if (kafka.certificates !== null) {
    const { listeners, certificates, users } = kafka;
    console.log(JSON.stringify({ listeners, certificates, users }, null, 2));
  }
  const end = () => void kafka.stop().then(() => process.exit(0));
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  setInterval(() => {}, 1 << 30);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const command = process.argv[2];
  const options = () => JSON.parse(process.argv[3] ?? '{}');
  if (command === 'guard') await guard(complete(options()));
  else if (command === 'start') await start(options());
  else if (command === 'classpath') console.log(await kafkaClasspath());
  else {
    console.error('usage: node scripts/kafka.js start [OPTIONS] | classpath');
    process.exit(2);
  }
}
