import { sleep, systemClock } from '../../../src/common/clock.ts';
import { SeededRandom } from '../../harness/random.ts';
import { History, type Plan, planEvents, planSlots, type Running, VARIANTS } from './history.ts';
import { generateWorld, type Trait, type World } from './world.ts';
import type { Expected } from './world-model.ts';
import { isOpen } from './world-queries.ts';

/** What queries are, for the shares that a run prints. */
export const CATEGORIES = [
  'several partitions behind a repartition',
  'restart or replacement in the middle',
  'equal times',
  'foreign-key join',
  'cycle',
  'window with grace',
  'unreadable records',
  'state on disk',
] as const;
export type Category = (typeof CATEGORIES)[number];

export interface WorldResult {
  readonly checked: number;
  readonly refused: number;
  readonly categories: ReadonlyMap<Category, number>;
  readonly failures: readonly string[];
}

export const QUERIES_PER_WORLD = 10;
const QUERIES_ON_DISK = 4;
const WORLD_MS_MAX = 60_000;

const TRAITS: readonly Trait[] = [
  'interruptions',
  'partitions',
  'equal times',
  'unreadable records',
  'late records',
];

interface Checked {
  readonly history: History;
  /** By query and variant. */
  readonly wrong: ReadonlyMap<string, string>;
  /** Of those that were wrong at first: right when asked again a little later. */
  readonly early: ReadonlySet<string>;
}

/**
 * Queries over a generated world, in an engine to which things happen, each with the optimizer and without. What they
 * give must be what loops over all the records give (`world-model.ts`), whatever happened, however the records lie in
 * partitions, as soon as the engine says that it has processed them. A failure is narrowed down: to the traits of the
 * world without which the same queries are right.
 */
export async function checkWorld(
  seed: number,
  without: ReadonlySet<Trait> = new Set(),
): Promise<WorldResult> {
  const random = new SeededRandom(seed ^ 0x1f123bb5);
  const { mode, events } = planEvents(random);
  const world = generateWorld(seed, events.length + 1, without);
  const isLonely = random.chance(0.1);
  const count = isLonely ? 1 : mode === 'disk' ? QUERIES_ON_DISK : QUERIES_PER_WORLD;
  const slots = planSlots(random, world, events, count, isLonely);
  const variants = isLonely ? [random.pick(VARIANTS)] : VARIANTS;
  const plan: Plan = { mode, events, slots, isLonely, variants, seed };
  const { history, wrong, early } = await check(seed, plan, without);
  const failures: string[] = history.trouble.map((text) => `seed ${seed}: ${text}`);
  if (wrong.size > 0) {
    const causes = await causesOf(seed, plan, wrong, early, without);
    for (const [name, text] of wrong)
      failures.push(
        `seed ${seed}, ${mode}, ${events.join(', ') || 'no events'}, partitions ${Object.values(world.partitions).join()}${world.scattered.size > 0 ? ` scattered ${[...world.scattered].join()}` : ''}: wrong for ${causes.get(name)!}:\n  ${text}`,
      );
  }
  const categories = new Map<Category, number>();
  let refused = 0;
  for (const running of history.running) {
    if (running.refused !== null) refused++;
    else
      for (const each of categoriesOf(running, world, plan))
        categories.set(each, (categories.get(each) ?? 0) + 1);
  }
  return { checked: history.running.length - refused, refused, categories, failures };
}

async function check(seed: number, plan: Plan, without: ReadonlySet<Trait>): Promise<Checked> {
  const world = generateWorld(seed, plan.events.length + 1, without);
  const history = new History(world, plan, without);
  const wrong = new Map<string, string>();
  const early = new Set<string>();
  await inTime(
    seed,
    history.run(async (phase) => {
      const known = { ...world, records: world.records.filter((each) => each.phase <= phase) };
      await history.read();
      const found = differences(history.running, known);
      if (found.size === 0) return;
      await sleep(systemClock, 100);
      await history.read();
      const later = differences(history.running, known);
      for (const [name, text] of found) {
        if (!wrong.has(name)) wrong.set(name, text);
        if (!later.has(name)) early.add(name);
      }
    }),
  );
  return { history, wrong, early };
}

