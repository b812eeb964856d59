import { SeededRandom } from '../../harness/reference/seeded-random.ts';
import { KEYS } from './case-functions.ts';
import type { CaseTopic, Input, LibraryCase, Op, TextHeader, ValueType } from './case.ts';
import { PROCESSORS, type ProcessorKind } from './user-processors.ts';

/** A random topology with its input: the same seed, the same case. */
export function generateLibraryCase(seed: number): LibraryCase {
  return new Draft(seed).finish();
}

interface Handle {
  readonly id: string;
  readonly kind: 'stream' | 'table' | 'windowed' | 'global';
  readonly type: ValueType;
  /** Partitions of the tasks that make it. */
  readonly partitions: number;
  readonly rekeyed: boolean;
  /** Whether that many is what a topic of the case has: internal ones get as many as those that they must match. */
  readonly fixed: boolean;
  /** Of tables: the history that they know; 0 for none. */
  readonly history: number;
  /** Its changes come in an order that is not said, or not all of them do: only an output may follow. */
  readonly loose: boolean;
  /** Of windowed tables: whether windows close, and so can be waited for. */
  readonly closes: boolean;
}

type OpFields = Omit<Op, 'id' | 'op' | 'type'>;

const OPS_MAX = 7;

class Draft {
  readonly #random: SeededRandom;
  readonly #seed: number;
  readonly #topics: CaseTopic[] = [];
  readonly #inputs: string[] = [];
  readonly #ops: Op[] = [];
  #handles: Handle[] = [];
  readonly #partitions: number;
  /**
   * Records without a key: what becomes of them at a repartition depends on the outer joins further below, and where
   * a sink puts them is the writer's choice. So neither is in these cases.
   */
  readonly #nullKeys: boolean;

  constructor(seed: number) {
    this.#seed = seed;
    // Seeds that follow each other should have nothing in common.
    this.#random = new SeededRandom((seed * 0x9e3779b1) >>> 0);
    this.#partitions = this.#random.pick([1, 1, 2, 3, 4]);
    this.#nullKeys = this.#random.chance(0.25);
  }

  finish(): LibraryCase {
    const random = this.#random;
    this.#source(random.chance(0.75) ? 'stream' : 'table');
    for (let more = random.pick([0, 0, 1, 1, 2]); more > 0; more--)
      this.#source(random.pick(['stream', 'table', 'table', 'globalTable']));
    for (let steps = random.int(1, OPS_MAX); steps > 0; steps--) this.#step();
    this.#sinks();
    return {
      seed: this.#seed,
      topics: this.#topics,
      ops: this.#ops,
      inputs: this.#drawInputs(),
      reuseTopics: random.chance(0.3),
    };
  }

