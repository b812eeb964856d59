import { SeededRandom } from '../../harness/random.ts';
import { Fixed, jsonText, type ModelValue } from './model-value.ts';

/** The types of generated columns and expressions, as SQL writes them. */
const TYPES = [
  'INT',
  'BIGINT',
  'DOUBLE',
  'DECIMAL(6, 2)',
  'STRING',
  'BOOLEAN',
  'DATE',
  'TIMESTAMP',
  'ARRAY<INT>',
  'MAP<STRING, INT>',
  'STRUCT<A INT, B STRING>',
  'TIME',
  'BYTES',
] as const;
export type GeneratedType = (typeof TYPES)[number];

const SCALARS: readonly GeneratedType[] = TYPES.slice(0, 8);
const NUMBERS: readonly GeneratedType[] = ['INT', 'BIGINT', 'DOUBLE', 'DECIMAL(6, 2)'];

export interface GeneratedColumn {
  readonly name: string;
  readonly type: GeneratedType;
}

export interface GeneratedRecord {
  /** Null: no key. */
  readonly id: number | null;
  /** By column name; null: no value at all. */
  readonly value: Readonly<Record<string, ModelValue>> | null;
  readonly timestamp: number;
  /** The value is written as this text instead, which cannot be read, if only for one of its columns. */
  readonly wrong?: string;
  /** The key is written as this text, which is none. */
  readonly wrongKey?: string;
}

/**
 * Columns and records: changes of two tables with few ids, and later a stream's, whose ids are 0, 1, 2, ….
 * `events` are two streams with few ids and some null keys, no values, wrong values, and records out of order.
 */
export interface GeneratedInput {
  readonly columns: readonly GeneratedColumn[];
  /** Some records of the events and tables have columns, or keys, that cannot be read. */
  readonly isWrong: boolean;
  readonly stream: readonly GeneratedRecord[];
  readonly left: readonly GeneratedRecord[];
  readonly right: readonly GeneratedRecord[];
  readonly third: readonly GeneratedRecord[];
  readonly events: readonly [readonly GeneratedRecord[], readonly GeneratedRecord[]];
}

/** How far an event's time is from its place in the stream, at most. */
export const JITTER_MS = 3000;
/** Events begin when the tables are complete. */
const EVENTS_MS = 100_000;

export function generateInput(seed: number): GeneratedInput {
  const random = new SeededRandom(seed);
  const columns = TYPES.flatMap((type, i): GeneratedColumn[] => {
    const count = i < 6 ? random.integer(1, 2) : random.integer(0, 1);
    return Array.from({ length: count }, (_, n) => ({ name: `C${i}_${n}`, type }));
  });
  const values = (): Record<string, ModelValue> =>
    Object.fromEntries(columns.map(({ name, type }) => [name, valueOf(type, random)]));
  const record = (id: number, i: number, hasValue: boolean): GeneratedRecord => ({
    id,
    timestamp: i * 1000 + random.integer(0, 500),
    value: hasValue ? values() : null,
  });
  const isWrong = random.chance(0.4);
  const event = (i: number, side: number): GeneratedRecord => {
    const value = random.chance(0.06) ? null : values();
    const place =
      EVENTS_MS + i * 1000 + (random.chance(0.3) ? random.integer(-JITTER_MS, 0) : random.integer(0, 500));
    const made: GeneratedRecord = {
      id: random.chance(0.05) ? null : random.integer(0, 3),
      // No two events are of the same time.
      timestamp: (Math.floor(place / 32) * 16 + i) * 2 + side,
      value,
    };
    if (!isWrong) return made;
    if (random.chance(0.04)) return { ...made, id: 0, wrongKey: random.pick(['x', '{}', '[1]']) };
    return value !== null && random.chance(0.15)
      ? { ...made, wrong: wrongText(value, columns, random) }
      : made;
  };
  const change = (i: number): GeneratedRecord => {
    const made = record(random.integer(0, 5), i, random.chance(0.85));
    if (!isWrong || made.value === null || !random.chance(0.1)) return made;
    return { ...made, wrong: wrongText(made.value, columns, random) };
  };
  const changes = (): GeneratedRecord[] => Array.from({ length: 14 }, (_, i) => change(i));
  const stream = Array.from({ length: 12 }, (_, i) => record(i, 100 + i, true));
  const [left, right, third] = [changes(), changes(), changes()];
  const events = (side: number): GeneratedRecord[] => Array.from({ length: 16 }, (_, i) => event(i, side));
  return { columns, isWrong, stream, left, right, third, events: [events(0), events(1)] };
}

