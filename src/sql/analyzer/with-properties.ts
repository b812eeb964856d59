import { SqlError, type Span } from '../../common/error.ts';
import { describeRange, readWholeNumber } from '../../common/whole-number.ts';
import { ABSENT_FORMATS, FORMATS } from '../../formats/every-format.ts';
import { formatOf } from '../../formats/registry.ts';
import { PARTITIONS_MAX } from '../../log/topic-name.ts';
import type { Column } from '../../types/schema.ts';
import type { SideFormat } from '../catalog/source.ts';
import type { Literal, WithProperty } from '../parser/ast.ts';
import { CLEANUP } from '../parser/elsewhere.ts';
import { suggest } from './suggest.ts';

/** The statements that have a WITH clause. */
export type WithClause = 'create' | 'create-as' | 'insert';

/** Properties that a format gets, by their name without KEY_ or VALUE_; also of formats that are not here. */
const FORMAT_PROPERTIES: ReadonlySet<string> = new Set(
  [...FORMATS, ...ABSENT_FORMATS].flatMap(({ properties }) => properties.map(({ name }) => name)),
);

const CREATES: readonly WithClause[] = ['create', 'create-as'];

/** Every property of WITH clauses, and where it may stand. */
const PROPERTIES: Readonly<Record<string, readonly WithClause[]>> = {
  KAFKA_TOPIC: CREATES,
  PARTITIONS: CREATES,
  REPLICAS: CREATES,
  RETENTION_MS: CREATES,
  CLEANUP_POLICY: [],
  FORMAT: CREATES,
  KEY_FORMAT: CREATES,
  VALUE_FORMAT: CREATES,
  TIMESTAMP: CREATES,
  TIMESTAMP_FORMAT: CREATES,
  WRAP_SINGLE_VALUE: CREATES,
  ...Object.fromEntries(
    [...FORMAT_PROPERTIES].flatMap((name) => [`KEY_${name}`, `VALUE_${name}`].map((each) => [each, CREATES])),
  ),
  VALUE_AVRO_SCHEMA_FULL_NAME: CREATES,
  WINDOW_TYPE: ['create'],
  WINDOW_SIZE: ['create'],
  SOURCED_BY_CONNECTOR: ['create'],
  SOURCE_CONNECTOR: ['create'],
  QUERY_ID: ['insert'],
};

/** The ranges of numbers; for topics, those that Kafka takes. */
const RANGES = {
  PARTITIONS: { min: 1, max: PARTITIONS_MAX },
  REPLICAS: { min: 1, max: 32_767 },
  RETENTION_MS: { min: -1, max: Number.MAX_SAFE_INTEGER },
} as const;

/** Older names of WITH properties that mean the same. */
const OLDER_NAMES: Readonly<Record<string, string>> = {
  VALUE_SCHEMA_FULL_NAME: 'VALUE_AVRO_SCHEMA_FULL_NAME',
};

/** The properties of one WITH clause, checked by name and type of value. */
export class WithProperties {
  readonly #byName = new Map<string, WithProperty>();

