import { SqlError, type Span } from '../../common/error.ts';
import { printIdentifier } from '../../types/print-type.ts';
import type { RelationColumn } from './analyzed-query.ts';
import { suggest } from './suggest.ts';

export const PSEUDO_COLUMNS: ReadonlySet<string> = new Set([
  'ROWTIME',
  'ROWPARTITION',
  'ROWOFFSET',
  'WINDOWSTART',
  'WINDOWEND',
]);

export const WINDOW_BOUNDS: ReadonlySet<string> = new Set(['WINDOWSTART', 'WINDOWEND']);

/** A column that expressions may name, at its position in the row. */
export interface ScopeColumn extends RelationColumn {
  readonly index: number;
}

/** The names that can be used where an expression stands, and what they mean. */
export class Scope {
  readonly columns: readonly ScopeColumn[];
  readonly #byName = new Map<string, ScopeColumn[]>();
  readonly #aliases: ReadonlySet<string>;
  readonly #resultNames: ReadonlySet<string>;

  /** `resultNames`: what SELECT calls its results, which no expression may use: a message says so. */
  constructor(columns: readonly ScopeColumn[], resultNames: ReadonlySet<string> = new Set()) {
    this.columns = columns;
    this.#resultNames = resultNames;
    this.#aliases = new Set(columns.flatMap((column) => (column.source === null ? [] : [column.source])));
    for (const column of columns) {
      const same = this.#byName.get(column.name);
      if (same === undefined) this.#byName.set(column.name, [column]);
      else same.push(column);
    }
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Throws `SqlError` ML_NAME_UNKNOWN, or ML_NAME_AMBIGUOUS when more than one source has the column. */
  resolve(source: string | null, name: string, span: Span): ScopeColumn {
    if (source !== null && !this.#aliases.has(source)) {
      const aliases = [...this.#aliases];
      throw new SqlError('ML_NAME_UNKNOWN', `source ${printIdentifier(source)} is not in FROM`, {
        span,
        hint: suggest(
          source,
          aliases,
          this.#byName.get(source)?.[0]?.type.kind === 'struct'
            ? `${printIdentifier(source)} is a STRUCT; its fields are written ${printIdentifier(source)}->${printIdentifier(name)}`
            : aliases.length === 0
              ? 'no columns can be used here'
              : `FROM has ${aliases.join(', ')}`,
        ),
      });
    }
    const named = this.#byName.get(name) ?? [];
    const found = source === null ? named : named.filter((column) => column.source === source);
    if (found.length === 1) return found[0]!;
    if (found.length > 1)
      throw new SqlError('ML_NAME_AMBIGUOUS', `column ${printIdentifier(name)} is in more than one source`, {
        span,
        hint: `write ${found.map((column) => `${column.source}.${printIdentifier(name)}`).join(' or ')}`,
      });
    const known = this.columns.flatMap((column) =>
      source === null || column.source === source ? [column.name] : [],
    );
    if (source === null && this.#resultNames.has(name))
      throw new SqlError('ML_NAME_UNKNOWN', `${printIdentifier(name)} is a name of a result, not a column`, {
        span,
        hint: 'write its expression again here',
      });
    const unknown = `column ${printIdentifier(name)} does not exist`;
    if (WINDOW_BOUNDS.has(name)) throw new SqlError('ML_NAME_UNKNOWN', unknown, { span, hint: BOUNDS_HINT });
    throw new SqlError('ML_NAME_UNKNOWN', unknown, {
      span,
      hint: suggest(
        name,
        known,
        known.length === 0
          ? `no columns can be used here${isQuoted(name) ? '; text goes between single quotes, not double ones' : ''}`
          : `${isQuoted(name) ? 'text goes between single quotes, not double ones; ' : ''}the columns are ${known.filter((each) => !PSEUDO_COLUMNS.has(each)).join(', ')}`,
      ),
    });
  }
}

const BOUNDS_HINT =
  'windowed sources have it, and SELECT where one source is grouped in a WINDOW; of a join, make a stream first and group that';

/** Whether a name must have been written between quotes: perhaps it was meant as text. */
function isQuoted(name: string): boolean {
  return !/^[A-Z_][A-Z0-9_@]*$/.test(name);
}
