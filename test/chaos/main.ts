/**
 * `npm run chaos -- [--minutes 30] [--seed N] [--rate 5000] [--processes 2] [--nodes 3] [--kafka VERSION]`: transfers between
 * accounts, through a
 * repartition, a windowed count and a table of balances, while processes of the service are killed and stopped and so are
 * brokers, one a minute. What is done when follows from the seed. `judge.ts` says what holds of all that a Java consumer sees with
 * read_committed, from the first record on; that what one transaction wrote is there as a whole or not at all is
 * read from the segments of a broker: the marker of each transaction is the same in all partitions, committed offsets
 * and changelogs among them. Ends with 1 when something was not so; what was logged is kept then.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { SeededRandom } from '../harness/random.ts';
import { generate } from './generator.ts';
import { JavaTail, transactionOutcomes } from './java-tail.ts';
import { Judge, OUTPUTS, TRANSFERS } from './judge.ts';
import { Nemesis } from './nemesis.ts';
import { type Event, schedule } from './schedule.ts';
import { ServiceProcess } from './service.ts';
import { STATEMENTS } from './statements.ts';

const TIMEOUTS = { sessionMs: 3000, transactionMs: 6000 };
const PROGRESS_MS = 10_000;
/** How long nothing may come of what is there, with all processes and brokers running. */
const STANDSTILL_MS = 90_000;
/** So many seconds of transfers may wait; then no more are written until half of them are done. */
const BACKLOG_SECONDS = 10;
/** A process is not killed again before a second's transfers were processed since, or so much time has passed. */
const IDLE_MS = 20_000;
const FAULTS_TOLD = 20;
const SERVICE = 'chaos';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(process.pid) },
    rate: { type: 'string', default: '5000' },
    processes: { type: 'string', default: '2' },
    nodes: { type: 'string', default: '3' },
    /** Below 4.0 all transactions of a producer share its epoch, and what was torn can't be told from segments. */
    kafka: { type: 'string' },
    /** Of the servers: at_least_once must fail. */
    guarantee: { type: 'string', default: 'exactly_once_v2' },
    /** Logs are kept when it passes too. */
    keep: { type: 'boolean', default: false },
    /** The process that writes. */
    generate: { type: 'string' },
  },
});
const seed = Number(values.seed);
const rate = Number(values.rate);
const begin = performance.now();
const elapsedMs = (): number => performance.now() - begin;

function tell(what: string): void {
  console.log(`${(elapsedMs() / 1000).toFixed(1).padStart(7)} s  ${what}`);
}

if (values.generate !== undefined) await generate(values.generate, seed, rate);
else process.exitCode = await main();

