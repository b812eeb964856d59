import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { keepAlive, systemClock } from '../src/common/clock.ts';
import { openLogger } from '../src/common/logger.ts';
import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts';
import { openKafkaLog } from '../src/log/kafka/open-kafka-log.ts';
import type { Log } from '../src/log/log.ts';
import { contenders } from './contenders/contenders.ts';
import { type Fingerprint, fingerprint } from './fingerprint.ts';
import { writeItems } from './items.ts';
import { profiled, type SelfTime } from './profile.ts';
import { type Measured, type Workload, writeOrders } from './workload.ts';

/** What the parent asks of a child, as JSON. */
export interface Task {
  readonly contender: string;
  /** Without an output: each pass has its own. The input is there on Kafka, and is written on the embedded log. */
  readonly workload: Omit<Workload, 'output'>;
  readonly items: string;
  /** Kafka's `host:port`. */
  readonly address: string;
  readonly directory: string;
  /** Different in each child. */
  readonly id: string;
  /** Where the profile goes; null takes none. */
  readonly profile: string | null;
}

export interface ChildResult {
  readonly records: number;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  readonly output: Fingerprint;
  readonly top: readonly SelfTime[];
}

/** Longer than anyone takes who is not stuck. */
export const CHILD_TIMEOUT_MS = 120_000;

const CPU_SECONDS_MIN = 1;
const PASSES_MAX = 5;

/** Runs one contender: a pass that warms up, then measured passes until there is enough to measure. */
export async function runChild(task: Task): Promise<ChildResult> {
  const contender = contenders().find((each) => each.name === task.contender);
  if (contender === undefined) throw new Error(`there is no contender ${task.contender}`);
  // Timers of the clock do not keep a process alive; the child exits when it has answered.
  keepAlive();
  const { scenario, guarantee } = contender;
  const shared = { clock: systemClock, logger: openLogger('error') };
  const log: Log =
    contender.log === 'kafka'
      ? await openKafkaLog({ brokers: [task.address], clientId: 'bench', ...shared })
      : await openEmbeddedLog({ retentionBytes: Infinity, ...shared });
  if (contender.log === 'embedded') {
    await writeOrders(log, { ...task.workload, output: 'unused' });
    if (scenario.name === 'stream-table-join')
      await writeItems(log, task.items, { ...task.workload, output: '' });
  }
  const pass = async (number: number): Promise<{ measured: Measured; output: string }> => {
    const id = `${task.id}_${number}`;
    const output = `out_${id}`;
    const directory = join(task.directory, id);
    mkdirSync(directory, { recursive: true });
    await log.admin.createTopic({ name: output, partitions: task.workload.partitions });
    const workload: Workload = { ...task.workload, output };
    const measured = await contender.pass({
      log,
      address: task.address,
      workload,
      items: task.items,
      scenario,
      guarantee,
      directory,
      id,
    });
    return { measured, output };
  };

  const warmUp = await pass(0);
  await log.admin.deleteTopic(warmUp.output);
  let records = 0;
  let cpuSeconds = 0;
  let wallSeconds = 0;
  let output = '';
  const measuredPasses = async (): Promise<void> => {
    for (let number = 1; number <= PASSES_MAX && cpuSeconds < CPU_SECONDS_MIN; number++) {
      if (output !== '') await log.admin.deleteTopic(output);
      const { measured, output: written } = await pass(number);
      output = written;
      records += measured.records;
      cpuSeconds += measured.cpuSeconds;
      wallSeconds += measured.wallSeconds;
    }
  };
  let top: readonly SelfTime[] = [];
  if (task.profile === null) await measuredPasses();
  else ({ top } = await profiled(task.profile, measuredPasses));
  const result = await fingerprint(log, output, scenario.output);
  await log.admin.deleteTopic(output);
  await log.close();
  return { records, cpuSeconds, wallSeconds, output: result, top };
}
