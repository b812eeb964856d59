import type { SeededRandom } from '../../harness/random.ts';
import type { GeneratedColumn, GeneratedType } from './generate-sql.ts';
import {
  compare,
  doubleText,
  exact,
  fit,
  Fixed,
  type ModelValue,
  Raised,
  rescale,
  same,
} from './model-value.ts';

/** A row of the laws' own evaluation: columns by their text in the query (`C0_0`, `S.C0_0`). */
export type ModelRow = Readonly<Record<string, ModelValue>>;

/** An expression as SQL, and what it gives by the rules of the language, each written down beside its text. */
export interface Modelled {
  readonly type: GeneratedType;
  readonly sql: string;
  /** Throws `Raised`. */
  readonly value: (row: ModelRow) => ModelValue;
  /** Its failure is null where it is an argument of a function, and nothing more. */
  readonly guarded?: true;
  /** A literal: a cast of it that has no value is refused. */
  readonly literal?: true;
}

/** The value of an item of SELECT: what raises is null. */
export function itemOf({ value }: Pick<Modelled, 'value'>, row: ModelRow): ModelValue {
  try {
    return value(row);
  } catch (error) {
    if (error instanceof Raised) return null;
    throw error;
  }
}

/** Whether a row passes WHERE. */
export function passes(predicate: Pick<Modelled, 'value'> | null, row: ModelRow): boolean {
  return predicate === null || itemOf(predicate, row) === true;
}

type Evaluate = Modelled['value'];

const NUMBERS = ['INT', 'BIGINT', 'DECIMAL(6, 2)'] as const;
const ORDERED: readonly GeneratedType[] = ['STRING', 'DATE', 'TIME', 'TIMESTAMP', 'INT', 'DOUBLE', 'BYTES'];

function known(value: ModelValue): Exclude<ModelValue, null> {
  if (value === null) throw new Raised('null');
  return value;
}

/** As an argument: null in place of a failure, where the language says so. */
function argument(expression: Modelled): Evaluate {
  return expression.guarded === true ? (row) => itemOf(expression, row) : expression.value;
}

/** An item of a constructor: its failure is always its own. */
function own(expression: Modelled): Evaluate {
  return (row) => itemOf(expression, row);
}

/** Null arguments give null. */
function propagating(args: readonly Modelled[], f: (...values: never[]) => ModelValue): Evaluate {
  const evaluate = args.map(argument);
  return (row) => {
    const values = evaluate.map((each) => each(row));
    return values.includes(null) ? null : f(...(values as never[]));
  };
}

function wholeArithmetic(operator: string, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    default:
      if (b === 0n) throw new Raised('division by zero');
      return operator === '/' ? a / b : a % b;
  }
}

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** Expressions whose answer the laws can work out themselves. */
export class ModelGenerator {
  readonly #random: SeededRandom;
  readonly #columns: readonly GeneratedColumn[];
  readonly #prefix: string;

  constructor(random: SeededRandom, columns: readonly GeneratedColumn[], prefix = '') {
    this.#random = random;
    this.#columns = columns;
    this.#prefix = prefix;
  }

  column({ name, type }: GeneratedColumn): Modelled {
    const sql = `${this.#prefix}${name}`;
    return { type, sql, value: (row) => row[sql]! };
  }

