import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../src/log/log.ts';
import { CHILD_TIMEOUT_MS, type ChildResult, type Task } from './child.ts';
import { fingerprint } from './fingerprint.ts';
import { itemCount } from './items.ts';
import { CACHE_BYTES, GRACE_MS, RETENTION_MS, type Scenario, WINDOW_MS } from './scenarios.ts';
import { UNITS_OVER } from './workload.ts';

/** Kafka Streams as a peer: a Java program beside this file, compiled against the jars of the test broker. */
export interface KafkaStreamsPeer {
  readonly classpath: string;
}

export function compileKafkaStreams(source: string, jars: string, directory: string): KafkaStreamsPeer {
  const classes = join(directory, 'classes');
  mkdirSync(classes, { recursive: true });
  execFileSync('javac', ['-nowarn', '-cp', jars, '-d', classes, source], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return { classpath: `${classes}:${jars}` };
}

/** Runs the scenario twice in one JVM and gives the second. Reads the output afterwards through `log`. */
export async function runKafkaStreams(
  peer: KafkaStreamsPeer,
  scenario: Scenario,
  task: Task,
  log: Log,
): Promise<ChildResult> {
  const outputs = [0, 1].map((pass) => `out_${task.id}_${pass}`);
  for (const name of outputs) await log.admin.createTopic({ name, partitions: task.workload.partitions });
  const settings: Record<string, string | number> = {
    bootstrap: task.address,
    scenario: scenario.name,
    input: task.workload.input,
    items: task.items,
    outputs: outputs.join(','),
    application: task.id,
    directory: task.directory,
    records: task.workload.records,
    itemRecords: scenario.name === 'stream-table-join' ? itemCount(task.workload) : 0,
    commitMs: scenario.commitMs,
    unitsOver: UNITS_OVER,
    windowMs: WINDOW_MS,
    graceMs: GRACE_MS,
    retentionMs: RETENTION_MS,
    cacheBytes: CACHE_BYTES,
  };
  const args = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const jvm = ['-Xms512m', '-Xmx1g', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
  const child = spawn('java', [...jvm, '-cp', peer.classpath, 'Peer', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: CHILD_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`Kafka Streams ended with exit ${String(code)}\n${text}`);
  const measured = JSON.parse(text.trim().split('\n').at(-1)!) as Omit<ChildResult, 'output' | 'top'>;
  const output = await fingerprint(log, outputs[1]!, scenario.output);
  for (const name of outputs) await log.admin.deleteTopic(name);
  return { ...measured, output, top: [] };
}
