import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { newSession } from '../../../src/engine/session.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../src/log/log.ts';
import { readAll } from '../../harness/log-records.ts';
import { execute } from '../../harness/open-engine.ts';
import { SeededRandom } from '../../harness/random.ts';
import { DisturbedLog } from './disturbed-log.ts';
import { isTable, textOfValue, type TopicName, type Trait, type World } from './world.ts';
import { ImpatientClock, openWorldEngine } from './world-engine.ts';
import { lineOf } from './world-model.ts';
import { QueryGenerator, type WorldQuery } from './world-queries.ts';

/**
 * What happens between the records of a world's phases. `replace`: by the same query, or one with an item or a
 * condition more. `edit`: dropped, and another one made under its name. `rerun`: the script is run again by another
 * process that has no command log.
 */
export type EventKind = 'none' | 'replace' | 'edit' | 'fail' | 'pause' | 'rerun' | 'restart' | 'kill';

/** `memory`: nothing but the log outlives the process. `service`: the command log too. `disk`: and state in RocksDB. */
export type Mode = 'memory' | 'service' | 'disk';

export interface Slot {
  readonly name: string;
  readonly first: WorldQuery;
  /** What it is edited to. */
  readonly edited: WorldQuery | null;
}

export interface Plan {
  readonly mode: Mode;
  /** Each is followed, or accompanied, by the records of the next phase. */
  readonly events: readonly EventKind[];
  readonly slots: readonly Slot[];
  /** There is one query, so that nobody waits for it because of others, and it is looked at after every phase. */
  readonly isLonely: boolean;
  readonly variants: readonly Variant[];
  readonly seed: number;
}

/** The disk costs several times what a whole world in memory does. */
const MODES: readonly Mode[] = ['memory', 'memory', 'memory', 'service', 'service', 'service'];
const TOPICS: readonly TopicName[] = ['S', 'R', 'T', 'U'];

export function planEvents(random: SeededRandom): Pick<Plan, 'mode' | 'events'> {
  const mode = random.pick<Mode>([...MODES, ...MODES, 'disk']);
  const outlives: readonly EventKind[] = mode === 'memory' ? [] : ['restart', 'kill', 'restart', 'kill'];
  const events: EventKind[] = [];
  for (let left = random.pick([0, 1, 1, 2, 2, 3]); left > 0; left--) {
    // A script is the one that was run before.
    const again: readonly EventKind[] =
      mode === 'memory' && !events.includes('replace') && !events.includes('edit') ? ['rerun'] : [];
    events.push(
      random.pick(['none', 'replace', 'replace', 'edit', 'fail', 'fail', 'pause', ...outlives, ...again]),
    );
  }
  return { mode, events };
}

export function planSlots(
  random: SeededRandom,
  world: World,
  events: readonly EventKind[],
  count: number,
  isLonely: boolean,
): Slot[] {
  const generator = new QueryGenerator(random, world, isLonely ? 25 : 4);
  return Array.from({ length: count }, (_, i) => {
    const first = generator.next();
    const isEdited = (events.includes('edit') || events.includes('rerun')) && random.chance(0.6);
    return { name: `Q${i}`, first, edited: isEdited ? editOf(first, generator) : null };
  });
}

/** Another one that stands alone. */
function editOf(first: WorldQuery, generator: QueryGenerator): WorldQuery | null {
  if (first.before.length > 0) return null;
  for (;;) {
    const query = generator.next();
    if (query.before.length === 0 && query.sink === first.sink) return query;
  }
}

/** A query in the engine, once with the optimizer and once without. */
export interface Running {
  readonly slot: Slot;
  query: WorldQuery;
  /** The item that a replacement has added, or nothing. */
  extra: string;
  /** From which phase on the filter holds. */
  filteredFrom: number;
  select: string;
  /** Why it was refused. */
  refused: string | null;
  readonly lines: Map<Variant, readonly string[]>;
}

export const VARIANTS = ['ON', 'OFF'] as const;
export type Variant = (typeof VARIANTS)[number];

export class History {
  readonly running: Running[];
  /** What went wrong beside results. */
  readonly trouble: string[] = [];
  readonly #world: World;
  readonly #plan: Plan;
  readonly #without: ReadonlySet<Trait>;
  readonly #random: SeededRandom;
  readonly #clock = new ImpatientClock();
  #under!: Log;
  #log!: DisturbedLog;
  #engine!: Engine;
  #directory: string | null = null;
  #phase = 0;
  /** Who had the optimizer has it not, and the other way round. */
  #switched = false;