  /** A column of the type; null when there is none. */
  columnOf(type: GeneratedType): Modelled | null {
    const fitting = this.#columns.filter((column) => column.type === type);
    return fitting.length === 0 ? null : this.column(this.#random.pick(fitting));
  }

  anyColumn(): Modelled {
    return this.column(this.#random.pick(this.#columns));
  }

  any(depth: number): Modelled {
    return this.of(this.#random.pick(this.#columns).type, depth);
  }

  of(type: GeneratedType, depth: number): Modelled {
    const random = this.#random;
    if (depth <= 0 || random.chance(0.2)) return this.#leaf(type);
    if (type === 'BOOLEAN') return this.predicate(depth);
    if (random.chance(0.25)) return this.#choice(type, depth - 1);
    const [a, b] = [() => this.of(type, depth - 1), () => this.of(type, depth - 1)];
    const make = (sql: string, value: Evaluate): Modelled => ({ type, sql, value });
    const call = (sql: string, value: Evaluate): Modelled => ({ type, sql, value, guarded: true });
    switch (type) {
      case 'INT':
        return random.pick([
          () => this.#arithmetic(type, a(), b(), (x) => Number(BigInt.asIntN(32, x))),
          () => this.#arithmetic(type, a(), b(), (x) => Number(BigInt.asIntN(32, x))),
          () => this.#cast(type, depth),
          () => {
            const text = this.of('STRING', depth - 1);
            return call(
              `LEN(${text.sql})`,
              propagating([text], (value: string) => value.length),
            );
          },
          () => {
            const of = a();
            return call(
              `ABS(${of.sql})`,
              propagating([of], (value: number) => Math.abs(value) | 0),
            );
          },
          () => {
            const name = random.pick(['GREATEST', 'LEAST']);
            const items = [a(), b()];
            const values = items.map(argument);
            return call(`${name}(${items[0]!.sql}, ${items[1]!.sql})`, (row) => {
              const numbers = values.map((each) => each(row)).filter((each) => each !== null) as number[];
              if (numbers.length === 0) return null;
              return name === 'GREATEST' ? Math.max(...numbers) : Math.min(...numbers);
            });
          },
          () => {
            const of = this.of('ARRAY<INT>', depth - 1);
            return call(
              `ARRAY_LENGTH(${of.sql})`,
              propagating([of], (items: readonly unknown[]) => items.length),
            );
          },
          () => {
            const [array, index] = [this.of('ARRAY<INT>', 0), a()];
            return call(`${array.sql}[${index.sql}]`, (row) => {
              const items = array.value(row) as readonly ModelValue[] | null;
              const at = known(index.value(row)) as number;
              return items?.at(at > 0 ? at - 1 : at === 0 ? items.length : at) ?? null;
            });
          },
          () => {
            const [map, key] = [this.of('MAP<STRING, INT>', 0), this.of('STRING', depth - 1)];
            return call(`${map.sql}[${key.sql}]`, (row) => {
              const found = map.value(row) as ReadonlyMap<string, ModelValue> | null;
              const at = key.value(row) as string;
              return found?.get(at) ?? null;
            });
          },
          () => {
            const struct = this.of('STRUCT<A INT, B STRING>', 0);
            return call(
              `${struct.sql}->A`,
              (row) => (struct.value(row) as { A: ModelValue } | null)?.A ?? null,
            );
          },
          () => {
            const array = this.of('ARRAY<INT>', depth - 1);
            const of = argument(array);
            return call(`REDUCE(${array.sql}, 0, (S, X) => S + COALESCE(X, 5))`, (row) =>
              ((of(row) ?? []) as readonly (number | null)[]).reduce<number>(
                (sum, item) => (sum + (item ?? 5)) | 0,
                0,
              ),
            );
          },
        ])();
      case 'BIGINT':
        return random.pick([
          () =>
            this.#arithmetic(type, a(), random.chance(0.5) ? b() : this.of('INT', depth - 1), (x) =>
              BigInt.asIntN(64, x),
            ),
          () => this.#cast(type, depth),
        ])();
      case 'DOUBLE':
        return random.pick([
          () => {
            const [x, y] = [a(), random.chance(0.6) ? b() : this.of('INT', depth - 1)];
            const operator = random.pick(['+', '-', '*', '/']);
            return make(`(${x.sql} ${operator} ${y.sql})`, (row) => {
              const p = known(x.value(row)) as number;
              const q = known(y.value(row)) as number;
              return operator === '+' ? p + q : operator === '-' ? p - q : operator === '*' ? p * q : p / q;
            });
          },
          () => this.#cast(type, depth),
          () => {
            const of = a();
            return call(
              `FLOOR(${of.sql})`,
              propagating([of], (value: number) => Math.floor(value)),
            );
          },
        ])();
      case 'DECIMAL(6, 2)':
        return this.#decimal(depth);
      case 'STRING':
        return random.pick([
          () => {
            const [x, y] = [a(), b()];
            return make(`(${x.sql} + ${y.sql})`, (row) => {
              const p = known(x.value(row)) as string;
              return p + (known(y.value(row)) as string);
            });
          },
          () => {
            const of = a();
            return call(
              `UCASE(${of.sql})`,
              propagating([of], (value: string) => value.toUpperCase()),
            );
          },
          () => this.#cast(type, depth),
          () => this.#cast(type, depth),
          () => {
            const struct = this.of('STRUCT<A INT, B STRING>', 0);
            return call(
              `${struct.sql}->B`,
              (row) => (struct.value(row) as { B: ModelValue } | null)?.B ?? null,
            );
          },
        ])();
      case 'DATE':
      case 'TIME':
      case 'TIMESTAMP':
        return this.#cast(type, depth);
      case 'ARRAY<INT>':
        return random.pick([
          () => {
            const items = [this.of('INT', depth - 1), this.of('INT', depth - 1)];
            const values = items.map(own);
            return make(`ARRAY[${items.map(({ sql }) => sql).join(', ')}]`, (row) =>
              values.map((each) => each(row)),
            );
          },
          () => {
            const of = a();
            return call(
              `TRANSFORM(${of.sql}, X => COALESCE(X, 0) + 1)`,
              propagating([of], (items: readonly (number | null)[]) =>
                items.map((item) => ((item ?? 0) + 1) | 0),
              ),
            );
          },
          () => {
            const of = a();
            return call(
              `FILTER(${of.sql}, X => X > 1)`,
              propagating([of], (items: readonly (number | null)[]) =>
                items.filter((item) => item !== null && item > 1),
              ),
            );
          },
        ])();
      case 'MAP<STRING, INT>': {
        const [x, y] = [this.of('INT', depth - 1), this.of('INT', depth - 1)];
        const values = [own(x), own(y)] as const;
        return make(
          `MAP('a' := ${x.sql}, 'k' := ${y.sql})`,
          (row) =>
            new Map([
              ['a', values[0](row)],
              ['k', values[1](row)],
            ]),
        );
      }
      case 'STRUCT<A INT, B STRING>': {
        const [x, y] = [this.of('INT', depth - 1), this.of('STRING', depth - 1)];
        const values = [own(x), own(y)] as const;
        return make(`STRUCT(A := ${x.sql}, B := ${y.sql})`, (row) => ({
          A: values[0](row),
          B: values[1](row),
        }));
      }
      case 'BYTES':
        return this.#leaf(type);
    }
  }

  /** A condition in parentheses. */
  predicate(depth: number): Modelled {
    const random = this.#random;
    if (depth <= 0) return this.#leaf('BOOLEAN');
    const of = (sql: string, value: Evaluate): Modelled => ({ type: 'BOOLEAN', sql: `(${sql})`, value });
    const operands = (): readonly [Modelled, Modelled] => {
      if (random.chance(0.4))
        return [this.of(random.pick(NUMBERS), depth - 1), this.of(random.pick(NUMBERS), depth - 1)];
      const type = random.pick(ORDERED);
      return [this.of(type, depth - 1), this.of(type, depth - 1)];
    };
    return random.pick([
      () => {
        const [a, b] = operands();
        const sign = random.pick(Object.keys(COMPARISONS));
        const holds = COMPARISONS[sign]!;
        return of(`${a.sql} ${sign} ${b.sql}`, (row) => {
          const [x, y] = [a.value(row), b.value(row)];
          return x !== null && y !== null && holds(compare(x, y));
        });
      },
      () => {
        const type = this.#random.pick(this.#columns).type;
        const [a, b] = [this.of(type, depth - 1), this.of(type, depth - 1)];
        const not = random.pick(['', 'NOT ']);
        return of(`${a.sql} IS ${not}DISTINCT FROM ${b.sql}`, (row) => {
          const equal = same(a.value(row), b.value(row));
          return not === '' ? !equal : equal;
        });
      },
      () => {
        const [a, b] = [this.of('BOOLEAN', depth - 1), this.of('BOOLEAN', depth - 1)];
        const operator = random.pick(['AND', 'OR']);
        const settled = operator === 'OR';
        return of(`${a.sql} ${operator} ${b.sql}`, (row) => {
          const first = a.value(row);
          if (first === settled) return settled;
          const second = b.value(row);
          return second === settled ? settled : first === null ? null : second;
        });
      },
      () => {
        const a = this.of('BOOLEAN', depth - 1);
        return of(`NOT ${a.sql}`, (row) => {
          const value = a.value(row);
          return value === null ? null : value === false;
        });
      },
      () => {
        const a = this.any(depth - 1);
        const not = random.pick(['', 'NOT ']);
        return of(`${a.sql} IS ${not}NULL`, (row) => (a.value(row) === null) === (not === ''));
      },
      () => {
        const type = random.pick(['INT', 'STRING', 'DATE', 'BIGINT'] as const);
        const [a, b, c] = [this.of(type, depth - 1), this.#leaf(type), this.#leaf(type)];
        const not = random.pick(['', 'NOT ']);
        return of(`${a.sql} ${not}BETWEEN ${b.sql} AND ${c.sql}`, (row) => {
          const [x, y, z] = [a.value(row), b.value(row), c.value(row)];
          const within = x !== null && y !== null && z !== null && compare(x, y) >= 0 && compare(x, z) <= 0;
          return within === (not === '');
        });
      },
      () => {
        const type = random.pick(['INT', 'STRING', 'BIGINT'] as const);
        const a = this.of(type, depth - 1);
        const items = Array.from({ length: random.integer(1, 6) }, () => this.#leaf(type));
        const not = random.pick(['', 'NOT ']);
        return of(`${a.sql} ${not}IN (${items.map(({ sql }) => sql).join(', ')})`, (row) => {
          const x = a.value(row);
          const found = x !== null && items.some((item) => same(item.value(row), x));
          return found === (not === '');
        });
      },
      () => {
        const [a, b] = [this.of('ARRAY<INT>', depth - 1), this.of('INT', depth - 1)];
        const [items, item] = [argument(a), argument(b)];
        return of(`ARRAY_CONTAINS(${a.sql}, ${b.sql})`, (row) => {
          const [list, one] = [items(row) as readonly ModelValue[] | null, item(row)];
          return list !== null && list.includes(one);
        });
      },
      () => {
        const a = this.of('STRING', depth - 1);
        const [pattern, test] = random.pick([
          ['%', () => true],
          ['a%', (text: string) => text.startsWith('a')],
          ['%b', (text: string) => text.endsWith('b')],
          ['_', (text: string) => text.length === 1],
          ['a_', (text: string) => text.length === 2 && text.startsWith('a')],
        ] as const);
        const not = random.pick(['', 'NOT ']);
        return of(`${a.sql} ${not}LIKE '${pattern}'`, (row) => {
          const value = a.value(row);
          return value === null ? null : test(value as string) === (not === '');
        });
      },
    ])();
  }

  #choice(type: GeneratedType, depth: number): Modelled {
    const [a, b] = [this.of(type, depth), this.of(type, depth)];
    const condition = this.of('BOOLEAN', depth);
    const [x, y] = [argument(a), argument(b)];
    const call = (sql: string, value: Evaluate): Modelled => ({ type, sql, value, guarded: true });
    return this.#random.pick([
      (): Modelled => ({
        type,
        sql: `CASE WHEN ${condition.sql} THEN ${a.sql} ELSE ${b.sql} END`,
        value: (row) => (condition.value(row) === true ? a.value(row) : b.value(row)),
      }),
      (): Modelled => ({
        type,
        sql: `CASE WHEN ${condition.sql} THEN ${a.sql} END`,
        value: (row) => (condition.value(row) === true ? a.value(row) : null),
      }),
      () =>
        call(`COALESCE(${a.sql}, ${b.sql})`, (row) => {
          const [p, q] = [x(row), y(row)];
          return p ?? q;
        }),
      () =>
        call(`NULLIF(${a.sql}, ${b.sql})`, (row) => {
          const [p, q] = [x(row), y(row)];
          return p !== null && q !== null && same(p, q) ? null : p;
        }),
    ])();
  }

  #arithmetic(type: GeneratedType, a: Modelled, b: Modelled, wrap: (value: bigint) => ModelValue): Modelled {
    const operator = this.#random.pick(['+', '-', '*', '/', '%']);
    return {
      type,
      sql: `(${a.sql} ${operator} ${b.sql})`,
      value: (row) => {
        const x = BigInt(known(a.value(row)) as number | bigint);
        return wrap(wholeArithmetic(operator, x, BigInt(known(b.value(row)) as number | bigint)));
      },
    };
  }

