import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, inject } from 'vitest';
import { kafkaTool } from '../../scripts/kafka.js';

/** What the global setup provides: the address of a broker, or why there is none. */
export type ProvidedKafka = { readonly address: string } | { readonly missing: string };

declare module 'vitest' {
  export interface ProvidedContext {
    kafka: ProvidedKafka;
  }
}

/**
 * Declares tests that need a real Kafka; `body` gets `host:port`. Without one they are skipped, and the
 * reason is in their name.
 */
export function describeKafka(name: string, body: (address: string) => void): void {
  const kafka = inject('kafka');
  if ('address' in kafka) describe(name, () => body(kafka.address));
  else describe.skip(`${name} (skipped: ${kafka.missing})`, () => body(''));
}

const names = new Map<string, number>();

/** A topic or group name that nobody else in this run uses: all test files share one broker. */
export function uniqueName(prefix: string): string {
  const count = (names.get(prefix) ?? 0) + 1;
  names.set(prefix, count);
  return `${prefix}-${process.pid}-${count}`;
}

/** Feeds lines to Kafka's own console producer: `key<TAB>value`, or values alone when `keyed` is false. */
export async function javaProduce(
  address: string,
  topic: string,
  lines: readonly string[],
  options: {
    readonly keyed?: boolean;
    readonly codec?: 'gzip' | 'snappy' | 'lz4' | 'zstd';
    /** Of Kafka's producer. */
    readonly settings?: Readonly<Record<string, string | number>>;
  } = {},
): Promise<void> {
  const args = ['--bootstrap-server', address, '--topic', topic];
  if (options.keyed !== false) args.push('--reader-property', 'parse.key=true');
  if (options.codec !== undefined) args.push('--compression-codec', options.codec);
  for (const [name, value] of Object.entries(options.settings ?? {}))
    args.push('--command-property', `${name}=${value}`);
  const tool = spawn('java', await kafkaTool('org.apache.kafka.tools.ConsoleProducer', args), {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  tool.stdout.on('data', (chunk) => (output += String(chunk)));
  tool.stderr.on('data', (chunk) => (output += String(chunk)));
  tool.stdin.on('error', () => {});
  tool.stdin.end(lines.map((line) => `${line}\n`).join(''));
  const code = await new Promise((resolve, reject) => {
    tool.once('error', reject);
    tool.once('close', resolve);
  });
  // The console producer reports failed sends on its error stream and still exits with 0.
  if (code !== 0 || /ERROR|Exception/.test(output)) throw new Error(`the console producer failed: ${output}`);
}

/** The first `count` records of a topic as Kafka's own console consumer prints them: partition, key, value. */
export async function javaConsume(address: string, topic: string, count: number): Promise<string[]> {
  const args = ['--bootstrap-server', address, '--topic', topic, '--from-beginning'];
  args.push('--max-messages', String(count), '--timeout-ms', '20000', '--isolation-level', 'read_committed');
  for (const property of ['print.key=true', 'print.partition=true', 'print.headers=true'])
    args.push('--formatter-property', property);
  const tool = await kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', args);
  const { stdout } = await promisify(execFile)('java', tool);
  return stdout.split('\n').filter((line) => line !== '');
}

/** Gives a topic more partitions, with Kafka's own tool. */
export async function javaAddPartitions(address: string, topic: string, partitions: number): Promise<void> {
  const args = [
    '--bootstrap-server',
    address,
    '--alter',
    '--topic',
    topic,
    '--partitions',
    String(partitions),
  ];
  await promisify(execFile)('java', await kafkaTool('org.apache.kafka.tools.TopicCommand', args));
}