/** A value in which one column, or all, cannot be read. */
function wrongText(
  value: Readonly<Record<string, ModelValue>>,
  columns: readonly GeneratedColumn[],
  random: SeededRandom,
): string {
  if (random.chance(0.3)) return random.pick(['oops', '[1]', '7']);
  const column = random.pick(columns.filter(({ type }) => type !== 'STRING'));
  const wrong = /^(?:ARRAY|MAP)/.test(column.type)
    ? '"x"'
    : random.pick(column.type.startsWith('STRUCT') ? ['[1]', '"x"'] : ['{}', '[1]', '"x!"']);
  const fields = Object.entries(value).map(
    ([name, each]) => `${JSON.stringify(name)}:${name === column.name ? wrong : jsonText(each)}`,
  );
  return `{${fields.join(',')}}`;
}

/**
 * JSON text of a record that a careless writer could have made: blanks, names in lower case, escapes, fields twice or
 * not declared, numbers in quotes or with a fraction; `wrong`: also values of other types.
 */
export function messyJson(
  record: Readonly<Record<string, ModelValue>>,
  random: SeededRandom,
  wrong: boolean,
): string {
  const blank = (): string => (random.chance(0.15) ? random.pick([' ', '\n', '\t ']) : '');
  const write = (value: ModelValue): string => {
    if (Array.isArray(value))
      return `[${blank()}${value.map(write).join(`${blank()},${blank()}`)}${blank()}]`;
    if (
      typeof value === 'object' &&
      value !== null &&
      !(value instanceof Fixed) &&
      !(value instanceof Uint8Array)
    )
      return object(
        value instanceof Map ? Object.fromEntries(value) : (value as Record<string, ModelValue>),
        '7',
      );
    if (wrong && random.chance(0.02))
      return random.pick(['"x"', '{}', '[1]', 'true', '1.5', '12345678901234567890']);
    const text = jsonText(value);
    if (typeof value === 'number' && random.chance(0.15))
      return random.pick([`"${text}"`, Number.isInteger(value) ? `${text}.0` : text, `${text}e0`]);
    if (typeof value === 'string' && value !== '' && random.chance(0.2))
      return `"\\u${value.charCodeAt(0).toString(16).padStart(4, '0')}${JSON.stringify(value.slice(1)).slice(1)}`;
    return text;
  };
  const object = (fields: Readonly<Record<string, ModelValue>>, extra: string): string => {
    const parts = Object.entries(fields).flatMap(([name, value]) => {
      if (random.chance(0.05)) return [];
      const written = random.chance(0.1) && name.length > 1 ? name.toLowerCase() : name;
      const part = `${blank()}${JSON.stringify(written)}${blank()}:${blank()}${write(value)}${blank()}`;
      if (random.chance(0.03)) return [part, `${JSON.stringify(name)}:${write(value)}`];
      return random.chance(0.05) ? [part, `"EXTRA":${extra}`] : [part];
    });
    return `{${parts.join(',')}}`;
  };
  return object(record, '{"A":[1,"}"]}');
}

