import type { IToken } from 'chevrotain';

/**
 * How many parentheses, calls, CASEs, CASTs, lambdas, subscripts, constructors or types may stand within each other.
 * Reading, printing, analyzing and compiling walk what is nested by recursion, all of them within two thirds of Node's default
 * stack at this depth; chains of operators are no nesting and may be of any length.
 */
export const MAX_NESTING = 100;

/** How many tokens a statement may have: what its trees take is a few hundred bytes for each. */
export const MAX_TOKENS = 500_000;

/** How many arguments a call may have; all of them are on the stack when it is made. */
export const MAX_ARGUMENTS = 1000;

/** How many sources may stand in one FROM; each join has tasks and stores of its own. */
export const MAX_SOURCES = 64;

/** `token` is one level further in than is read. No mistake in the syntax, so the parser does not keep it as one. */
export class NestingError extends Error {
  override readonly name = 'NestingError';
  readonly token: IToken;

  constructor(token: IToken) {
    super('nested too deeply');
    this.token = token;
  }
}
