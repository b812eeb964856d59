import { SqlError, type Span } from '../../common/error.ts';
import { printIdentifier } from '../../types/print-type.ts';
import type { Expression } from '../expressions/expression.ts';

/** A select item with its name still to be chosen. */
export interface SelectItem {
  readonly expression: Expression;
  readonly span: Span;
  readonly alias: string | null;
  /** The name it has when there is no alias; null: one is generated. */
  readonly ownName: string | null;
  /** Its own name may get a number when it is taken (fields of structs). */
  readonly numbered: boolean;
  readonly isWindowBound: boolean;
  readonly isFromStar: boolean;
}

/**
 * Names of the result's columns. `sources`: names of the columns of all sources, which generated names (also those of
 * fields, as in `A->B`) keep away from. Throws `SqlError` ML_SCHEMA when two are the same.
 */
export function nameItems(items: readonly SelectItem[], sources: ReadonlySet<string>): readonly string[] {
  const taken = new Set(sources);
  for (const item of items) {
    const name = item.alias ?? (item.numbered ? null : item.ownName);
    if (name !== null) taken.add(name);
  }
  const used = new Set<string>();
  let generated = 0;
  return items.map((item) => {
    let name = item.alias ?? item.ownName;
    if (name === null) {
      do name = `KSQL_COL_${generated++}`;
      while (taken.has(name));
    } else if (item.alias === null && item.numbered) {
      const base = name;
      for (let n = 1; used.has(name) || taken.has(name); n++) name = `${base}_${n}`;
    }
    if (used.has(name))
      throw new SqlError('ML_SCHEMA', `two columns of the result are named ${printIdentifier(name)}`, {
        span: item.span,
        hint: 'give one of them another name with AS',
      });
    used.add(name);
    return name;
  });
}