  #step(): void {
    const random = this.#random;
    const streams = this.#of('stream');
    const tables = this.#of('table');
    const windowed = this.#of('windowed');
    const globals = this.#of('global');
    const choices: (readonly [weight: number, step: () => void])[] = [];
    if (streams.length > 0) {
      choices.push(
        [2, () => this.#plainStream(random.pick(streams))],
        [3, () => this.#processor(random.pick(streams))],
        [2, () => this.#aggregateStream(random.pick(streams))],
        [3, () => this.#windowed(random.pick(streams))],
        [1, () => this.#merge(random.pick(streams), random.pick(streams))],
        [1, () => this.#toTable(random.pick(streams))],
        [1.5, () => this.#cogroup(streams)],
        [1.5, () => this.#joinStreams(random.pick(streams), random.pick(streams))],
      );
      if (tables.length > 0)
        choices.push([2.5, () => this.#joinTable(random.pick(streams), random.pick(tables))]);
      if (globals.length > 0)
        choices.push([4, () => this.#joinGlobal(random.pick(streams), random.pick(globals))]);
    }
    if (tables.length > 0)
      choices.push(
        [1.5, () => this.#plainTable(random.pick(tables))],
        [1.5, () => this.#aggregateTable(random.pick(tables))],
        [1.5, () => this.#suppressTime(random.pick(tables))],
        [0.7, () => this.#toStream(random.pick(tables))],
      );
    if (tables.length > 1) {
      const left = random.pick(tables);
      const right = random.pick(tables.filter(({ id }) => id !== left.id));
      choices.push([2, () => this.#joinTables(left, right)], [1.5, () => this.#foreignKey(left, right)]);
    }
    if (windowed.length > 0) choices.push([3, () => this.#onWindowed(random.pick(windowed))]);
    let at = random.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, step] of choices) {
      at -= weight;
      if (at < 0) return step();
    }
    return undefined;
  }

  #of(kind: Handle['kind']): Handle[] {
    return this.#handles.filter((each) => each.kind === kind && !each.loose);
  }

  #add(op: string, handle: Partial<Handle> & Pick<Handle, 'kind' | 'partitions'>, fields: OpFields): Handle {
    const made: Handle = {
      type: 'text',
      rekeyed: false,
      fixed: false,
      history: 0,
      loose: false,
      closes: false,
      ...handle,
      id: `n${this.#ops.length}`,
    };
    this.#ops.push({ id: made.id, op, type: made.type, ...fields });
    this.#handles.push(made);
    return made;
  }

  #source(op: 'stream' | 'table' | 'globalTable'): void {
    const random = this.#random;
    const name = `in${this.#inputs.length}`;
    const partitions = random.chance(0.8) ? this.#partitions : random.int(1, 4);
    this.#topics.push({ name, partitions });
    this.#inputs.push(name);
    const also = op === 'stream' && random.chance(0.15) ? `${name}-also` : undefined;
    if (also !== undefined) {
      this.#topics.push({ name: also, partitions });
      this.#inputs.push(also);
    }
    if (op === 'stream')
      this.#add(
        op,
        { kind: 'stream', partitions },
        { topic: name, ...(also !== undefined && { also }), ...(random.chance(0.2) && { extracts: true }) },
      );
    else if (op === 'globalTable') this.#add(op, { kind: 'global', partitions }, { topic: name });
    else this.#add(op, { kind: 'table', partitions, fixed: true }, { topic: name });
    if (op !== 'table') return;
    this.#keepLast(0.6);
  }

  /** Gives the table that was added last a store of its own, perhaps of versions. */
  #keepLast(chance: number): void {
    const random = this.#random;
    if (!random.chance(chance)) return;
    const op = this.#ops.at(-1)!;
    const handle = this.#handles.at(-1)!;
    const history = random.chance(0.4) ? random.pick([0, 10, 40, 1000]) : undefined;
    this.#ops[this.#ops.length - 1] = {
      ...op,
      store: `${op.id}-store`,
      ...(history !== undefined && { history }),
    };
    this.#handles[this.#handles.length - 1] = {
      ...handle,
      history: history === undefined ? 0 : Math.max(history, 0.5),
    };
  }

  #plainStream(from: Handle): void {
    const random = this.#random;
    const op = random.pick([
      'filter',
      'filterNot',
      'mapValues',
      'map',
      'flatMap',
      'flatMapValues',
      'selectKey',
      'selectKey',
      'repartition',
      'branch',
    ]);
    const base = {
      kind: 'stream',
      partitions: from.partitions,
      rekeyed: from.rekeyed,
      type: from.type,
    } as const;
    const fields = { in: from.id };
    if (op === 'filter' || op === 'filterNot' || op === 'branch')
      this.#add(op, base, { ...fields, mod: random.int(2, 4), rem: random.int(0, 1) });
    else if (op === 'mapValues')
      this.#add(op, { ...base, type: 'text' }, { ...fields, add: random.int(0, 9) });
    else if (op === 'flatMapValues')
      this.#add(op, { ...base, type: 'text' }, { ...fields, n: random.int(2, 4) });
    else if (op === 'map' || op === 'flatMap')
      this.#add(op, { ...base, type: 'text', rekeyed: true }, { ...fields, n: random.int(2, 8) });
    else if (op === 'selectKey')
      this.#add(op, { ...base, rekeyed: true }, { ...fields, n: random.int(2, 8) });
    else this.#repartition(from, random.int(1, 4));
  }

  #repartition(from: Handle, partitions: number): Handle {
    return this.#add(
      'repartition',
      { kind: 'stream', partitions, type: from.type },
      { in: from.id, partitions, ...(this.#random.chance(0.2) && { scatters: true }) },
    );
  }

  #processor(given: Handle): void {
    const random = this.#random;
    const from = this.#asText(given);
    const kind = random.pick(Object.keys(PROCESSORS)) as ProcessorKind;
    const { schedules, keepsKey, store } = PROCESSORS[kind];
    const fixed = keepsKey && random.chance(0.5);
    const sharing = this.#ops.filter(
      (op) =>
        op.kind !== undefined &&
        PROCESSORS[op.kind].store === 'key-value' &&
        op.shares === undefined &&
        this.#handles.find(({ id }) => id === op.id)!.partitions === from.partitions,
    );
    const shares = store === 'key-value' && sharing.length > 0 && random.chance(0.4);
    this.#add(
      fixed ? 'processValues' : 'process',
      { kind: 'stream', partitions: from.partitions, rekeyed: from.rekeyed || !fixed },
      {
        in: from.id,
        kind,
        ...(shares && { shares: random.pick(sharing).id }),
        ...(schedules && {
          every: random.pick([5, 20, 100]),
          clock: random.pick(['stream-time', 'wall-clock']),
        }),
      },
    );
  }

  /** What comes out of processors is text, some of it as it was. */
  #asText(from: Handle): Handle {
    if (from.type === 'text') return from;
    const { kind, partitions, rekeyed } = from;
    return this.#add('mapValues', { kind, partitions, rekeyed }, { in: from.id, add: 0 });
  }

  #merge(left: Handle, right: Handle): void {
    if (left.type !== right.type || left.id === right.id) return;
    // Tasks of streams that meet count for all that leaves them.
    const other = this.#matched(right, left.partitions);
    this.#add(
      'merge',
      {
        kind: 'stream',
        type: left.type,
        partitions: left.partitions,
        rekeyed: left.rekeyed || other.rekeyed,
      },
      { in: left.id, with: other.id },
    );
  }

  #toTable(from: Handle): void {
    this.#add('toTable', { kind: 'table', partitions: from.partitions, type: from.type }, { in: from.id });
    this.#keepLast(0.6);
  }

  #toStream(from: Handle): void {
    this.#add('toStream', { kind: 'stream', partitions: from.partitions, type: from.type }, { in: from.id });
  }

  /** Sometimes by a new key. */
  #grouping(): OpFields {
    return this.#random.chance(0.5) ? { n: this.#random.int(1, 8) } : {};
  }

