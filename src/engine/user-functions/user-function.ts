import type { SqlType } from '../../types/sql-type.ts';

/**
 * A function that a user writes in JavaScript. A module's default export is an array of these:
 *
 * ```js
 * export default [
 *   {
 *     name: 'SHOUT',
 *     description: 'the text in upper case with an exclamation mark',
 *     signatures: [{ parameters: ['STRING'], returns: 'STRING', evaluate: (text) => `${text.toUpperCase()}!` }],
 *   },
 * ];
 * ```
 *
 * Types are SQL text. A single capital letter (`T`, also `ARRAY<T>`) is generic; `ANY` takes anything and `DECIMAL` any
 * precision and scale; a type that
 * ends in `...` may be given any number of times. Values come as JavaScript has them: BIGINT a number, or a bigint
 * beyond safe integers; DECIMAL text; STRUCT an object by field name; ARRAY an array; MAP a Map; BYTES a
 * Uint8Array; DATE, TIME and TIMESTAMP numbers (days, milliseconds of the day, milliseconds). Null is null.
 *
 * When a function throws, its result is null, which is counted and logged, as for built-in ones.
 */
export type UserFunction = UserScalar | UserAggregate | UserTable;

interface Named {
  readonly name: string;
  readonly description?: string;
  readonly examples?: readonly (readonly [sql: string, result: string])[];
}

export interface UserScalar extends Named {
  readonly kind?: 'scalar';
  readonly signatures: readonly {
    readonly parameters: readonly string[];
    readonly returns: string;
    /** True: not called when an argument is null; the result is null then. */
    readonly strict?: boolean;
    evaluate(...args: unknown[]): unknown;
  }[];
}

export interface UserTable extends Named {
  readonly kind: 'table';
  readonly signatures: readonly {
    readonly parameters: readonly string[];
    readonly returns: string;
    /** An array of results, a row each. */
    evaluate(...args: unknown[]): readonly unknown[];
  }[];
}

export interface UserAggregate extends Named {
  readonly kind: 'aggregate';
  readonly signatures: readonly {
    readonly parameters: readonly string[];
    /** Arguments behind the columns that must be literals; their values come last, in one array, in every call. */
    readonly literals?: readonly string[];
    /** The type of the running state; it is kept in the store, so it must hold everything. */
    readonly state: string;
    readonly returns: string;
    initial(literals: readonly unknown[]): unknown;
    add(state: unknown, args: readonly unknown[], literals: readonly unknown[]): unknown;
    /** Needed over tables. */
    undo?(state: unknown, args: readonly unknown[], literals: readonly unknown[]): unknown;
    /** Needed in session windows. */
    merge?(left: unknown, right: unknown, literals: readonly unknown[]): unknown;
    result?(state: unknown, literals: readonly unknown[]): unknown;
  }[];
}

/** Everything about a module but the code, as the sandbox tells it. */
export interface DescribedFunction extends Named {
  readonly kind: 'scalar' | 'aggregate' | 'table';
  readonly signatures: readonly DescribedSignature[];
}

/** Modules say types in SQL; a statement has them parsed. */
export type TypeOrText = SqlType | string;

export interface DescribedSignature {
  readonly parameters: readonly TypeOrText[];
  /** Names of the parameters; absent where they have none. */
  readonly names?: readonly string[];
  readonly literals?: readonly string[];
  readonly state?: TypeOrText;
  readonly returns: TypeOrText;
  readonly strict?: boolean;
  /** Which of the optional members are there. */
  readonly has: readonly string[];
}
