import type { OracleCase, OracleInput, OracleOp } from './oracle-cases.ts';
import { SeededRandom } from './random.ts';

/**
 * A random topology and its input, of the shape that the Kafka Streams oracle reads (its `generate` makes others from
 * the same seed). The same seed gives the same case.
 */
export function randomCase(seed: number): OracleCase {
  const random = new SeededRandom(seed);
  const ops: OracleOp[] = [];
  const streams: string[] = [];
  const tables: string[] = [];
  const globals: string[] = [];
  const topics: string[] = [];
  let count = 0;
  const add = (op: string, to: string[] | null, options: Record<string, unknown> = {}): string => {
    const id = `n${++count}`;
    ops.push({ id, op, ...options });
    to?.push(id);
    return id;
  };
  const source = (kind: string, to: string[]): void => {
    const topic = `t${topics.length}`;
    topics.push(topic);
    add(kind, to, { topic });
  };
  const ms = (low: number, high: number): number => random.integer(low, high) * 5;

  source('stream', streams);
  for (let i = random.pick([0, 1, 1, 2, 2, 3]); i > 0; i--)
    if (random.chance(0.25)) source('stream', streams);
    else source('table', tables);
  if (random.chance(0.15)) source('globalTable', globals);

  const windowed = (grouped: string): void => {
    const window = random.pick(['tumbling', 'hopping', 'sliding', 'session']);
    const size = ms(1, 8);
    const options: Record<string, unknown> = {
      in: grouped,
      window,
      size,
      grace: random.pick([0, 0, ms(0, 3), ms(0, 10)]),
    };
    if (window === 'hopping') options['advance'] = random.integer(Math.max(1, Math.ceil(size / 6)), size);
    const final = random.next();
    if (final < 0.25) options['emit'] = 'close';
    else if (final < 0.45) options['suppress'] = true;
    add('windowedSum', streams, options);
  };
  const transform = (): void => {
    const from = random.pick([...streams, ...tables]);
    const op = random.pick(['filter', 'filterNot', 'mapValues']);
    const options =
      op === 'mapValues'
        ? { add: random.integer(-3, 9) }
        : { mod: random.integer(2, 4), rem: random.integer(0, 1) };
    add(op, streams.includes(from) ? streams : tables, { in: from, ...options });
  };
  const reshape = (): void => {
    const op = random.pick(['selectKey', 'flatMapValues', 'repartition', 'merge', 'toTable']);
    const options: Record<string, unknown> = { in: random.pick(streams) };
    if (op === 'selectKey' || op === 'flatMapValues') options['n'] = random.integer(2, 4);
    if (op === 'merge') options['with'] = random.pick(streams);
    add(op, op === 'toTable' ? tables : streams, options);
  };
  const aggregate = (): void => {
    const from = random.pick(random.chance(0.3) ? [...streams, ...tables] : streams);
    const isStream = streams.includes(from);
    const grouped =
      isStream && random.chance(0.6)
        ? add('groupByKey', null, { in: from })
        : add('groupBy', null, { in: from, n: random.integer(1, 4) });
    if (!isStream) add(random.pick(['count', 'sum']), tables, { in: grouped });
    else if (random.chance(0.35)) add(random.pick(['count', 'sum', 'reduceMax']), tables, { in: grouped });
    else windowed(grouped);
  };
  const step = (): void => {
    const kind = random.next();
    if (kind < 0.22) transform();
    else if (kind < 0.32) reshape();
    else if (kind < 0.36 && tables.length > 0) add('toStream', streams, { in: random.pick(tables) });
    else if (kind < 0.58) aggregate();
    else if (kind < 0.7)
      add(random.pick(['join', 'leftJoin', 'outerJoin']), streams, {
        in: random.pick(streams),
        with: random.pick(streams),
        before: ms(0, 4),
        after: ms(0, 4),
        grace: random.pick([0, ms(0, 4)]),
      });
    else if (kind < 0.78 && tables.length > 0)
      add(random.pick(['join', 'leftJoin']), streams, {
        in: random.pick(streams),
        with: random.pick(tables),
      });
    else if (kind < 0.82 && globals.length > 0) joinGlobal();
    else if (tables.length > 1) {
      const left = random.pick(tables);
      const right = random.pick(tables.filter((table) => table !== left));
      const op = random.pick(['join', 'leftJoin', 'outerJoin', 'fkJoin', 'fkLeftJoin']);
      add(op, tables, { in: left, with: right, ...(op.startsWith('fk') && { n: random.integer(2, 4) }) });
    }
  };
  const joinGlobal = (): string =>
    add(random.pick(['join', 'leftJoin']), streams, {
      in: random.pick(streams),
      with: globals[0],
      n: random.integer(2, 4),
    });

  if (globals.length > 0) joinGlobal();
  for (let i = random.integer(1, 5); i > 0; i--) step();
  const used = new Set(ops.flatMap((op) => [op.in, op.with]));
  const leaves = [...streams, ...tables].filter((id) => !used.has(id));
  for (const [i, id] of (leaves.length > 0 ? leaves : [streams.at(-1)!]).entries())
    ops.push({ op: 'to', in: id, topic: `out${i}` });

  const inputs: OracleInput[] = [];
  let now = 0;
  for (let i = random.integer(5, 60); i > 0; i--) {
    now += random.pick([0, 1, 2, 3, 5, 5, 8, 13, 40]);
    const ts = Math.max(0, now - (random.chance(0.25) ? random.integer(1, 40) : 0));
    inputs.push({
      topic: random.pick(topics),
      key: random.chance(0.02) ? null : `k${random.integer(0, 3)}`,
      value: random.chance(0.08) ? null : random.integer(0, 20),
      ts,
    });
    if (random.chance(0.03)) inputs.push({ wall: random.integer(1, 2000) });
  }
  return { id: seed, optimize: random.chance(0.5), ops, inputs };
}