/** Values repeat, so that groups and comparisons find something. */
function valueOf(type: GeneratedType, random: SeededRandom): ModelValue {
  if (random.chance(0.2)) return null;
  switch (type) {
    case 'INT':
      return random.pick([0, 1, 2, 3, -1, -7, 100, 2147483647]);
    case 'BIGINT':
      return random.pick([
        0n,
        1n,
        2n,
        -3n,
        4294967296n,
        9007199254740993n,
        -9007199254740995n,
        9223372036854775807n,
      ]);
    case 'DOUBLE':
      return random.pick([0, -0.5, 1.5, 2, 1e10, -3.25]);
    case 'DECIMAL(6, 2)':
      return new Fixed(random.pick([0n, 150n, -225n, 999999n]), 2);
    case 'STRING':
      return random.pick(['', 'a', 'b', 'ab', 'A%', '1', '-2.5', 'true', 'ä\u{1f600}', '2020-01-02']);
    case 'BOOLEAN':
      return random.chance(0.5);
    case 'DATE':
      return random.pick([0, 1, 18263, -1]);
    case 'TIME':
      return random.pick([0, 1000, 3723000, 86_399_999]);
    case 'TIMESTAMP':
      return random.pick([0, 1, 1577923200000, -1]);
    case 'BYTES':
      return Buffer.from(random.pick(['', 'ab', 'b']));
    case 'ARRAY<INT>':
      return Array.from({ length: random.integer(0, 3) }, () => valueOf('INT', random));
    case 'MAP<STRING, INT>':
      return new Map(
        ['a', 'b', 'k'].filter(() => random.chance(0.5)).map((key) => [key, valueOf('INT', random)]),
      );
    case 'STRUCT<A INT, B STRING>':
      return { A: valueOf('INT', random), B: valueOf('STRING', random) };
  }
}

/** Expressions over the columns of a source, in the language as documented. */
export class ExpressionGenerator {
  readonly #random: SeededRandom;
  readonly #columns: readonly GeneratedColumn[];
  readonly #prefix: string;

  constructor(random: SeededRandom, columns: readonly GeneratedColumn[], prefix = '') {
    this.#random = random;
    this.#columns = columns;
    this.#prefix = prefix;
  }

  scalarType(): GeneratedType {
    return this.#random.pick(SCALARS);
  }

  anyType(): GeneratedType {
    return this.#random.pick(TYPES);
  }

  printableType(): GeneratedType {
    return this.#random.pick(TYPES.slice(0, -1));
  }

