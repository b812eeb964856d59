import { SqlError } from '../../../src/common/error.ts';
import { SeededRandom } from '../../harness/random.ts';
import {
  difference,
  lastRows,
  lineOf,
  orderedDifference,
  rowOf,
  runBoth,
  SEPARATOR,
} from './compare-results.ts';
import { ExpressionGenerator, generateInput, type GeneratedInput } from './generate-sql.ts';
import { ModelLaws } from './model-laws.ts';
import { type QueryResult, type ResultRow, SqlRunner } from './sql-runner.ts';

/** What one seed did. */
export interface SeedResult {
  /** Generated queries whose laws were checked; each was run several times. */
  readonly checked: number;
  /** Generated queries that the analyzer refused, in every form alike. */
  readonly refused: number;
  /** A text for each law that did not hold. */
  readonly failures: readonly string[];
}

export const QUERIES_PER_SEED = 20;

/** Which law is checked, for draws below the number. */
const LAWS = [
  [0.03, 'counted'],
  [0.08, 'groupParts'],
  [0.14, 'rows'],
  [0.19, 'sink'],
  [0.23, 'groups'],
  [0.27, 'table'],
  [0.31, 'tableGroups'],
  [0.36, 'lookup'],
  [0.4, 'join'],
] as const;

/** Laws in which all records of the tables must be read, by queries that read other columns of them. */
const READABLE: ReadonlySet<string> = new Set(['table', 'tableGroups', 'join', 'lookup']);

/** Those of `ModelLaws`. */
const MODEL_LAWS = [
  [0.53, 'select'],
  [0.67, 'windows'],
  [0.71, 'tableGroups'],
  [0.77, 'streamJoin'],
  [0.82, 'lookup'],
  [0.86, 'tableJoin'],
  [0.89, 'foreignKey'],
  [0.92, 'joinedGroups'],
  [0.95, 'joinedWindows'],
  [0.965, 'windowedJoin'],
  [0.985, 'chain'],
  [1, 'windowedChain'],
] as const;

/**
 * Random queries over random records, held to laws that need no other engine:
 *
 * - **partitioning** (SQLancer's TLP): each row of a query without WHERE is a row of exactly one of `WHERE p`,
 *   `WHERE NOT p` and `WHERE p IS NULL`, with the same values. A condition may fail, for instance by arithmetic with
 *   null; then the row is in none of the three, and dropping it was reported.
 * - **optimizer**: switched off, the same rows come in the same order, but for removals of what is not there.
 * - **streaming is batch**: the last state of a changing result is what plain code makes of the rows at the end.
 */
export async function checkSeed(seed: number): Promise<SeedResult> {
  const input = generateInput(seed);
  const random = new SeededRandom(seed ^ 0x5bd1e995);
  const runner = await SqlRunner.open(input);
  const failures: string[] = [];
  let checked = 0;
  let refused = 0;
  try {
    for (let i = 0; i < QUERIES_PER_SEED; i++) {
      const laws = new Laws(runner, input, random);
      const models = new ModelLaws(runner, input, random);
      const kind = random.next();
      const drawn = LAWS.find(([share]) => kind < share)?.[1];
      const law = drawn !== undefined && input.isWrong && READABLE.has(drawn) ? undefined : drawn;
      const modelLaw = MODEL_LAWS.find(([share]) => kind < share)![1];
      try {
        const reason = law === undefined ? await models[modelLaw]() : await laws[law]();
        if (reason !== null) failures.push(`seed ${seed}, query ${i} (${law ?? modelLaw}): ${reason}`);
        checked++;
      } catch (error) {
        if (error instanceof SqlError) refused++;
        else
          failures.push(
            `seed ${seed}, query ${i} (${law ?? modelLaw}): ${runner.last}\n${error instanceof Error ? error.stack : String(error)}`,
          );
      }
    }
  } finally {
    await runner.close();
  }
  return { checked, refused, failures };
}

class Laws {
  readonly #runner: SqlRunner;
  readonly #input: GeneratedInput;
  readonly #random: SeededRandom;

  constructor(runner: SqlRunner, input: GeneratedInput, random: SeededRandom) {
    this.#runner = runner;
    this.#input = input;
    this.#random = random;
  }

  /** A stream, projected and filtered. */
  async rows(): Promise<string | null> {
    const { select, predicate } = this.#parts('');
    const query = `SELECT ID, ${select.join(', ')} FROM S`;
    const all = await this.#both(query);
    if (typeof all === 'string') return all;
    return this.#partition(query, predicate, all, (rows) => rows, 'S');
  }