  /** Sums and products are exact; then they must fit. */
  #decimal(depth: number): Modelled {
    const type = 'DECIMAL(6, 2)';
    const random = this.#random;
    const from = random.pick(['arithmetic', 'INT', 'STRING'] as const);
    if (from === 'arithmetic') {
      const [a, b] = [this.#leaf(type), random.chance(0.5) ? this.#leaf(type) : this.#leaf('INT')];
      const operator = random.pick(['+', '-', '*']);
      return {
        type,
        guarded: true,
        sql: `CAST((${a.sql} ${operator} ${b.sql}) AS ${type})`,
        value: guard((row) => {
          const x = exact(known(a.value(row)) as Fixed);
          const y = exact(known(b.value(row)) as Fixed);
          const scale = Math.max(x.scale, y.scale);
          const sum = (sign: bigint): Fixed => new Fixed(rescale(x, scale) + sign * rescale(y, scale), scale);
          const exactly =
            operator === '*'
              ? new Fixed(x.digits * y.digits, x.scale + y.scale)
              : sum(operator === '+' ? 1n : -1n);
          return fit(exactly, 6, 2);
        }),
      };
    }
    const a = this.of(from, depth - 1);
    return castOf(type, a, (x) => {
      if (typeof x === 'number') return fit(new Fixed(BigInt(x), 0), 6, 2);
      const match = /^([+-]?)(\d+)(?:\.(\d*))?$/.exec((x as string).trim());
      if (match === null) throw new Raised('no number');
      const [, sign, whole, fraction = ''] = match;
      return fit(new Fixed(BigInt(`${whole}${fraction}`) * (sign === '-' ? -1n : 1n), fraction.length), 6, 2);
    });
  }