  /** An expression of the type, at most `depth` operations deep. */
  of(type: GeneratedType, depth: number): string {
    const random = this.#random;
    if (depth <= 0 || random.chance(0.15)) return this.#leaf(type);
    const deeper = (other: GeneratedType): string => this.of(other, depth - 1);
    if (random.chance(0.25)) {
      return random.pick([
        () => `CASE WHEN ${deeper('BOOLEAN')} THEN ${deeper(type)} ELSE ${deeper(type)} END`,
        () => `CASE WHEN ${deeper('BOOLEAN')} THEN ${deeper(type)} END`,
        () => `COALESCE(${deeper(type)}, ${deeper(type)})`,
        () => `IFNULL(${deeper(type)}, ${deeper(type)})`,
        () => `NULLIF(${deeper(type)}, ${deeper(type)})`,
      ])();
    }
    switch (type) {
      case 'INT':
        return random.pick([
          () => `(${deeper('INT')} ${random.pick(['+', '-', '*', '/', '%'])} ${deeper('INT')})`,
          () => `LEN(${deeper('STRING')})`,
          () => `INSTR(${deeper('STRING')}, ${deeper('STRING')})`,
          () => `CAST(${deeper(random.pick(['BIGINT', 'DOUBLE', 'STRING', 'DECIMAL(6, 2)']))} AS INT)`,
          () => `${this.of('ARRAY<INT>', 0)}[${deeper('INT')}]`,
          () => `${this.of('MAP<STRING, INT>', 0)}[${deeper('STRING')}]`,
          () => `${this.of('STRUCT<A INT, B STRING>', 0)}->A`,
          () => `ARRAY_LENGTH(${deeper('ARRAY<INT>')})`,
          () => `REDUCE(${deeper('ARRAY<INT>')}, ${deeper('INT')}, (S, X) => S + X)`,
          () => `ABS(${deeper('INT')})`,
        ])();
      case 'BIGINT':
        return random.pick([
          () =>
            `(${deeper('BIGINT')} ${random.pick(['+', '-', '*', '/', '%'])} ${deeper(random.pick(['INT', 'BIGINT']))})`,
          () => `CAST(${deeper(random.pick(['INT', 'DOUBLE', 'STRING']))} AS BIGINT)`,
          () => `ROUND(${deeper('DOUBLE')})`,
          () => `UNIX_TIMESTAMP(${deeper('TIMESTAMP')})`,
        ])();
      case 'DOUBLE':
        return random.pick([
          () => `(${deeper('DOUBLE')} ${random.pick(['+', '-', '*', '/'])} ${deeper(random.pick(NUMBERS))})`,
          () => `CAST(${deeper(random.pick(['INT', 'BIGINT', 'STRING', 'DECIMAL(6, 2)']))} AS DOUBLE)`,
          () => `SQRT(${deeper('DOUBLE')})`,
          () => `FLOOR(${deeper('DOUBLE')})`,
        ])();
      case 'DECIMAL(6, 2)':
        return `CAST(${deeper(random.pick(NUMBERS))} AS DECIMAL(6, 2))`;
      case 'STRING':
        return random.pick([
          () => `CONCAT(${deeper('STRING')}, ${deeper('STRING')})`,
          () => `(${deeper('STRING')} + ${deeper('STRING')})`,
          () => `UCASE(${deeper('STRING')})`,
          () => `SUBSTRING(${deeper('STRING')}, ${deeper('INT')})`,
          () => `TRIM(${deeper('STRING')})`,
          () => `CAST(${deeper(this.printableType())} AS STRING)`,
          () => `${this.of('STRUCT<A INT, B STRING>', 0)}->B`,
          () => `SPLIT(${deeper('STRING')}, 'a')[${deeper('INT')}]`,
        ])();
      case 'BOOLEAN':
        return this.predicate(depth);
      case 'DATE':
        return random.pick([
          () => `CAST(${deeper('TIMESTAMP')} AS DATE)`,
          () => `DATEADD(DAYS, ${deeper('INT')}, ${deeper('DATE')})`,
          () => `PARSE_DATE(${deeper('STRING')}, 'yyyy-MM-dd')`,
        ])();
      case 'TIMESTAMP':
        return random.pick([
          () => `CAST(${deeper('DATE')} AS TIMESTAMP)`,
          () => `TIMESTAMPADD(HOURS, ${this.#random.integer(-5, 5)}, ${deeper('TIMESTAMP')})`,
          () => `FROM_UNIXTIME(${this.#leaf('BIGINT')})`,
        ])();
      case 'ARRAY<INT>':
        return random.pick([
          () => `ARRAY[${deeper('INT')}, ${deeper('INT')}]`,
          () => `TRANSFORM(${deeper('ARRAY<INT>')}, X => X + 1)`,
          () => `FILTER(${deeper('ARRAY<INT>')}, X => X > 1)`,
          () => `ARRAY_DISTINCT(${deeper('ARRAY<INT>')})`,
          () => `SLICE(${deeper('ARRAY<INT>')}, 1, ${deeper('INT')})`,
        ])();
      case 'TIME':
        return `CAST(${deeper('TIMESTAMP')} AS TIME)`;
      case 'BYTES':
        return `TO_BYTES(${deeper('STRING')}, 'utf8')`;
      case 'MAP<STRING, INT>':
        return `MAP(${deeper('STRING')} := ${deeper('INT')}, 'k' := ${deeper('INT')})`;
      case 'STRUCT<A INT, B STRING>':
        return `STRUCT(A := ${deeper('INT')}, B := ${deeper('STRING')})`;
    }
  }