async function inTime(seed: number, work: Promise<void>): Promise<void> {
  let cancel = (): void => undefined;
  const late = new Promise<void>((_resolve, reject) => {
    cancel = systemClock.setTimer(WORLD_MS_MAX, () => reject(new Error(`seed ${seed} does not end`)));
  });
  await Promise.race([work, late]).finally(cancel);
}

/** By query and variant, what is wrong. */
function differences(queries: readonly Running[], world: World): Map<string, string> {
  const wrong = new Map<string, string>();
  for (const { query, slot, select, filteredFrom, lines, refused } of queries) {
    if (refused !== null) continue;
    const expected = query.expected(world, filteredFrom);
    for (const [variant, found] of lines) {
      const text = compare(expected, found);
      if (text !== null)
        wrong.set(
          `${slot.name}_${variant}`,
          `${slot.name}_${variant} ${[...query.before, select].join(' ')}\n  ${text}`,
        );
    }
  }
  return wrong;
}

function compare(expected: Expected, found: readonly string[]): string | null {
  const left = found.filter((line) => !isOpen(expected, line));
  const missing = expected.must.filter((line) => !isOpen(expected, line) && !take(left, line));
  const allowed = [...expected.may];
  const tooMany = left.filter((line) => !take(allowed, line));
  if (missing.length === 0 && tooMany.length === 0) return null;
  return `missing ${missing.join(' ') || 'none'}; too many ${tooMany.join(' ') || 'none'}`;
}

function take(lines: string[], line: string): boolean {
  const at = lines.indexOf(line);
  if (at >= 0) lines.splice(at, 1);
  return at >= 0;
}

/** By query and variant, the traits of the world without each of which it is right. */
async function causesOf(
  seed: number,
  plan: Plan,
  wrong: ReadonlyMap<string, string>,
  early: ReadonlySet<string>,
  without: ReadonlySet<Trait>,
): Promise<ReadonlyMap<string, string>> {
  const causes = new Map(
    [...wrong.keys()].map((name) => [name, early.has(name) ? ['a read too early'] : []]),
  );
  for (const trait of TRAITS) {
    const { wrong: still } = await check(seed, plan, new Set([...without, trait]));
    for (const [name, found] of causes) if (!still.has(name)) found.push(trait);
  }
  return new Map(
    [...causes].map(([name, found]) => {
      const other = name.endsWith('_ON') ? name.replace(/_ON$/, '_OFF') : name.replace(/_OFF$/, '_ON');
      const alone =
        plan.isLonely || wrong.has(other)
          ? []
          : [`the optimizer ${name.endsWith('_ON') ? 'on' : 'off'} alone`];
      return [name, [...found, ...alone].join(', ') || 'all that was tried'];
    }),
  );
}

function categoriesOf({ query }: Running, world: World, plan: Plan): readonly Category[] {
  const found: Category[] = [];
  const is = (category: Category, holds: boolean): void => void (holds && found.push(category));
  is(
    'several partitions behind a repartition',
    query.isRepartitioned && query.reads.some((topic) => world.partitions[topic] > 1),
  );
  is(
    'restart or replacement in the middle',
    plan.events.some((event) => event !== 'none' && event !== 'pause'),
  );
  is('equal times', hasEqualTimes(query.reads, world));
  is('foreign-key join', query.kind.startsWith('foreign key'));
  is('cycle', query.kind === 'cycle');
  is('window with grace', query.window !== null && query.window.graceMs !== null);
  is(
    'unreadable records',
    world.records.some(({ topic, wrong }) => wrong !== null && query.reads.includes(topic)),
  );
  is('state on disk', plan.mode === 'disk');
  return found;
}

function hasEqualTimes(topics: readonly string[], world: World): boolean {
  const times = world.records.filter(({ topic }) => topics.includes(topic)).map(({ time }) => time);
  return new Set(times).size < times.length;
}