  #cast(type: GeneratedType, depth: number): Modelled {
    const random = this.#random;
    const [from, convert] = random.pick(CASTS[type]!);
    return castOf(type, this.of(from, depth - 1), convert);
  }

  /** A column of the type, or else a literal. */
  #leaf(type: GeneratedType): Modelled {
    const random = this.#random;
    const column = random.chance(0.75) ? this.columnOf(type) : null;
    if (column !== null) return column;
    const literal = (sql: string, value: ModelValue): Modelled => ({
      type,
      sql,
      value: () => value,
      literal: true,
    });
    const cast = (sql: string, value: ModelValue): Modelled => ({ ...literal(sql, value), guarded: true });
    switch (type) {
      case 'INT': {
        const value = random.pick([0, 1, 2, -1, 100, 2147483647]);
        return literal(value < 0 ? `(${value})` : String(value), value);
      }
      case 'BIGINT':
        return random.chance(0.5)
          ? cast('CAST(2 AS BIGINT)', 2n)
          : (([value]) => literal(String(value), value!))([
              random.pick([4294967296n, 9007199254740993n, 9223372036854775807n]),
            ]);
      case 'DOUBLE': {
        const value = random.pick([0, 1.5, 2.5]);
        return literal(`${value}E0`, value);
      }
      case 'DECIMAL(6, 2)': {
        const digits = random.pick([150n, 0n, 1250n]);
        return cast(`CAST(${new Fixed(digits, 2).toString()} AS DECIMAL(6, 2))`, new Fixed(digits, 2));
      }
      case 'STRING': {
        const value = random.pick(['', 'a', 'ab', '1', "it's"]);
        return literal(`'${value.replaceAll("'", "''")}'`, value);
      }
      case 'BOOLEAN': {
        const value = random.chance(0.5);
        return literal(value ? 'TRUE' : 'FALSE', value);
      }
      case 'DATE':
        return cast("CAST('2020-01-02' AS DATE)", 18263);
      case 'TIME':
        return cast("CAST('01:02:03' AS TIME)", 3723000);
      case 'TIMESTAMP':
        return cast("CAST('2020-01-02T00:00:00.001' AS TIMESTAMP)", 18263 * 86_400_000 + 1);
      case 'BYTES':
        return cast("CAST('YWI=' AS BYTES)", Buffer.from('ab'));
      case 'ARRAY<INT>':
        return literal('ARRAY[1, 2, 3]', [1, 2, 3]);
      case 'MAP<STRING, INT>':
        return literal(
          "MAP('a' := 1, 'b' := 2)",
          new Map([
            ['a', 1],
            ['b', 2],
          ]),
        );
      case 'STRUCT<A INT, B STRING>':
        return literal("STRUCT(A := 1, B := 'x')", { A: 1, B: 'x' });
    }
  }
}

