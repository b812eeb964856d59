import type { SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';

/**
 * Resolved expressions: plain data, stored inside plans, compiled once per query. Columns are positions in the
 * flat row of the node below (`plan/node.ts`); names, overloads and implicit casts ended in the analyzer.
 *
 * A comparison with NULL is false, as in ksqlDB; AND, OR, NOT and LIKE know NULL as SQL does, and a condition that is
 * NULL does not hold. NULL in arithmetic or a failed function raises, as in ksqlDB, which makes the whole select item NULL
 * (a filter: false) and is counted and logged. Where
 * ksqlDB guards a part of an expression on its own, the part has `guarded: true`: its error makes just it NULL.
 */
export type Expression = { readonly type: SqlType; readonly guarded?: boolean } & ExpressionKind;

export type ExpressionKind =
  | { readonly kind: 'column'; readonly index: number }
  | { readonly kind: 'literal'; readonly value: SqlValue }
  | {
      readonly kind: 'arithmetic';
      readonly operator: ArithmeticOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'negate'; readonly operand: Expression }
  /** Operands have been cast to one type. */
  | {
      readonly kind: 'comparison';
      readonly operator: ComparisonOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'logical';
      readonly operator: 'and' | 'or';
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'is-null'; readonly operand: Expression; readonly negated: boolean }
  | {
      readonly kind: 'in';
      readonly operand: Expression;
      readonly items: readonly Expression[];
      readonly negated: boolean;
    }
  | {
      readonly kind: 'like';
      readonly operand: Expression;
      readonly pattern: Expression;
      readonly escape: string | null;
      readonly negated: boolean;
    }
  /** Searched CASE; branches are evaluated lazily. A missing ELSE is null. */
  | { readonly kind: 'case'; readonly branches: readonly CaseBranch[]; readonly otherwise: Expression | null }
  | { readonly kind: 'cast'; readonly operand: Expression }
  /** Function by upper-case name and index of its signature; arguments have the signature's types. */
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly signature: number;
      readonly args: readonly Expression[];
    }
  /** 1-based array subscript (negative from the end) or map look-up. */
  | { readonly kind: 'subscript'; readonly operand: Expression; readonly index: Expression }
  /** Field of a struct by position. */
  | { readonly kind: 'field'; readonly operand: Expression; readonly index: number }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | {
      readonly kind: 'map';
      readonly entries: readonly { readonly key: Expression; readonly value: Expression }[];
    }
  | { readonly kind: 'struct'; readonly fields: readonly Expression[] }
  /** `id`s are unique in the expression, so that nested lambdas do not shadow. Its type is its body's. */
  | { readonly kind: 'lambda'; readonly parameters: readonly number[]; readonly body: Expression }
  /** Evaluates `value` once, as the parameter, for `body` to read more than once. Its type is its body's. */
  | {
      readonly kind: 'let';
      readonly parameter: number;
      readonly value: Expression;
      readonly body: Expression;
    }
  /** The parameter of the enclosing lambda or `let` that has its id. */
  | { readonly kind: 'parameter'; readonly id: number };

export interface CaseBranch {
  readonly when: Expression;
  readonly result: Expression;
}

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';
export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>=' | 'is-distinct' | 'is-not-distinct';
