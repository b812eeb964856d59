/**
 * Everything side by side, in one run: `npm run bench`. Each contender runs in a process of its own, one at a time, in
 * rounds, over the same orders, and what it wrote is compared with what the others wrote. Rates are records a CPU second
 * of the process that does the work (user and system, all its threads), so that they compare between machines that are
 * busy; ratios are of medians within one run.
 *
 *   --records N     orders (400,000)      --only TEXT   contenders whose name has TEXT in it; may be given again
 *   --rounds N      rounds (3)            --profile     a CPU profile of each contender in Node
 *   --guarantee G   at_least_once or exactly_once_v2: contenders with that guarantee; else both
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/common/clock.ts';
import { silentLogger } from '../src/common/logger.ts';
import { openKafkaLog } from '../src/log/kafka/open-kafka-log.ts';
import type { Log } from '../src/log/log.ts';
import { CHILD_TIMEOUT_MS, type ChildResult, runChild, type Task } from './child.ts';
import { contenderName, contenders } from './contenders/contenders.ts';
import { writeItems } from './items.ts';
import { type BenchKafka, kafkaScript } from './kafka-script.ts';
import { compileKafkaStreams, type KafkaStreamsPeer, runKafkaStreams } from './kafka-streams.ts';
import { differences, judgeFloors, type Line, printLines } from './report.ts';
import { type Guarantee, GUARANTEES, type Scenario, SCENARIOS } from './scenarios.ts';
import { ORDERS, writeOrders } from './workload.ts';

interface Runner {
  readonly name: string;
  readonly needsKafka: boolean;
  readonly guarantee: Guarantee;
  run(task: Omit<Task, 'contender'>): Promise<ChildResult>;
}

const INPUT = 'orders';
const ITEMS = 'items';

if (process.argv[2] === '--child') {
  const result = await runChild(JSON.parse(process.argv[3]!) as Task);
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
} else {
  process.exitCode = await main();
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      records: { type: 'string', default: '400000' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', multiple: true, default: [] },
      guarantee: { type: 'string' },
      profile: { type: 'boolean', default: false },
    },
  });
  const begin = performance.now();
  const workload = { ...ORDERS, input: INPUT, records: Number(values.records) };
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  let kafka: BenchKafka | null = null;
  let log: Log | null = null;
  try {
    let peer: KafkaStreamsPeer | null = null;
    let runners = runnersFor(() => ({ peer: peer!, log: log! }));
    if (values.only.length > 0)
      runners = runners.filter(({ name }) => values.only.some((text) => name.includes(text)));
    if (values.guarantee !== undefined)
      runners = runners.filter(({ guarantee }) => guarantee === values.guarantee);
    if (runners.some(({ needsKafka }) => needsKafka)) {
      const script = await kafkaScript();
      const why = await script.whyNoKafka();
      if (why !== undefined) {
        console.log(`without Kafka: ${why}`);
        runners = runners.filter(({ needsKafka }) => !needsKafka);
      } else {
        kafka = await script.startKafka();
        log = await openKafkaLog({
          brokers: [kafka.address],
          clientId: 'bench',
          clock: systemClock,
          logger: silentLogger,
        });
        await writeOrders(log, { ...workload, output: 'unused' });
        await writeItems(log, ITEMS, { ...workload, output: '' });
        if (runners.some(({ name }) => name.includes('kafka-streams')))
          peer = compileKafkaStreams(
            'bench/kafka-streams/Peer.java',
            await script.kafkaClasspath(),
            directory,
          );
      }
    }
    return await rounds(runners, Number(values.rounds), (runner, round) => ({
      workload,
      items: ITEMS,
      address: kafka?.address ?? '',
      directory,
      id: `bench${round}_${runners.indexOf(runner)}`,
      profile: values.profile ? join(tmpdir(), `bench-${runner.name.replaceAll('/', '-')}.cpuprofile`) : null,
    }));
  } finally {
    await log?.close();
    await kafka?.stop();
    rmSync(directory, { recursive: true, force: true });
    console.log(`${((performance.now() - begin) / 1000).toFixed(0)} s`);
  }
}

/** Contenders in the order of the table; Kafka Streams closes each scenario. */
function runnersFor(kafkaStreams: () => { peer: KafkaStreamsPeer; log: Log }): readonly Runner[] {
  const inNode = contenders();
  return SCENARIOS.flatMap((scenario) => [
    ...inNode
      .filter((contender) => contender.scenario === scenario)
      .map(({ name, log, guarantee }) => ({
        name,
        guarantee,
        needsKafka: log === 'kafka',
        run: (task: Omit<Task, 'contender'>) => spawnChild({ contender: name, ...task }),
      })),
    ...(scenario.name === 'word-count' ? [] : GUARANTEES).map((guarantee) =>
      kafkaStreamsRunner(scenario, guarantee, kafkaStreams),
    ),
  ]);
}

function kafkaStreamsRunner(
  scenario: Scenario,
  guarantee: Guarantee,
  parts: () => { peer: KafkaStreamsPeer; log: Log },
): Runner {
  return {
    name: contenderName('kafka-streams', scenario, 'kafka', guarantee),
    guarantee,
    needsKafka: true,
    run(task) {
      const { peer, log } = parts();
      return runKafkaStreams(peer, scenario, guarantee, { contender: '', ...task }, log);
    },
  };
}

async function rounds(
  runners: readonly Runner[],
  count: number,
  taskOf: (runner: Runner, round: number) => Omit<Task, 'contender'>,
): Promise<number> {
  const lines = runners.map(({ name }): Line => ({ name, rates: [], wallRates: [], output: null }));
  let failures = 0;
  for (let round = 1; round <= count; round++) {
    // To and fro, so that a machine that gets busier is nobody's fault.
    for (const [i, runner] of inTurn([...runners.entries()], round)) {
      const line = lines[i]!;
      try {
        const task = taskOf(runner, round);
        const result = await runner.run(round === 1 ? task : { ...task, profile: null });
        line.rates.push(result.records / result.cpuSeconds);
        line.wallRates.push(result.records / result.wallSeconds);
        line.output = result.output;
        console.error(`round ${round}  ${runner.name}  ${Math.round(line.rates.at(-1)! / 1000)} K`);
        if (result.top.length > 0) {
          const text = result.top.map(
            ({ name, share }) => `  ${(100 * share).toFixed(1).padStart(5)} %  ${name}`,
          );
          console.log(`${runner.name}: ${task.profile}\n${text.join('\n')}`);
        }
      } catch (error) {
        failures++;
        console.error(`round ${round}  ${runner.name}  failed: ${String(error)}`);
      }
    }
  }
  const different = differences(lines);
  const floors = judgeFloors(lines);
  console.log(`\n${printLines(lines)}\n\n${floors.text}`);
  for (const text of different) console.log(`DIFFERENT  ${text}`);
  return floors.ok && failures === 0 && different.length === 0 ? 0 : 1;
}

function inTurn<T>(items: readonly T[], round: number): readonly T[] {
  return round % 2 === 1 ? items : items.toReversed();
}

function spawnChild(task: Task): Promise<ChildResult> {
  const args = ['--enable-source-maps', process.argv[1]!, '--child', JSON.stringify(task)];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: CHILD_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const last = text.trim().split('\n').at(-1) ?? '';
      if (code === 0 && last.startsWith('{')) resolve(JSON.parse(last) as ChildResult);
      else reject(new Error(`exit ${String(code ?? signal)}`));
    });
  });
}