  /** As many rows pass WHERE as have the condition true where it is selected (SQLancer's NoREC). */
  async counted(): Promise<string | null> {
    const { predicate } = this.#parts('');
    const shown = await this.#both(`SELECT ID, ${predicate} AS P FROM S`);
    if (typeof shown === 'string') return shown;
    const passed = await this.#both(`SELECT ID FROM S WHERE ${predicate}`);
    if (typeof passed === 'string') return passed;
    const expected = shown.rows.filter(({ values }) => values[1] === 'true').map(({ values }) => values[0]!);
    const different = difference(expected, passed.rows.map(lineOf));
    return different === null ? null : `WHERE ${predicate}: not where it is true: ${different}`;
  }

  /** The groups of the three parts together are the groups of all rows. */
  async groupParts(): Promise<string | null> {
    const generator = new ExpressionGenerator(this.#random, this.#input.columns);
    const key = generator.of(this.#random.pick(['INT', 'STRING', 'BOOLEAN'] as const), 1);
    const argument = generator.of('INT', 2);
    const predicate = generator.predicate(3);
    const query = (where: string): string =>
      `SELECT ${key} AS K, COUNT(*) AS N, COUNT(${argument}) AS C, SUM(${argument}) AS T, MIN(${argument}) AS LEAST, MAX(${argument}) AS MOST, COLLECT_LIST(${argument}) AS L FROM S${where} GROUP BY ${key}`;
    const all = await this.#both(query(''));
    if (typeof all === 'string') return all;
    const parts: string[][] = [];
    for (const condition of [predicate, `NOT ${predicate}`, `${predicate} IS NULL`]) {
      const part = await this.#part(query(` WHERE ${condition}`));
      if (typeof part === 'string') return part;
      // A row whose condition fails is in no part.
      if (part.failedInWhere.size > 0 && condition !== predicate) return null;
      parts.push(...lastRows(part.rows, 1).map((line) => [...rowOf(line).values]));
    }
    const whole = lastRows(all.rows, 1).map((line) => groupText([[...rowOf(line).values]]));
    const keys = [...new Set(parts.map(([each]) => each!))];
    const together = keys.map((each) => groupText(parts.filter(([other]) => other === each)));
    const different = difference(whole, together);
    return different === null ? null : `${query('')} by WHERE ${predicate}: ${different}`;
  }

  /** A table, projected and filtered: what is left at the end is what the last records give. */
  async table(): Promise<string | null> {
    const { select, predicate } = this.#parts('');
    const query = (source: string): string => `SELECT ID, ${select.join(', ')} FROM ${source}`;
    const batch = await this.#run(`${query('LAST_L')} WHERE ${predicate} EMIT CHANGES;`, false);
    const streamed = await this.#both(`${query('L')} WHERE ${predicate}`);
    if (typeof streamed === 'string') return streamed;
    const different = difference(batch.rows.map(lineOf), lastRows(streamed.rows, 1));
    if (different !== null)
      return `${query('L')} WHERE ${predicate}: not what the last rows give: ${different}`;
    const all = await this.#both(query('L'));
    if (typeof all === 'string') return all;
    return this.#partition(
      query('L'),
      predicate,
      all,
      (rows) => lastRows(rows, 1).map((line) => rowOf(line)),
      null,
    );
  }

  /** Groups of a stream. */
  async groups(): Promise<string | null> {
    return this.#grouped('S', 'S', this.#random.chance(0.4) ? 5000 : null);
  }

  /** Groups of a table, whose rows come and go. */
  async tableGroups(): Promise<string | null> {
    return this.#grouped('L', 'LAST_L', null);
  }

  /** What a stream writes, byte for byte: columns that only pass through may be copied, and must not differ. */
  async sink(): Promise<string | null> {
    const { columns } = this.#input;
    const random = this.#random;
    const generator = new ExpressionGenerator(random, columns);
    const source = random.chance(0.4) ? 'W' : 'M';
    const select = columns.filter(() => random.chance(0.6)).map(({ name }) => name);
    if (select.length === 0 || random.chance(0.4))
      select.push(`${generator.of(generator.anyType(), 2)} AS X`);
    const format = random.pick(['JSON', 'JSON', 'JSON', 'DELIMITED']);
    const where = random.chance(0.5) ? '' : ` WHERE ${generator.predicate(2)}`;
    const sql = `CREATE STREAM O WITH (VALUE_FORMAT='${format}') AS SELECT ID, ${select.join(', ')} FROM ${source}${where};`;
    const plain = await this.#runner.runSink(sql, false);
    const optimized = await this.#runner.runSink(sql, true);
    const records = orderedDifference(plain.records, optimized.records);
    if (records !== null) return `${sql} with the optimizer: ${records}`;
    const said = difference(plain.skipped, optimized.skipped);
    return said === null ? null : `${sql} with the optimizer, of skipped records: ${said}`;
  }

  /** A stream that looks up rows of a table, with conditions on both. */
  async lookup(): Promise<string | null> {
    const { columns } = this.#input;
    const sides = ['S.', 'L.'].map((prefix) => new ExpressionGenerator(this.#random, columns, prefix));
    const kind = this.#random.pick(['JOIN', 'LEFT JOIN']);
    const select = sides.map((side) => side.of(side.anyType(), 2));
    const sign = this.#random.pick(['AND', 'OR']);
    const predicate = `(${sides.map((side) => side.predicate(2)).join(` ${sign} `)})`;
    const query = `SELECT S.ID, ${select.join(', ')} FROM S ${kind} L ON S.ID = L.ID`;
    const all = await this.#both(query);
    if (typeof all === 'string') return all;
    return this.#partition(query, predicate, all, (rows) => rows, 'S');
  }

  /** Two tables. */
  async join(): Promise<string | null> {
    const kind = this.#random.pick(['JOIN', 'LEFT JOIN']);
    const { columns } = this.#input;
    const mine = this.#random.pick(columns).name;
    const theirs = this.#random.pick(columns).name;
    const query = `SELECT L.ID, L.${mine}, R.ID, R.${theirs} FROM L ${kind} R ON L.ID = R.ID`;
    const joined = await this.#both(query);
    if (typeof joined === 'string') return joined;
    const left = await this.#run(`SELECT ID, ${mine} FROM LAST_L EMIT CHANGES;`, false);
    const right = await this.#run(`SELECT ID, ${theirs} FROM LAST_R EMIT CHANGES;`, false);
    const found = new Map(right.rows.map(({ values }) => [values[0], values]));
    const batch = left.rows.flatMap(({ values }) => {
      const other = found.get(values[0]);
      if (other === undefined && kind === 'JOIN') return [];
      return [[...values, ...(other ?? ['null', 'null'])].join(' | ')];
    });
    const different = difference(batch, lastRows(joined.rows, 1));
    if (different !== null) return `${query}: not what the last rows give: ${different}`;
    const generator = new ExpressionGenerator(this.#random, columns, 'R.');
    const predicate = generator.predicate(2);
    return this.#partition(
      query,
      predicate,
      joined,
      (rows) => lastRows(rows, 1).map((line) => rowOf(line)),
      null,
    );
  }

  async #grouped(source: string, rowsSource: string, windowMs: number | null): Promise<string | null> {
    const generator = new ExpressionGenerator(this.#random, this.#input.columns);
    const key = generator.of(this.#random.pick(['INT', 'STRING', 'BOOLEAN', 'BIGINT'] as const), 2);
    const argument = generator.of('INT', 2);
    const predicate = generator.predicate(2);
    const isTable = source !== rowsSource;
    const window = windowMs === null ? '' : ` WINDOW TUMBLING (SIZE ${windowMs} MILLISECONDS)`;
    const calls = isTable
      ? ['COUNT(*)', `COUNT(${argument})`, `SUM(${argument})`]
      : ['COUNT(*)', `COUNT(${argument})`, `SUM(${argument})`, `MIN(${argument})`, `MAX(${argument})`];
    const bound = windowMs === null ? [] : ['WINDOWSTART'];
    const query = `SELECT ${[key, ...bound, ...calls].join(', ')} FROM ${source}${window} WHERE ${predicate} GROUP BY ${key}`;
    const rows = await this.#run(
      `SELECT ${key}, ROWTIME, ${argument} FROM ${rowsSource} WHERE ${predicate} EMIT CHANGES;`,
      false,
    );
    const streamed = await this.#both(query);
    if (typeof streamed === 'string') return streamed;
    const found = lastRows(streamed.rows, 1 + bound.length).filter(
      // A group that lost all its rows stays, with a count of zero.
      (line) => rowOf(line).values[1 + bound.length] !== '0',
    );
    const different = difference(batchGroups(rows.rows, windowMs, isTable), found);
    return different === null ? null : `${query}: not what the rows give: ${different}`;
  }

  /** Columns to select and a condition. */
  #parts(prefix: string): { select: readonly string[]; predicate: string } {
    const generator = new ExpressionGenerator(this.#random, this.#input.columns, prefix);
    const select = Array.from({ length: this.#random.integer(1, 3) }, () =>
      generator.of(generator.anyType(), 3),
    );
    return { select, predicate: generator.predicate(3) };
  }

  async #partition(
    query: string,
    predicate: string,
    all: QueryResult,
    finalRows: (rows: readonly ResultRow[]) => readonly ResultRow[],
    stream: string | null,
  ): Promise<string | null> {
    const parts: QueryResult[] = [];
    for (const condition of [predicate, `NOT ${predicate}`, `${predicate} IS NULL`]) {
      const part = await this.#part(`${query} WHERE ${condition}`);
      if (typeof part === 'string') return part;
      parts.push(part);
    }
    const lines = parts.flatMap((part) => finalRows(part.rows).map(lineOf));
    const failed = parts[2]!.failedInWhere;
    const missing: string[] = [];
    for (const row of finalRows(all.rows)) {
      const at = lines.indexOf(lineOf(row));
      if (at >= 0) lines.splice(at, 1);
      // Over tables a failure belongs to a change, and only some change is known to have failed.
      else if (stream === null ? failed.size === 0 : !failed.has(Number(row.values[0])))
        missing.push(lineOf(row));
    }
    if (missing.length === 0 && lines.length === 0) return null;
    return `${query} WHERE ${predicate}: rows in no part: ${missing.join('; ') || 'none'}; rows in too many: ${lines.join('; ') || 'none'}`;
  }

  /** The rules are on trial in one of two; the parts must be right in any case. */
  #part(query: string): Promise<QueryResult | string> {
    return this.#random.chance(0.5) ? this.#both(query) : this.#run(`${query} EMIT CHANGES;`, true);
  }

  #both(query: string): Promise<QueryResult | string> {
    const sql = `${query} EMIT CHANGES;`;
    return runBoth(this.#runner, sql);
  }

  #run(sql: string, optimized: boolean): Promise<QueryResult> {
    return this.#runner.run(sql, optimized);
  }
}

/** Groups of one key as one: counts and sums added, extremes compared, lists together in any order. */
function groupText(groups: readonly (readonly string[])[]): string {
  const numbers = (slot: number): number[] =>
    groups.flatMap(({ [slot]: text }) => (text === 'null' ? [] : [Number(text)]));
  const sum = (slot: number): number => numbers(slot).reduce((total, each) => (total + each) | 0, 0);
  const [least, most] = [numbers(4), numbers(5)];
  const items = groups
    .flatMap(({ [6]: list }) => list!.slice(1, -1).split(','))
    .filter((item) => item !== '');
  return [
    groups[0]![0],
    sum(1),
    sum(2),
    sum(3),
    least.length === 0 ? 'null' : Math.min(...least),
    most.length === 0 ? 'null' : Math.max(...most),
    items.toSorted().join(),
  ].join(SEPARATOR);
}

/** Groups of rows of key, time and INT argument, by plain code. */
function batchGroups(
  rows: readonly ResultRow[],
  windowMs: number | null,
  isTable: boolean,
): readonly string[] {
  const groups = new Map<string, { head: readonly string[]; count: number; values: number[] }>();
  for (const { values } of rows) {
    const [key, time, argument] = values as [string, string, string];
    if (key === 'null') continue;
    const head = windowMs === null ? [key] : [key, String(Math.floor(Number(time) / windowMs) * windowMs)];
    const id = head.join(SEPARATOR);
    const group = groups.get(id) ?? { head, count: 0, values: [] };
    groups.set(id, group);
    group.count++;
    if (argument !== 'null') group.values.push(Number(argument));
  }
  return [...groups.values()].map(({ head, count, values }) => {
    const sum = values.reduce((total, value) => (total + value) | 0, 0);
    const extremes =
      values.length === 0 ? ['null', 'null'] : [String(Math.min(...values)), String(Math.max(...values))];
    return [...head, String(count), String(values.length), String(sum), ...(isTable ? [] : extremes)].join(
      SEPARATOR,
    );
  });
}
