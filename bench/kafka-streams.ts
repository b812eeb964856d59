import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Log } from '../src/log/log.ts';
import { CHILD_TIMEOUT_MS, type ChildResult, type Task } from './child.ts';
import { fingerprint } from './fingerprint.ts';
import { itemCount } from './items.ts';
import {
  CACHE_BYTES,
  GRACE_MS,
  type Guarantee,
  RETENTION_MS,
  type Scenario,
  type ScenarioName,
  WINDOW_MS,
} from './scenarios.ts';
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

export interface PeerSettings {
  readonly bootstrap: string;
  readonly scenario: ScenarioName;
  readonly guarantee: Guarantee;
  readonly commitMs: number;
  readonly input: string;
  readonly items: string;
  /** A run each, one after another. */
  readonly outputs: readonly string[];
  readonly application: string;
  readonly directory: string;
  /** After so many orders a run is over; 0: when its standard input ends. */
  readonly records: number;
  readonly itemRecords: number;
}

export function startPeer(
  peer: KafkaStreamsPeer,
  { outputs, ...settings }: PeerSettings,
  timeoutMs?: number,
): ChildProcessByStdio<Writable, Readable, null> {
  const all: Record<string, string | number> = {
    ...settings,
    outputs: outputs.join(','),
    unitsOver: UNITS_OVER,
    windowMs: WINDOW_MS,
    graceMs: GRACE_MS,
    retentionMs: RETENTION_MS,
    cacheBytes: CACHE_BYTES,
  };
  const args = Object.entries(all).map(([name, value]) => `${name}=${value}`);
  const jvm = ['-Xms512m', '-Xmx1g', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
  return spawn('java', [...jvm, '-cp', peer.classpath, 'Peer', ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, killSignal: 'SIGKILL' }),
  });
}

/** Runs the scenario twice in one JVM and gives the second. Reads the output afterwards through `log`. */
export async function runKafkaStreams(
  peer: KafkaStreamsPeer,
  scenario: Scenario,
  guarantee: Guarantee,
  task: Task,
  log: Log,
): Promise<ChildResult> {
  const { workload, items, address, id, directory } = task;
  const outputs = [0, 1].map((pass) => `out_${id}_${pass}`);
  for (const name of outputs) await log.admin.createTopic({ name, partitions: workload.partitions });
  const child = startPeer(
    peer,
    {
      bootstrap: address,
      scenario: scenario.name,
      guarantee,
      commitMs: scenario.commitMs,
      input: workload.input,
      items,
      outputs,
      application: id,
      directory,
      records: workload.records,
      itemRecords: scenario.name === 'stream-table-join' ? itemCount(workload) : 0,
    },
    CHILD_TIMEOUT_MS,
  );
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`Kafka Streams ended with exit ${String(code)}\n${text}`);
  const measured = JSON.parse(text.trim().split('\n').at(-1)!) as Omit<ChildResult, 'output' | 'top'>;
  const output = await fingerprint(log, outputs[1]!, scenario.output);
  for (const name of outputs) await log.admin.deleteTopic(name);
  return { ...measured, output, top: [] };
}