  #aggregateStream(from: Handle): void {
    const random = this.#random;
    const aggregate = random.pick(
      from.type === 'text' ? (['count', 'reduce', 'aggregate'] as const) : (['count', 'aggregate'] as const),
    );
    const coalesced = random.chance(0.15);
    this.#add(
      coalesced ? 'coalesced' : 'aggregate',
      { kind: 'table', partitions: from.partitions, type: typeOf(aggregate), loose: coalesced },
      { in: from.id, aggregate, ...this.#grouping() },
    );
    if (!coalesced) this.#keepLast(0.3);
  }

  #aggregateTable(from: Handle): void {
    const random = this.#random;
    const aggregate = random.pick(
      from.type === 'text' ? (['count', 'reduce', 'aggregate'] as const) : (['count', 'aggregate'] as const),
    );
    this.#add(
      'aggregateTable',
      { kind: 'table', partitions: from.partitions, type: typeOf(aggregate) },
      { in: from.id, aggregate, n: random.int(1, 8) },
    );
    this.#keepLast(0.3);
  }

  #window(emits: boolean): OpFields & { window: NonNullable<Op['window']> } {
    const random = this.#random;
    const window = random.pick(['tumbling', 'hopping', 'session', 'sliding', 'custom'] as const);
    const size = random.int(1, 8) * 5;
    // Which sliding windows a late record still changes depends on those that were made before: the oracle knows.
    if (window === 'sliding') return { window, size, grace: 1_000_000, emit: 'update' };
    const grace = random.pick([0, 0, 5, 15, 50]);
    return {
      window,
      size,
      grace,
      ...(window === 'hopping' && { advance: random.pick([size, Math.ceil(size / 2), Math.ceil(size / 3)]) }),
      emit: emits && window !== 'custom' && random.chance(0.3) ? 'close' : 'update',
    };
  }

  #windowed(from: Handle): void {
    const random = this.#random;
    const aggregate = random.pick(
      from.type === 'text' ? (['count', 'reduce', 'aggregate'] as const) : (['count', 'aggregate'] as const),
    );
    const window = this.#window(true);
    this.#add(
      'windowed',
      {
        kind: 'windowed',
        partitions: from.partitions,
        type: typeOf(aggregate),
        closes: window.emit === 'update' && window.window !== 'sliding',
        loose: window.window === 'sliding' && window.emit === 'update',
      },
      { in: from.id, aggregate, ...this.#grouping(), ...window },
    );
    if (random.chance(0.4)) this.#suppressClose(this.#handles.at(-1)!);
  }

  #cogroup(streams: readonly Handle[]): void {
    const random = this.#random;
    const first = random.pick(streams);
    const members = [first];
    for (const each of streams)
      if (members.length < 3 && each !== first && each.partitions === first.partitions && random.chance(0.7))
        members.push(each);
    // One key for all: a rekeyed stream goes through a topic, which all of them share the number of partitions with.
    const fields = { members: members.map(({ id }) => id) };
    if (random.chance(0.5)) {
      this.#add('cogroup', { kind: 'table', partitions: first.partitions, type: 'list' }, fields);
      return;
    }
    const window = this.#window(false);
    this.#add(
      'cogroup',
      {
        kind: 'windowed',
        partitions: first.partitions,
        type: 'list',
        closes: window.window !== 'sliding',
        loose: window.window === 'sliding',
      },
      { ...fields, ...window },
    );
  }

  #suppressClose(from: Handle): void {
    if (!from.closes) return;
    this.#add(
      'suppressClose',
      { kind: 'windowed', partitions: from.partitions, type: from.type },
      { in: from.id },
    );
  }

  #suppressTime(from: Handle): void {
    const random = this.#random;
    if (from.history > 0) return;
    const bound = random.next();
    this.#add(
      'suppressTime',
      { kind: from.kind, partitions: from.partitions, type: from.type },
      {
        in: from.id,
        wait: random.pick([0, 5, 20, 100, 100_000]),
        ...(bound < 0.4 && { recordsMax: random.int(1, 4) }),
        ...(bound >= 0.4 && bound < 0.7 && { bytesMax: random.pick([1, 60, 200]) }),
      },
    );
  }

  #onWindowed(from: Handle): void {
    const random = this.#random;
    const step = random.next();
    const base = {
      kind: 'windowed',
      partitions: from.partitions,
      type: from.type,
      closes: from.closes,
    } as const;
    if (step < 0.25) this.#suppressClose(from);
    else if (step < 0.4) this.#suppressTime(from);
    else if (step < 0.5)
      this.#add('mapTable', { ...base, type: 'text' }, { in: from.id, add: random.int(0, 9) });
    else if (step < 0.6)
      this.#add('filterTable', base, { in: from.id, mod: random.int(2, 3), rem: random.int(0, 1) });
    else
      this.#add(
        'windowedToStream',
        { kind: 'stream', partitions: from.partitions, type: from.type, rekeyed: true },
        { in: from.id },
      );
  }

  #plainTable(from: Handle): void {
    const random = this.#random;
    const op = random.pick(['filterTable', 'filterNotTable', 'mapTable', 'transformTable']);
    const base = {
      kind: 'table',
      partitions: from.partitions,
      type: from.type,
      fixed: from.fixed,
      history: from.history,
    } as const;
    if (op === 'mapTable') this.#add(op, { ...base, type: 'text' }, { in: from.id, add: random.int(0, 9) });
    else if (op === 'transformTable') {
      const made = this.#add(op, { ...base, type: 'text', history: 0 }, { in: from.id });
      this.#ops[this.#ops.length - 1] = { ...this.#ops.at(-1)!, store: `${made.id}-store` };
      return;
    } else this.#add(op, base, { in: from.id, mod: random.int(2, 4), rem: random.int(0, 1) });
    this.#keepLast(0.4);
  }

  #joinStreams(left: Handle, right: Handle): void {
    const random = this.#random;
    const ms = (): number => random.int(0, 4) * 5;
    const op = this.#nullKeys
      ? 'joinStreams'
      : random.pick(['joinStreams', 'leftJoinStreams', 'outerJoinStreams']);
    const [before, after] = [ms(), ms()];
    const matched = this.#matched(right, left.partitions);
    this.#add(
      op,
      { kind: 'stream', partitions: left.partitions },
      { in: left.id, with: matched.id, before, after, grace: random.pick([0, 5, 20]) },
    );
  }

  /** The stream with so many partitions. */
  #matched(stream: Handle, partitions: number): Handle {
    return stream.partitions === partitions ? stream : this.#repartition(stream, partitions);
  }

  #joinTable(from: Handle, table: Handle): void {
    const random = this.#random;
    const stream = this.#matched(from, table.partitions);
    const grace =
      table.history >= 1 && random.chance(0.8) ? random.int(0, Math.min(table.history, 30)) : undefined;
    this.#add(
      this.#nullKeys ? 'joinTable' : random.pick(['joinTable', 'leftJoinTable']),
      { kind: 'stream', partitions: stream.partitions },
      { in: stream.id, with: table.id, ...(grace !== undefined && { grace }) },
    );
  }

  #joinGlobal(stream: Handle, table: Handle): void {
    this.#add(
      this.#nullKeys ? 'joinGlobal' : this.#random.pick(['joinGlobal', 'leftJoinGlobal']),
      { kind: 'stream', partitions: stream.partitions, rekeyed: stream.rekeyed },
      { in: stream.id, with: table.id, n: this.#random.int(2, 8) },
    );
  }

  #joinTables(left: Handle, right: Handle): void {
    if (left.partitions !== right.partitions) return;
    const op = this.#random.pick(['joinTables', 'leftJoinTables', 'outerJoinTables']);
    this.#add(op, { kind: 'table', partitions: left.partitions }, { in: left.id, with: right.id });
    this.#keepLast(0.4);
  }

  #foreignKey(left: Handle, right: Handle): void {
    if (left.partitions !== right.partitions && !(left.fixed && right.fixed)) return;
    this.#add(
      this.#random.pick(['foreignKey', 'leftForeignKey']),
      { kind: 'table', partitions: left.partitions },
      { in: left.id, with: right.id, n: this.#random.int(2, 8) },
    );
    this.#keepLast(0.4);
  }

  #sinks(): void {
    const used = new Set(this.#ops.flatMap((op) => [op.in, op.with, ...(op.members ?? [])]));
    const leaves = this.#handles.filter((each) => !used.has(each.id) && each.kind !== 'global');
    // Something in the middle, too: several children of one node.
    const inner = this.#handles.filter((each) => used.has(each.id) && each.kind !== 'global' && !each.loose);
    if (inner.length > 0 && (leaves.length === 0 || this.#random.chance(0.3)))
      leaves.push(this.#random.pick(inner));
    leaves.forEach((leaf, i) => {
      const topic = `out${i}`;
      const partitions = this.#nullKeys ? 1 : this.#random.int(1, 3);
      this.#topics.push({ name: topic, partitions });
      const scatters = this.#random.chance(0.15) && !leaf.loose;
      this.#ops.push({
        id: `n${this.#ops.length}`,
        op: 'to',
        in: leaf.id,
        topic,
        type: leaf.type,
        ...(scatters && { scatters }),
      });
    });
  }

  #drawInputs(): Input[] {
    const random = this.#random;
    const inputs: Input[] = [];
    const keys = random.int(2, KEYS.length);
    const hasHeaders = random.chance(0.6);
    const jumps = random.chance(0.3);
    let now = random.pick([0, 0, 7, 1000]);
    for (let left = random.int(10, 70); left > 0; left--) {
      now += random.pick([0, 0, 0, 1, 2, 3, 5, 8, 13, 40]);
      if (jumps && random.chance(0.05)) now += random.pick([100, 500, 10_000]);
      const late = random.chance(0.25) ? random.int(1, 40) : 0;
      const name = random.pick(this.#inputs);
      const { partitions } = this.#topics.find((each) => each.name === name)!;
      const key = this.#nullKeys && random.chance(0.06) ? null : KEYS[random.int(0, keys - 1)]!;
      const value = random.chance(0.1)
        ? null
        : random.pick(['a', 'b', 'c', 'd', '', 'e5', 'straße']) + random.int(0, 9);
      inputs.push({
        topic: name,
        partition: key === null ? random.int(0, partitions - 1) : -1,
        key,
        value,
        ts: Math.max(0, now - late),
        headers: hasHeaders && random.chance(0.5) ? this.#headers() : [],
      });
    }
    return inputs;
  }

  #headers(): TextHeader[] {
    const random = this.#random;
    return Array.from({ length: random.int(1, 3) }, () => [
      random.pick(['h', 'h', 'id', '']),
      random.pick([null, '', 'x', 'é', 'a longer value'.repeat(3)]),
    ]);
  }
}

function typeOf(aggregate: NonNullable<Op['aggregate']>): ValueType {
  return aggregate === 'count' ? 'long' : aggregate === 'reduce' ? 'text' : 'list';
}