/** A cast that fails is null. */
function guard(value: Evaluate): Evaluate {
  return (row) => itemOf({ value }, row);
}

function castOf(type: GeneratedType, a: Modelled, convert: Convert): Modelled {
  const value: Evaluate = (row) => {
    const x = a.value(row);
    return x === null ? null : convert(x);
  };
  let sql = a.sql;
  if (a.literal === true)
    try {
      value({});
    } catch (error) {
      if (!(error instanceof Raised)) throw error;
      sql = 'NULL';
    }
  return { type, guarded: true, sql: `CAST(${sql} AS ${type})`, value: guard(value) };
}

type Convert = (value: Exclude<ModelValue, null>) => ModelValue;

const DAY_MS = 86_400_000;
const saturate = (value: number, bits: number): bigint => {
  if (Number.isNaN(value)) return 0n;
  const limit = 2 ** (bits - 1);
  if (value >= limit) return BigInt(2) ** BigInt(bits - 1) - 1n;
  return value <= -limit ? -(BigInt(2) ** BigInt(bits - 1)) : BigInt(Math.trunc(value));
};
const parseWhole = (value: ModelValue, bits: number): bigint => {
  const text = (value as string).trim();
  if (!/^[+-]?\d+$/.test(text)) throw new Raised('no whole number');
  const whole = BigInt(text.replace(/^\+/, ''));
  if (BigInt.asIntN(bits, whole) !== whole) throw new Raised('out of range');
  return whole;
};
const truncate = ({ digits, scale }: Fixed): bigint => digits / 10n ** BigInt(scale);