  constructor(properties: readonly WithProperty[], clause: WithClause) {
    for (const property of properties) {
      const name = property.name.toUpperCase();
      const known = PROPERTIES[name];
      if (known?.includes(clause) !== true) {
        const names = Object.keys(PROPERTIES).filter((each) => PROPERTIES[each]!.includes(clause));
        throw new SqlError(
          'ML_PROPERTY',
          known === undefined ? `there is no property ${name}` : `property ${name} cannot be given here`,
          {
            span: property.nameSpan,
            hint:
              name === 'CLEANUP_POLICY'
                ? CLEANUP.hint
                : suggest(
                    name,
                    names.filter((each) => each !== name),
                    'remove it',
                  ),
          },
        );
      }
      if (this.#byName.has(name))
        throw new SqlError('ML_PROPERTY', `property ${name} is given twice`, { span: property.nameSpan });
      this.#byName.set(name, property);
    }
  }

  spanOf(name: string): Span | undefined {
    return this.#byName.get(name)?.value.span;
  }

  text(name: string): string | null {
    const property = this.#byName.get(name);
    if (property === undefined) return null;
    const { value } = property;
    switch (value.kind) {
      case 'string':
        return value.value;
      case 'integer':
      case 'bigint':
      case 'boolean':
        return String(value.value);
      default:
        throw bad(property.name, value, 'a text');
    }
  }

  /** A whole number, perhaps in quotes. */
  number(name: keyof typeof RANGES): number | null {
    const property = this.#byName.get(name);
    if (property === undefined) return null;
    const { value } = property;
    const range = RANGES[name];
    const isNumber = value.kind === 'integer' || value.kind === 'bigint' || value.kind === 'string';
    const number = isNumber ? readWholeNumber(String(value.value).trim(), range) : null;
    if (number === null) throw bad(property.name, value, describeRange(range));
    return number;
  }

  truth(name: string): boolean | null {
    const property = this.#byName.get(name);
    if (property === undefined) return null;
    const { value } = property;
    if (value.kind === 'boolean') return value.value;
    if (value.kind === 'string' && /^(true|false)$/i.test(value.value))
      return value.value.toLowerCase() === 'true';
    throw bad(property.name, value, 'true or false');
  }

  /** The format that one side is asked to have, or null when nothing says. */
  formatName(side: 'KEY' | 'VALUE'): { readonly name: string; readonly span: Span } | null {
    const own = this.#byName.get(`${side}_FORMAT`);
    const both = this.#byName.get('FORMAT');
    if (own !== undefined && both !== undefined)
      throw new SqlError('ML_PROPERTY', `FORMAT and ${side}_FORMAT cannot both be given`, {
        span: own.nameSpan,
        hint: 'FORMAT stands for KEY_FORMAT and VALUE_FORMAT together',
      });
    const property = own ?? both;
    return property === undefined
      ? null
      : { name: this.text(property.name.toUpperCase())!.toUpperCase(), span: property.value.span };
  }

  /**
   * The format of one side, with its wrapping and properties, checked against the columns it is to hold.
   * A single key column always stands alone. `inherited`: the format of the source that a query reads, whose
   * delimiter its sink has too when both have the same format. Throws `SqlError` ML_FORMAT or ML_PROPERTY.
   */
  sideFormat(
    side: 'KEY' | 'VALUE',
    name: string,
    columns: readonly Column[],
    span: Span | undefined,
    session: ReadonlyMap<string, string>,
    inherited: SideFormat | null = null,
  ): SideFormat {
    return withSpan(span, () => {
      const format = formatOf(name);
      const properties: [string, string][] = [];
      for (const property of FORMAT_PROPERTIES) {
        const known = format.properties.find((each) => each.name === property);
        const full = this.#given(`${side}_${property}`);
        const value = this.text(full);
        if (value === null) {
          const same = inherited?.name === format.name ? inherited : null;
          const kept =
            known?.inherited === true ? same?.properties.find(([each]) => each === property) : undefined;
          if (kept !== undefined) properties.push([property, kept[1]]);
        } else if (known !== undefined) {
          properties.push([property, value]);
        } else {
          throw new SqlError('ML_PROPERTY', `format ${format.name} does not know ${full}`, {
            span: this.spanOf(full),
            hint: 'remove it',
          });
        }
      }
      const wrapped = side === 'KEY' ? columns.length > 1 : this.#wrapped(format.name, columns, session);
      format.validate(columns, { isKey: side === 'KEY', wrapped, properties: new Map(properties) });
      return { name: format.name, wrapped, properties };
    });
  }

  /** The name that a property was given under. */
  #given(name: string): string {
    const older = OLDER_NAMES[name];
    if (older === undefined || !this.#byName.has(older)) return name;
    if (this.#byName.has(name))
      throw new SqlError('ML_PROPERTY', `${older} and ${name} cannot both be given`, {
        span: this.#byName.get(older)!.nameSpan,
        hint: `remove ${older}: it is the older name of ${name}`,
      });
    return older;
  }

  #wrapped(name: string, columns: readonly Column[], session: ReadonlyMap<string, string>): boolean {
    const { singleColumn } = formatOf(name);
    const asked = this.truth('WRAP_SINGLE_VALUE');
    const span = this.spanOf('WRAP_SINGLE_VALUE');
    if (columns.length !== 1) {
      if (asked !== null)
        throw new SqlError('ML_PROPERTY', 'WRAP_SINGLE_VALUE is for a single value column', {
          span,
          hint: 'remove it',
        });
      return true;
    }
    if (asked === true && singleColumn === 'always-unwrapped')
      throw new SqlError('ML_PROPERTY', `format ${name} cannot wrap a single value`, {
        span,
        hint: 'remove WRAP_SINGLE_VALUE',
      });
    if (asked === false && singleColumn === 'always-wrapped')
      throw new SqlError('ML_PROPERTY', `format ${name} always wraps a single value`, {
        span,
        hint: 'remove WRAP_SINGLE_VALUE',
      });
    if (singleColumn !== 'wrapped-by-default') return singleColumn === 'always-wrapped';
    const preset = session.get('ksql.persistence.wrap.single.values');
    return asked ?? (preset === undefined ? true : preset.toLowerCase() === 'true');
  }
}

function bad(name: string, value: Literal, wanted: string): SqlError {
  return new SqlError('ML_PROPERTY', `property ${name.toUpperCase()} must be ${wanted}`, {
    span: value.span,
  });
}

/** Runs `action`; a `SqlError` without a place in the text gets this one. */
function withSpan<T>(span: Span | undefined, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof SqlError && error.span === undefined && span !== undefined)
      throw new SqlError(error.code, error.message, { span, hint: error.hint });
    throw error;
  }
}