async function main(): Promise<number> {
  // It starts itself again by its own path.
  const { startKafka, kafkaClasspath, whyNoKafka } = (await import(
    pathToFileURL(join(process.cwd(), 'scripts/kafka.js')).href
  )) as typeof import('../../scripts/kafka.js');
  const why = await whyNoKafka(values.kafka);
  if (why !== undefined) throw new Error(why);
  const minutes = Number(values.minutes);
  const directory = mkdtempSync(join(tmpdir(), `millrace-chaos-${seed}-`));
  const faults: string[] = [];
  let faultCount = 0;
  const fault = (what: string): void => {
    faultCount++;
    if (faults.length >= FAULTS_TOLD) return;
    faults.push(what);
    tell(`FAULT: ${what}`);
    appendFileSync(join(directory, 'faults.txt'), `${what}\n`);
  };
  const cleanup: (() => void | Promise<unknown>)[] = [];
  const cleanUp = async (): Promise<void> => {
    for (const each of cleanup.splice(0).reverse()) await each();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void cleanUp().then(() => process.exit(130)));
  try {
    tell(
      `seed ${seed}, ${minutes} minutes, ${rate} transfers a second; logs in ${directory}; ${Date.now()} is now`,
    );
    const nodes = Number(values.nodes);
    const settings = { 'broker.session.timeout.ms': 6000, 'broker.heartbeat.interval.ms': 1000 };
    const kafka = await startKafka({
      nodes,
      heapMb: 400,
      settings,
      ...(values.kafka === undefined ? {} : { version: values.kafka }),
    });
    cleanup.push(() => kafka.stop());
    const processes = Array.from({ length: Number(values.processes) }, (_, i) => {
      const name = `process-${'ab'[i]}`;
      // One keeps its state on disk, as it is when it is killed; the other has it in memory alone.
      const state = i === 0 ? ['--data-dir', join(directory, name)] : [];
      return new ServiceProcess(name, [...serviceCommand(kafka.address), ...state], directory);
    });
    cleanup.push(() => Promise.all(processes.map((each) => each.kill())));
    const [first] = processes;
    first!.start();
    await until(async () => (await first!.states()).length > 0 || (await listens(first!)), 60_000);
    await first!.post(STATEMENTS);
    for (const each of processes) each.start();
    tell('the service runs');

    const judge = new Judge(fault);
    const tail = new JavaTail(await kafkaClasspath(), kafka.address, [TRANSFERS, ...OUTPUTS], (record) =>
      judge.see(record),
    );
    cleanup.push(() => tail.kill());
    let active: ServiceProcess | null = null;
    let takeovers = 0;
    let looking = true;
    const looked = (async () => {
      while (looking) {
        const states = await Promise.all(processes.map((each) => each.states()));
        const runs = processes.find((_, i) => states[i]!.includes('RUNNING'));
        if (runs !== undefined && runs !== active) {
          if (active !== null) takeovers++;
          active = runs;
          tell(`${runs.name} is active`);
        }
        await sleep(250);
      }
    })();
    cleanup.push(() => void (looking = false));

    const generator = spawn(
      process.execPath,
      [process.argv[1]!, '--generate', kafka.address, '--seed', String(seed), '--rate', String(rate)],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    cleanup.push(() => void generator.kill('SIGKILL'));
    let written = '';
    generator.stdout.on('data', (chunk) => (written += String(chunk)));
    const generated = new Promise<number | null>((resolve) => generator.once('exit', resolve));
    generator.stdin.on('error', () => {});

    const nemesis = new Nemesis({
      kafka,
      processes,
      active: () => active,
      group: `_millrace_${SERVICE}_query_CTAS_BALANCES_3`,
      topic: 'balances',
      seed,
      tell,
    });
    const events = schedule(new SeededRandom(seed), minutes, TIMEOUTS).filter(
      ({ what }) => what !== 'broker' || nodes > 1,
    );
    const least = (): number => Math.min(...Object.values(judge.entries)) / 2;
    const backlog = (): number => judge.transfers - least();
    const progress = (): void => {
      const { kills, stops, brokers } = nemesis.counts;
      tell(
        `${judge.transfers} transfers, ${Math.floor(backlog())} behind; ${kills} kills, ${stops} stops, ${brokers} brokers, ${takeovers} takeovers`,
      );
    };
    const broken = (): boolean => {
      const gone = processes.find(({ complaint }) => complaint !== null);
      if (gone !== undefined) fault(gone.complaint!);
      if (nemesis.failure !== null) fault(`the nemesis failed: ${nemesis.failure.message}`);
      if (!tail.isThere) fault("Java's reader ended");
      return faults.length > 0;
    };

    const started = performance.now();
    const next = [...events];
    let held = false;
    let told = 0;
    let best = { least: 0, at: 0 };
    let since = best;
    /** On a slow machine what is killed would never have done anything. */
    const isUnderLoad = ({ what }: Event, now: number): boolean =>
      what === 'broker' || least() > since.least + rate || now - since.at > IDLE_MS;
    const look = (now: number): void => {
      if (now - told >= PROGRESS_MS) {
        told = now;
        progress();
      }
      if (least() > best.least) best = { least: least(), at: now };
    };
    for (let now = 0; now < minutes * 60_000 && !broken(); now = performance.now() - started) {
      while (next.length > 0 && next[0]!.atMs <= now && isUnderLoad(next[0]!, now)) {
        since = { least: least(), at: now };
        nemesis.begin(next.shift() as Event);
      }
      const holds: boolean = backlog() > (held ? 0.5 : 1) * BACKLOG_SECONDS * rate;
      if (holds !== held) generator.stdin.write(`${holds ? 0 : rate}\n`);
      held = holds;
      look(now);
      await sleep(50);
    }
    tell('no more kills; the rest is processed');
    await nemesis.rest();
    generator.stdin.end();
    if ((await generated) !== 0) fault('the generator failed');
    best = { least: least(), at: performance.now() - started };
    while (!broken() && !(judge.transfers === Number(written) && backlog() === 0)) {
      const now = performance.now() - started;
      look(now);
      if (now - best.at > STANDSTILL_MS) {
        fault(
          `nothing came for ${STANDSTILL_MS / 1000} s: ${written.trim()} written, ${judge.transfers} seen, ${JSON.stringify(judge.entries)}`,
        );
        judge.finish();
      }
      await sleep(50);
    }
    progress();
    if (faults.length === 0) {
      tell('drained');
      // No takeover is on its way any more, or it is waited for.
      await until(async () => {
        const states = await Promise.all(processes.map((each) => each.states()));
        return states.some((each) => each.join() === 'RUNNING');
      }, 60_000);
      const states = await Promise.all(processes.map((each) => each.states()));
      const owner = processes[states.findIndex((each) => each.join() === 'RUNNING')]!;
      judge.judgeTables(
        await owner.pull('SELECT ACCOUNT, BALANCE, N FROM BALANCES;'),
        await owner.pull('SELECT ACCOUNT, WINDOWSTART, N FROM COUNTS;'),
      );
      for (const each of await tail.end()) fault(`a transaction is open: ${each}`);
      judge.finish();
    }
    looking = false;
    await looked;
    if (faults.length === 0)
      for (const each of processes) {
        const code = await each.end(30_000);
        if (code !== 0) fault(`${each.name} ended with ${code} after SIGTERM`);
      }
    const outcomes = await transactionOutcomes(await kafkaClasspath(), kafka.address, kafka.nodes[0]!.data);
    tell(
      `${outcomes.committed} transactions committed, ${outcomes.undone} undone, in all partitions alike unless said here`,
    );
    const tellsTorn = values.kafka?.startsWith('3.') !== true;
    for (const each of outcomes.faults) if (tellsTorn || !each.startsWith('torn')) fault(each);
  } catch (error) {
    fault(error instanceof Error ? error.stack! : String(error));
  } finally {
    await cleanUp();
  }
  if (faults.length === 0) {
    if (!values.keep) rmSync(directory, { recursive: true, force: true });
    tell(`seed ${seed} passed`);
    return 0;
  }
  const kept = join(process.cwd(), 'node_modules/.cache/chaos');
  mkdirSync(kept, { recursive: true });
  appendFileSync(join(kept, 'failed-seeds.txt'), `${seed} ${minutes} minutes: ${faults[0]}\n`);
  tell(`seed ${seed} failed with ${faultCount} faults; logs are in ${directory}, seeds in ${kept}`);
  return 1;
}

function serviceCommand(address: string): string[] {
  const options = [
    ['--port', '0'],
    ['--kafka', address],
    ['--service-id', SERVICE],
    ['--log-level', 'info'],
    ['--set', `processing.guarantee=${values.guarantee}`],
    ['--set', `transaction.timeout.ms=${TIMEOUTS.transactionMs}`],
    ['--set', `session.timeout.ms=${TIMEOUTS.sessionMs}`],
  ];
  return ['dist/main.js', 'server', ...options.flat()];
}

async function listens(service: ServiceProcess): Promise<boolean> {
  return service.post('SHOW TOPICS;').then(
    () => true,
    () => false,
  );
}

async function until(condition: () => Promise<boolean>, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`it took longer than ${patienceMs} ms`);
    await sleep(100);
  }
}