/** By the type that is wanted: from which, and how. */
const CASTS: Readonly<Partial<Record<GeneratedType, readonly (readonly [GeneratedType, Convert])[]>>> = {
  INT: [
    ['BIGINT', (value) => Number(BigInt.asIntN(32, value as bigint))],
    ['DOUBLE', (value) => Number(saturate(value as number, 32))],
    ['DECIMAL(6, 2)', (value) => Number(truncate(value as Fixed))],
    ['STRING', (value) => Number(parseWhole(value, 32))],
  ],
  BIGINT: [
    ['INT', (value) => BigInt(value as number)],
    ['DOUBLE', (value) => saturate(value as number, 64)],
    ['DECIMAL(6, 2)', (value) => truncate(value as Fixed)],
    ['STRING', (value) => parseWhole(value, 64)],
  ],
  DOUBLE: [
    ['INT', (value) => value],
    ['BIGINT', (value) => Number(value)],
    ['DECIMAL(6, 2)', (value) => Number((value as Fixed).toString())],
  ],
  STRING: [
    ['INT', (value) => String(value as number)],
    ['BIGINT', (value) => String(value as bigint)],
    ['DOUBLE', (value) => doubleText(value as number)],
    ['DECIMAL(6, 2)', (value) => (value as Fixed).toString()],
    ['BOOLEAN', (value) => String(value as boolean)],
    ['DATE', (value) => new Date((value as number) * DAY_MS).toISOString().slice(0, 10)],
  ],
  DATE: [['TIMESTAMP', (value) => Math.floor((value as number) / DAY_MS)]],
  TIME: [['TIMESTAMP', (value) => (value as number) - Math.floor((value as number) / DAY_MS) * DAY_MS]],
  TIMESTAMP: [['DATE', (value) => (value as number) * DAY_MS]],
};