  constructor(world: World, plan: Plan, without: ReadonlySet<Trait>) {
    this.#world = world;
    this.#plan = plan;
    this.#without = without;
    this.#random = new SeededRandom(plan.seed);
    const isCalm = without.has('interruptions');
    const isEdited = plan.events.includes('edit');
    this.running = plan.slots.map((slot) => {
      const query = isCalm && isEdited && slot.edited !== null ? slot.edited : slot.first;
      const select = query.select('', '');
      return { slot, query, extra: '', filteredFrom: Infinity, select, refused: null, lines: new Map() };
    });
  }

  /** Runs all of it, and calls `look` when everything up to a phase must be there, with the engine open. */
  async run(look: (phase: number) => Promise<void>): Promise<void> {
    const { mode, events, isLonely } = this.#plan;
    if (mode === 'disk') this.#directory = await mkdtemp(join(tmpdir(), 'millrace-history-'));
    this.#under = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
    try {
      for (const topic of TOPICS)
        await this.#under.admin.createTopic({
          name: topic,
          partitions: this.#world.partitions[topic],
          configs: { 'retention.ms': '-1' },
        });
      await this.#open();
      await this.#produce();
      await this.#declare();
      for (const running of this.running) await this.#create(running);
      for (const event of events) {
        if (isLonely) await look(this.#phase - 1);
        else await this.#engine.drain();
        if (this.#without.has('interruptions')) await this.#produce();
        else await this.#happen(event);
      }
      await look(this.#phase - 1);
    } finally {
      this.#log.die();
      await this.#engine.close().catch(() => undefined);
      await this.#under.close();
      if (this.#directory !== null) await rm(this.#directory, { recursive: true, force: true });
    }
  }

  async #happen(event: EventKind): Promise<void> {
    const random = this.#random;
    switch (event) {
      case 'none':
        return this.#produce();
      case 'replace':
        for (const running of this.running) await this.#replace(running);
        return this.#produce();
      case 'edit':
        for (const running of this.running) await this.#edit(running);
        return this.#produce();
      case 'pause':
        await execute(this.#engine, 'PAUSE ALL;');
        await this.#produce();
        await execute(this.#engine, 'RESUME ALL;');
        return;
      case 'fail':
        this.#log.failCommits(random.integer(1, 6), random.pick(['before', 'after']));
        await this.#produce();
        for (let round = 0; round < 3; round++) {
          await this.#engine.drain();
          await this.#untilRunning();
        }
        this.#log.failCommits(0, 'before');
        return this.#untilRunning();
      case 'rerun':
        await this.#engine.close();
        await this.#produce();
        await this.#open();
        await this.#declare();
        await this.#rerun();
        return;
      case 'restart':
        await this.#engine.close();
        await this.#produce();
        return this.#open();
      case 'kill':
        this.#log.dieAtCommit(random.integer(1, 6), random.pick(['before', 'after']));
        await this.#produce();
        await this.#engine.drain().catch(() => undefined);
        this.#log.die();
        await this.#engine.close().catch(() => undefined);
        return this.#open();
    }
  }

  async #untilRunning(): Promise<void> {
    for (;;) {
      const states = [...this.#engine.queries.values()].map(({ state }) => state);
      if (states.every((state) => state === 'RUNNING')) return;
      this.#clock.startAgain();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #open(): Promise<void> {
    this.#log = new DisturbedLog(this.#under);
    this.#engine = await openWorldEngine({
      log: this.#log,
      clock: this.#clock,
      stateDirectory: this.#directory,
      commandLog: this.#plan.mode !== 'memory',
      keepQueries: this.#plan.events.includes('rerun'),
      commitIntervalMs: this.#plan.isLonely ? 30 : 5,
    });
  }

  /** The records of the next phase, all at once. */
  async #produce(): Promise<void> {
    const phase = this.#phase++;
    const writer = await this.#under.openWriter();
    for (const record of this.#world.records) {
      if (record.phase !== phase) continue;
      const key = Buffer.from(String(record.key));
      const text = textOfValue(record);
      const value = text === null ? null : Buffer.from(text);
      writer
        .appender(record)
        .append(
          record.time,
          key,
          0,
          key.length,
          value ?? Buffer.alloc(0),
          value === null ? -1 : 0,
          value?.length ?? -1,
          null,
        );
    }
    await writer.flush();
    await writer.close();
  }

  async #declare(): Promise<void> {
    for (const topic of TOPICS)
      await execute(
        this.#engine,
        `CREATE ${isTable(topic) ? 'TABLE' : 'STREAM'} ${topic} (K INT ${isTable(topic) ? 'PRIMARY KEY' : 'KEY'}, ID INT, G STRING, H INT, F INT, V INT) WITH (KAFKA_TOPIC='${topic}', FORMAT='JSON');`,
      );
  }