  /** A condition. */
  predicate(depth: number): string {
    const random = this.#random;
    if (depth <= 0) return this.#leaf('BOOLEAN');
    const deeper = (type: GeneratedType): string => this.of(type, depth - 1);
    const comparison = (): string => {
      const sign = random.pick(['=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM']);
      if (random.chance(0.4))
        return `${deeper(random.pick(NUMBERS))} ${sign} ${deeper(random.pick(NUMBERS))}`;
      const type = random.pick(['STRING', 'DATE', 'TIME', 'TIMESTAMP', 'BYTES'] as const);
      return `${deeper(type)} ${sign} ${deeper(type)}`;
    };
    const text = random.pick([
      comparison,
      comparison,
      () => `(${deeper('BOOLEAN')} ${random.pick(['AND', 'OR'])} ${deeper('BOOLEAN')})`,
      () => `(${deeper('BOOLEAN')} ${random.pick(['AND', 'OR'])} ${deeper('BOOLEAN')})`,
      () => `NOT ${deeper('BOOLEAN')}`,
      () => `(${deeper(this.anyType())} IS ${random.pick(['', 'NOT '])}NULL)`,
      () => {
        const type = random.pick(['INT', 'STRING', 'DOUBLE'] as const);
        return `${deeper(type)} ${random.pick(['', 'NOT '])}BETWEEN ${deeper(type)} AND ${deeper(type)}`;
      },
      () => {
        const type = random.pick(['INT', 'STRING', 'BIGINT'] as const);
        return `${deeper(type)} ${random.pick(['', 'NOT '])}IN (${this.#leaf(type)}, ${this.#leaf(type)})`;
      },
      () =>
        `${deeper('STRING')} ${random.pick(['', 'NOT '])}LIKE '${random.pick(['%', 'a%', '_', '%b', 'A!%'])}'`,
      () => `ARRAY_CONTAINS(${deeper('ARRAY<INT>')}, ${deeper('INT')})`,
      () => `CAST(${deeper('STRING')} AS BOOLEAN)`,
    ])();
    return `(${text})`;
  }

  /** A column of the type, or else a literal. */
  #leaf(type: GeneratedType): string {
    const random = this.#random;
    const fitting = this.#columns.filter((column) => column.type === type);
    if (fitting.length > 0 && random.chance(0.75)) return `${this.#prefix}${random.pick(fitting).name}`;
    switch (type) {
      case 'INT':
        return random.pick(['0', '1', '2', '-1', '100', '2147483647']);
      case 'BIGINT':
        return random.pick(['4294967296', '9007199254740991', 'CAST(2 AS BIGINT)']);
      case 'DOUBLE':
        return random.pick(['0E0', '1.5E0', '-2.5E0']);
      case 'DECIMAL(6, 2)':
        return `CAST(${random.pick(['1.5', '0', '-2.25'])} AS DECIMAL(6, 2))`;
      case 'STRING':
        return random.pick(["''", "'a'", "'ab'", "'1'", "'it''s'"]);
      case 'BOOLEAN':
        return random.pick(['TRUE', 'FALSE']);
      case 'DATE':
        return `CAST('${random.pick(['1970-01-01', '2020-01-02'])}' AS DATE)`;
      case 'TIME':
        return `CAST('${random.pick(['00:00:00', '01:02:03'])}' AS TIME)`;
      case 'BYTES':
        return "CAST('YWI=' AS BYTES)";
      case 'TIMESTAMP':
        return `CAST('${random.pick(['1970-01-01T00:00:00', '2020-01-02T00:00:00.001'])}' AS TIMESTAMP)`;
      case 'ARRAY<INT>':
        return 'ARRAY[1, 2, 3]';
      case 'MAP<STRING, INT>':
        return "MAP('a' := 1, 'b' := 2)";
      case 'STRUCT<A INT, B STRING>':
        return "STRUCT(A := 1, B := 'x')";
    }
  }
}
