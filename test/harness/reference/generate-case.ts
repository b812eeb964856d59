import type { Input, Op, OracleCase } from './oracle-case.ts';
import { SeededRandom } from './seeded-random.ts';

export interface GenerateOptions {
  /** Partitions are drawn from 1 to this. Default 1, as the oracle has it. */
  readonly partitionsMax?: number;
  /** Keys are drawn from at least four and at most this many. Default 4, as the oracle's. */
  readonly keysMax?: number;
}

/** A random topology and its input: the same seed, the same case. The distribution is the oracle's. */
export function generateCase(seed: number, options: GenerateOptions = {}): OracleCase {
  const random = new SeededRandom(seed);
  const partitions = random.int(1, options.partitionsMax ?? 1);
  const { ops, topics } = new TopologyDraft(random).finish();
  const keys = random.int(4, options.keysMax ?? 4);
  return {
    id: seed,
    optimize: random.chance(0.5),
    partitions,
    ops,
    inputs: drawInputs(random, topics, keys, partitions),
  };
}

function drawInputs(
  random: SeededRandom,
  topics: readonly string[],
  keys: number,
  partitions: number,
): Input[] {
  const inputs: Input[] = [];
  let now = 0;
  for (let left = random.int(5, 60); left > 0; left--) {
    now += random.pick([0, 1, 2, 3, 5, 5, 8, 13, 40]);
    const late = random.chance(0.25) ? random.int(1, 40) : 0;
    // Records without a key are spread over partitions as the writer likes: only one partition makes them comparable.
    const key = partitions === 1 && random.chance(0.02) ? null : `k${random.int(0, keys - 1)}`;
    const value = random.chance(0.08) ? null : random.int(0, 20);
    inputs.push({ topic: random.pick(topics), key, value, ts: Math.max(0, now - late) });
  }
  return inputs;
}

class TopologyDraft {
  readonly #random: SeededRandom;
  readonly #ops: Op[] = [];
  readonly #topics: string[] = [];
  readonly #streams: string[] = [];
  readonly #tables: string[] = [];
  readonly #globals: string[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  finish(): { ops: Op[]; topics: string[] } {
    const random = this.#random;
    this.#source('stream', this.#streams);
    for (let more = random.pick([0, 1, 1, 2, 2, 3]); more > 0; more--)
      if (random.chance(0.25)) this.#source('stream', this.#streams);
      else this.#source('table', this.#tables);
    if (random.chance(0.15)) this.#source('globalTable', this.#globals);
    if (this.#globals.length > 0) this.#joinGlobal(this.#streams[0]!);
    for (let steps = random.int(1, 5); steps > 0; steps--) this.#step();
    const used = new Set(this.#ops.flatMap((op) => [op.in, op.with]));
    const leaves = [...this.#streams, ...this.#tables].filter((id) => !used.has(id));
    if (leaves.length === 0) leaves.push(this.#streams.at(-1)!);
    leaves.forEach((id, i) => this.#ops.push({ op: 'to', in: id, topic: `out${i}` }));
    return { ops: this.#ops, topics: this.#topics };
  }

  #step(): void {
    const random = this.#random;
    const streams = this.#streams;
    const tables = this.#tables;
    const kind = random.next();
    if (kind < 0.22) this.#rowByRow(random.pick([...streams, ...tables]));
    else if (kind < 0.32) this.#ofStream(random.pick(streams));
    else if (kind < 0.36 && tables.length > 0) this.#add('toStream', streams, { in: random.pick(tables) });
    else if (kind < 0.58)
      this.#aggregate(random.pick(random.chance(0.3) ? [...streams, ...tables] : streams));
    else if (kind < 0.7) {
      const windows = {
        before: this.#ms(0, 4),
        after: this.#ms(0, 4),
        grace: random.pick([0, this.#ms(0, 4)]),
      };
      const op = random.pick(['join', 'leftJoin', 'outerJoin']);
      this.#add(op, streams, { in: random.pick(streams), with: random.pick(streams), ...windows });
    } else if (kind < 0.78 && tables.length > 0)
      this.#add(random.pick(['join', 'leftJoin']), streams, {
        in: random.pick(streams),
        with: random.pick(tables),
      });
    else if (kind < 0.82 && this.#globals.length > 0) this.#joinGlobal(random.pick(streams));
    else if (tables.length > 1) {
      const left = random.pick(tables);
      const right = random.pick(tables.filter((id) => id !== left));
      const op = random.pick(['join', 'leftJoin', 'outerJoin', 'fkJoin', 'fkLeftJoin']);
      this.#add(op, tables, { in: left, with: right, ...(op.startsWith('fk') && { n: random.int(2, 4) }) });
    }
  }

  #rowByRow(id: string): void {
    const random = this.#random;
    const op = random.pick(['filter', 'filterNot', 'mapValues']);
    const to = this.#streams.includes(id) ? this.#streams : this.#tables;
    if (op === 'mapValues') this.#add(op, to, { in: id, add: random.int(-3, 9) });
    else this.#add(op, to, { in: id, mod: random.int(2, 4), rem: random.int(0, 1) });
  }

  #ofStream(id: string): void {
    const random = this.#random;
    const op = random.pick(['selectKey', 'flatMapValues', 'repartition', 'merge', 'toTable']);
    this.#add(op, op === 'toTable' ? this.#tables : this.#streams, {
      in: id,
      ...((op === 'selectKey' || op === 'flatMapValues') && { n: random.int(2, 4) }),
      ...(op === 'merge' && { with: random.pick(this.#streams) }),
    });
  }

  #aggregate(id: string): void {
    const random = this.#random;
    const isStream = this.#streams.includes(id);
    const grouped =
      isStream && random.chance(0.6)
        ? this.#add('groupByKey', null, { in: id })
        : this.#add('groupBy', null, { in: id, n: random.int(1, 4) });
    if (!isStream) this.#add(random.pick(['count', 'sum']), this.#tables, { in: grouped });
    else if (random.chance(0.35))
      this.#add(random.pick(['count', 'sum', 'reduceMax']), this.#tables, { in: grouped });
    else this.#add('windowedSum', this.#streams, { in: grouped, ...this.#window() });
  }

  #window(): Partial<Op> {
    const random = this.#random;
    const window = random.pick(['tumbling', 'hopping', 'sliding', 'session'] as const);
    const size = this.#ms(1, 8);
    const grace = random.pick([0, 0, this.#ms(0, 3), this.#ms(0, 10)]);
    const advances = Array.from({ length: size }, (_, i) => i + 1).filter(
      (each) => Math.floor(size / each) <= 6,
    );
    const advance = window === 'hopping' ? { advance: random.pick(advances) } : {};
    const emit = random.chance(0.25)
      ? { emit: 'close' as const }
      : random.chance(0.25)
        ? { suppress: true }
        : {};
    return { window, size, grace, ...advance, ...emit };
  }

  #joinGlobal(stream: string): void {
    const random = this.#random;
    const op = random.pick(['join', 'leftJoin']);
    this.#add(op, this.#streams, { in: stream, with: random.pick(this.#globals), n: random.int(2, 4) });
  }

  #source(op: string, to: string[]): void {
    const topic = `t${this.#topics.length}`;
    this.#topics.push(topic);
    this.#add(op, to, { topic });
  }

  #add(op: string, to: string[] | null, options: Partial<Op>): string {
    const id = `n${this.#ops.length + 1}`;
    this.#ops.push({ id, op, ...options });
    to?.push(id);
    return id;
  }

  #ms(low: number, high: number): number {
    return this.#random.int(low, high) * 5;
  }
}
