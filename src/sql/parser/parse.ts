import type * as cst from '../../../grammar/cst.d.ts';
import { SqlParser } from '../../../grammar/grammar.ts';
import type { CstNode, IToken } from '../../../grammar/token-types.ts';
import { NestingError } from '../../../grammar/limits.ts';
import { type TokenFault, TokenReader } from '../../../grammar/read-tokens.ts';
import { Semicolon } from '../../../grammar/tokens.ts';
import type { Expression, Statement, TypeExpression } from './ast.ts';
import { createAstBuilder } from './build-ast.ts';
import type { AstBuilder } from './build-ast.ts';
import { recordExpectation, syntaxError, tokenError } from './syntax-error.ts';
import type { Expectation } from './syntax-error.ts';
import { type Growth, GROWTH_MAX, spliceTokens, substituteVariables } from './variables.ts';

/** One statement of a text. */
export interface ParsedStatement {
  /** Its spans count from the start of `text`, so that later errors can be rendered over it alone. */
  readonly statement: Statement;
  /** As written, from its first word to its semicolon. */
  readonly text: string;
  /** Where `text` begins in the whole. */
  readonly start: number;
  /** `text` with the variables replaced: what to keep, since it says the same when they are gone. */
  readonly resolvedText: string;
}

interface Parser {
  readonly rules: SqlParser;
  readonly builder: AstBuilder;
  readonly expectation: Expectation;
}

let parser: Parser | undefined;

/** Made at the first use, because building the parser takes tens of milliseconds. */
function theParser(): Parser {
  if (parser === undefined) {
    const expectation: Expectation = { tokens: [] };
    const rules = new SqlParser({ errorMessageProvider: recordExpectation(expectation) });
    parser = { rules, builder: createAstBuilder(rules), expectation };
  }
  return parser;
}

/**
 * Parses every statement of `text`; each must end with a semicolon. `variables` (any case) stand for `${name}`;
 * DEFINE and UNDEFINE among the statements hold for those after them.
 *
 * Throws SqlError for the first mistake, with a span in the whole `text`.
 */
export function parseStatements(
  text: string,
  variables: ReadonlyMap<string, string> = new Map(),
): readonly ParsedStatement[] {
  return [
    ...eachStatement(text, new Map([...variables].map(([name, value]) => [name.toUpperCase(), value]))),
  ];
}

/**
 * As `parseStatements`, one statement at a time. `defined` has upper-case names, and is read when a statement is asked
 * for and changed by DEFINE and UNDEFINE: texts that share it share the variables.
 */
export function* eachStatement(text: string, defined: Map<string, string>): Generator<ParsedStatement> {
  const reader = new TokenReader(text);
  const growth: Growth = { left: GROWTH_MAX };
  const refuse = (fault: TokenFault): never => {
    throw tokenError(fault, text);
  };
  for (let own = reader.statement(refuse); own !== null; own = reader.statement(refuse)) {
    if (own[0]!.tokenType === Semicolon) continue;
    const start = own[0]!.startOffset;
    const end = own.at(-1)!.endOffset! + 1;
    const changed = substituteVariables(own, defined, growth);
    const statement = read<cst.TerminatedStatementCstNode, Statement>(
      own,
      end,
      (rules) => rules.terminatedStatement(),
      (builder, node) => builder.buildStatement(node.children.statement[0]!, start),
    );
    const ownText = text.slice(start, end);
    const resolvedText = changed.length === 0 ? ownText : spliceTokens(text, start, end, changed);
    if (statement.kind === 'defineVariable') defined.set(statement.name, statement.value);
    if (statement.kind === 'undefineVariable') defined.delete(statement.name);
    yield { statement, text: ownText, start, resolvedText };
  }
}

/** Parses a text that is one expression. Throws SqlError. */
export function parseExpression(text: string): Expression {
  const tokens = lexOne(text);
  substituteVariables(tokens, new Map());
  return read<cst.ExpressionCstNode, Expression>(
    tokens,
    text.length,
    (rules) => rules.expression(),
    (builder, node) => builder.buildExpression(node, 0),
  );
}

/** Parses a text that is one type, such as `MAP<STRING, ARRAY<INT>>`. Throws SqlError. */
export function parseType(text: string): TypeExpression {
  const tokens = lexOne(text);
  substituteVariables(tokens, new Map());
  return read<cst.TypeCstNode, TypeExpression>(
    tokens,
    text.length,
    (rules) => rules.type(),
    (builder, node) => builder.buildType(node, 0),
  );
}

/** The tokens of a text that is part of a statement. */
function lexOne(text: string): IToken[] {
  const refuse = (fault: TokenFault): never => {
    throw tokenError(fault, text);
  };
  return new TokenReader(text).statement(refuse) ?? [];
}

function read<N extends CstNode, A>(
  tokens: IToken[],
  end: number,
  rule: (rules: SqlParser) => CstNode,
  build: (builder: AstBuilder, node: N) => A,
): A {
  const { rules, builder, expectation } = theParser();
  rules.input = tokens;
  try {
    const node = rule(rules);
    const error = rules.errors[0];
    if (error !== undefined) {
      const at = tokens.indexOf(error.token);
      throw syntaxError(tokens, at < 0 ? tokens.length : at, expectation.tokens, end);
    }
    return build(builder, node as N);
  } catch (error) {
    if (error instanceof NestingError) throw tokenError({ kind: 'nesting', token: error.token }, '');
    throw error;
  }
}