  async #execute(variant: Variant, name: string, sql: string): Promise<string | null> {
    const session = newSession();
    if ((variant === 'OFF') !== this.#switched) session.properties.set('ksql.optimizer.enabled', 'false');
    try {
      await execute(this.#engine, sql.replaceAll('@', `${name}_${variant}`), session);
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async #create(running: Running): Promise<void> {
    const { query, slot, select } = running;
    const statements = [...query.before, `CREATE ${query.sink} @ AS ${select};`];
    const refusals: (string | null)[] = [];
    for (const variant of this.#plan.variants) {
      let refusal: string | null = null;
      for (const sql of statements) refusal ??= await this.#execute(variant, slot.name, sql);
      refusals.push(refusal);
    }
    running.refused = refusals[0]!;
    if (refusals.some((each) => (each === null) !== (refusals[0] === null)))
      this.trouble.push(`refused by one of both: ${select}: ${refusals.join(' / ')}`);
  }

  /**
   * The statements of the script in any order, with the optimizer or without. One may be edited, which is refused: it
   * must not go on with what another one has left.
   */
  async #rerun(): Promise<void> {
    const random = this.#random;
    this.#switched = random.chance(0.5);
    const order = this.running.map((running) => ({ running, place: random.next() }));
    for (const { running } of order.toSorted((a, b) => a.place - b.place)) {
      const { slot, query, select, refused } = running;
      if (slot.edited !== null && refused === null && random.chance(0.5))
        for (const variant of this.#plan.variants) {
          const edited = slot.edited.select('', '');
          const refusal = await this.#execute(variant, slot.name, `CREATE ${query.sink} @ AS ${edited};`);
          if (refusal === null && edited !== select)
            this.trouble.push(`a script goes on although ${select} was edited to ${edited}`);
        }
      await this.#create(running);
    }
    this.#switched = false;
  }

  async #replace(running: Running): Promise<void> {
    if (running.refused !== null) return;
    const random = this.#random;
    const { query, slot } = running;
    const kind = random.pick(['same', 'extra', 'filter'] as const);
    // What was added stays.
    if (kind === 'extra' && query.extra !== null) running.extra = `, ${query.extra}`;
    if (kind === 'filter' && query.filter !== null)
      running.filteredFrom = Math.min(running.filteredFrom, this.#phase);
    const filter = running.filteredFrom === Infinity ? '' : query.filter!.sql;
    running.select = query.select(running.extra, filter);
    for (const variant of this.#plan.variants) {
      const sql = `CREATE OR REPLACE ${query.sink} @ AS ${running.select};`;
      const refusal = await this.#execute(variant, slot.name, sql);
      if (refusal !== null) this.trouble.push(`replacement (${kind}) refused: ${variant} ${sql}: ${refusal}`);
    }
  }

  async #edit(running: Running): Promise<void> {
    const { slot } = running;
    if (slot.edited === null) return;
    if (running.refused === null)
      for (const variant of this.#plan.variants) {
        const refusal = await this.#execute(variant, slot.name, `DROP ${running.query.sink} @ DELETE TOPIC;`);
        if (refusal !== null) this.trouble.push(`drop refused: ${refusal}`);
      }
    running.query = slot.edited;
    running.select = running.query.select('', '');
    running.filteredFrom = Infinity;
    running.extra = '';
    await this.#create(running);
  }

  /** Waits for the queries, once, and reads what they have. */
  async read(): Promise<void> {
    await this.#engine.drain();
    for (const running of this.running) {
      if (running.refused !== null) continue;
      for (const variant of this.#plan.variants)
        running.lines.set(variant, await this.#linesOf(running.query, `${running.slot.name}_${variant}`));
    }
  }

  async #linesOf(query: WorldQuery, name: string): Promise<readonly string[]> {
    const { pull, columns, keySize } = query;
    if (pull !== null) {
      const { rows } = await execute(this.#engine, pull.replaceAll('@', name));
      return rows.map((row) => lineOf(row.map((value) => plain(value))));
    }
    const last = new Map<string, string>();
    for (const [i, { value }] of (await readAll(this.#under, name)).entries()) {
      if (value === null) continue;
      const found = JSON.parse(value) as Record<string, number | string | null>;
      const cells = columns.map((column) => found[column]!);
      last.set(keySize === null ? String(i) : lineOf(cells.slice(0, keySize)), lineOf(cells));
    }
    return [...last.values()];
  }
}

function plain(value: unknown): number | string | null {
  return typeof value === 'bigint' ? Number(value) : (value as number | string | null);
}
