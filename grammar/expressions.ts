import { CstParser } from 'chevrotain';
import type { CstElement, IParserErrorMessageProvider, IToken, TokenType } from 'chevrotain';
import { MAX_NESTING, NestingError } from './limits.ts';
import * as t from './tokens.ts';

/** The children of a node of the tree, by name: an object without a prototype, as Chevrotain's own, but no dictionary. */
const Children = function () {} as unknown as new () => Record<string, CstElement[]>;
Children.prototype = Object.create(null);

/**
 * Names, literals, types and expressions.
 *
 * The grammar is LL(1) by construction (`maxLookahead: 1` keeps the start cheap); the few places that need to
 * look further do so in a GATE that says why. Chains of operators are flat here: `a + b * c` is one list of
 * operands and one of operators, and the AST builder applies precedence. That halves the calls per expression
 * and the stack per level of nesting.
 */
export class ExpressionParser extends CstParser {
  protected constructor(validate: boolean, errorMessageProvider: IParserErrorMessageProvider | undefined) {
    super(t.ALL_TOKENS, {
      maxLookahead: 1,
      nodeLocationTracking: 'onlyOffset',
      recoveryEnabled: false,
      skipValidations: !validate,
      ...(errorMessageProvider === undefined ? {} : { errorMessageProvider }),
    });
  }

  /** How many expressions, lambdas, types and statements are open within each other. */
  #depth = 0;

  override set input(tokens: IToken[]) {
    // A rule that threw in the middle left its levels open.
    this.#depth = 0;
    super.input = tokens;
  }

  override get input(): IToken[] {
    return super.input;
  }

  /**
   * Begins a node of the tree, in the place of Chevrotain's own method. Its dictionaries take a third of the memory and
   * a quarter of the time of reading a statement.
   */
  cstInvocationStateUpdate(name: string): void {
    const node = {
      name,
      children: new Children(),
      location: { startOffset: this.LA(1).startOffset, endOffset: 0 },
    };
    (this as unknown as { CST_STACK: unknown[] }).CST_STACK.push(node);
  }

  /**
   * Begins a part that may hold itself, one level further in. Throws `NestingError`. No function around the part: what
   * reads it is on the stack for each level.
   */
  protected enter(): void {
    this.ACTION(() => {
      if (this.#depth++ > MAX_NESTING) throw new NestingError(this.LA(1));
    });
  }

  protected leave(): void {
    this.ACTION(() => this.#depth--);
  }

  // ------------------------------------------------------------------------------------------------ looking on

  protected nextIs(position: number, ...types: TokenType[]): boolean {
    const token = this.LA(position);
    return types.some(
      (type) => token.tokenType === type || type.categoryMatchesMap?.[token.tokenTypeIdx] === true,
    );
  }

  /** Position of the parenthesis that closes the one at `position`, or 0 when none does. */
  private closingParen(position: number): number {
    let depth = 0;
    for (let at = position; ; at++) {
      const type = this.LA(at).tokenType;
      if (type === t.LeftParen) depth++;
      else if (type === t.RightParen && --depth === 0) return at;
      else if (type === t.Semicolon || type.name === 'EOF') return 0;
    }
  }

  /** `x =>` or `(x, y) =>` */
  private lambdaIsNext(): boolean {
    if (this.nextIs(2, t.FatArrow)) return true;
    if (!this.nextIs(1, t.LeftParen) || !this.nextIs(2, t.Identifier)) return false;
    let at = 3;
    while (this.nextIs(at, t.Comma) && this.nextIs(at + 1, t.Identifier)) at += 2;
    return this.nextIs(at, t.RightParen) && this.nextIs(at + 1, t.FatArrow);
  }

  /** Whether the parenthesis at hand holds a list (`(a, b)`) and not just an expression's beginning. */
  protected listIsNext(): boolean {
    const closing = this.nextIs(1, t.LeftParen) ? this.closingParen(1) : 0;
    let depth = 0;
    for (let at = 1; at < closing; at++) {
      const type = this.LA(at).tokenType;
      if (type === t.LeftParen || type === t.LeftBracket) depth++;
      else if (type === t.RightParen || type === t.RightBracket) depth--;
      else if (type === t.Comma && depth === 1) return true;
    }
    return false;
  }

  // ----------------------------------------------------------------------------------------- names and literals

  identifier = this.RULE('identifier', () => {
    this.CONSUME(t.Identifier);
  });

  literal = this.RULE('literal', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Null) },
      { ALT: () => this.CONSUME(t.BooleanLiteral) },
      { ALT: () => this.CONSUME(t.StringLiteral) },
      {
        ALT: () => {
          this.OPTION(() => this.CONSUME(t.Sign));
          this.CONSUME(t.NumberLiteral);
        },
      },
    ]);
  });

  duration = this.RULE('duration', () => {
    this.CONSUME(t.IntegerLiteral);
    this.CONSUME(t.TimeUnit);
  });

  // ------------------------------------------------------------------------------------------------------ types

  type = this.RULE('type', () => {
    this.enter();
    this.OR([
      {
        GATE: () => this.nextIs(2, t.Less),
        ALT: () => {
          this.CONSUME(t.ArrayWord);
          this.CONSUME(t.Less);
          this.SUBRULE(this.type, { LABEL: 'element' });
          this.CONSUME(t.Greater);
        },
      },
      {
        GATE: () => this.nextIs(2, t.Less),
        ALT: () => {
          this.CONSUME(t.MapWord);
          this.CONSUME2(t.Less);
          this.SUBRULE2(this.type, { LABEL: 'key' });
          this.CONSUME(t.Comma);
          this.SUBRULE3(this.type, { LABEL: 'value' });
          this.CONSUME2(t.Greater);
        },
      },
      {
        GATE: () => this.nextIs(2, t.Less, t.NotEqual),
        ALT: () => {
          this.CONSUME(t.StructWord);
          this.OR2([
            // `STRUCT<>` reads as one sign.
            { ALT: () => this.CONSUME(t.NotEqual) },
            {
              ALT: () => {
                this.CONSUME3(t.Less);
                this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.structTypeField) });
                this.CONSUME3(t.Greater);
              },
            },
          ]);
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Identifier);
          this.OPTION(() => {
            this.CONSUME(t.LeftParen);
            this.AT_LEAST_ONE_SEP({
              SEP: t.Comma,
              DEF: () =>
                this.OR3([
                  { ALT: () => this.CONSUME(t.IntegerLiteral, { LABEL: 'parameter' }) },
                  // `VARCHAR(STRING)`
                  { ALT: () => this.CONSUME2(t.Identifier, { LABEL: 'wordParameter' }) },
                ]),
            });
            this.CONSUME(t.RightParen);
          });
        },
      },
    ]);
    this.MANY(() => this.CONSUME2(t.ArrayWord, { LABEL: 'arraySuffix' }));
    this.leave();
  });

  structTypeField = this.RULE('structTypeField', () => {
    this.SUBRULE(this.identifier);
    this.SUBRULE(this.type);
  });

  // ------------------------------------------------------------------------------------------------ expressions

  /** Terms between AND and OR. */
  expression = this.RULE('expression', () => {
    this.enter();
    this.SUBRULE(this.term);
    this.MANY(() => {
      this.CONSUME(t.LogicalOperator);
      this.SUBRULE2(this.term);
    });
    this.leave();
  });

  /** At most one predicate a term: `a = b = c` says nothing. */
  term = this.RULE('term', () => {
    this.MANY(() => this.CONSUME(t.Not));
    this.SUBRULE(this.value);
    this.OPTION(() => this.SUBRULE(this.predicate));
  });

  predicate = this.RULE('predicate', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.ComparisonOperator);
          this.SUBRULE(this.value, { LABEL: 'right' });
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Is);
          this.OPTION(() => this.CONSUME(t.Not));
          this.OR2([
            { ALT: () => this.CONSUME(t.Null) },
            {
              ALT: () => {
                this.CONSUME(t.Distinct);
                this.CONSUME(t.From);
                this.SUBRULE2(this.value, { LABEL: 'right' });
              },
            },
          ]);
        },
      },
      {
        ALT: () => {
          this.OPTION2(() => this.CONSUME2(t.Not));
          this.OR3([
            {
              ALT: () => {
                this.CONSUME(t.Between);
                this.SUBRULE3(this.value, { LABEL: 'lower' });
                this.CONSUME(t.And);
                this.SUBRULE4(this.value, { LABEL: 'upper' });
              },
            },
            {
              ALT: () => {
                this.CONSUME(t.In);
                this.CONSUME(t.LeftParen);
                this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.expression) });
                this.CONSUME(t.RightParen);
              },
            },
            {
              ALT: () => {
                this.CONSUME(t.Like);
                this.SUBRULE5(this.value, { LABEL: 'pattern' });
                this.OPTION3(() => {
                  this.CONSUME(t.Escape);
                  this.CONSUME(t.StringLiteral);
                });
              },
            },
          ]);
        },
      },
    ]);
  });

  /** Operands between `+ - * / % ||`. */
  value = this.RULE('value', () => {
    this.SUBRULE(this.signed);
    this.MANY(() => {
      this.CONSUME(t.ValueOperator);
      this.SUBRULE2(this.signed);
    });
  });

  signed = this.RULE('signed', () => {
    this.MANY(() => this.CONSUME(t.Sign));
    this.SUBRULE(this.primary);
    this.MANY2({
      // `->*` is no operator: it ends the select item.
      GATE: () => !(this.nextIs(1, t.Arrow) && this.nextIs(2, t.Star)),
      DEF: () => this.SUBRULE(this.access),
    });
    this.MANY3(() => {
      this.CONSUME(t.At);
      this.CONSUME(t.Time);
      this.CONSUME(t.Zone);
      this.CONSUME(t.StringLiteral, { LABEL: 'zone' });
    });
  });

  access = this.RULE('access', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.LeftBracket);
          this.SUBRULE(this.expression);
          this.CONSUME(t.RightBracket);
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Arrow);
          this.CONSUME(t.Identifier);
        },
      },
    ]);
  });

  primary = this.RULE('primary', () => {
    this.OR({
      DEF: [
        { ALT: () => this.CONSUME(t.NumberLiteral) },
        { ALT: () => this.CONSUME(t.StringLiteral) },
        { ALT: () => this.CONSUME(t.Null) },
        { ALT: () => this.CONSUME(t.BooleanLiteral) },
        {
          ALT: () => {
            this.CONSUME(t.LeftParen);
            this.SUBRULE(this.expression, { LABEL: 'inner' });
            this.CONSUME(t.RightParen);
          },
        },
        { ALT: () => this.SUBRULE(this.caseExpression) },
        { ALT: () => this.SUBRULE(this.castExpression) },
        // A column or function may be called ARRAY, MAP or STRUCT: the next sign tells.
        { GATE: () => this.nextIs(2, t.LeftBracket), ALT: () => this.SUBRULE(this.arrayConstructor) },
        { GATE: () => this.nextIs(2, t.LeftParen), ALT: () => this.SUBRULE(this.mapConstructor) },
        { GATE: () => this.nextIs(2, t.LeftParen), ALT: () => this.SUBRULE(this.structConstructor) },
        { GATE: () => this.nextIs(2, t.LeftParen), ALT: () => this.SUBRULE(this.functionCall) },
        { GATE: () => this.nextIs(2, t.StringLiteral), ALT: () => this.SUBRULE(this.typedLiteral) },
        { ALT: () => this.SUBRULE(this.columnReference) },
      ],
      IGNORE_AMBIGUITIES: true,
    });
  });

  columnReference = this.RULE('columnReference', () => {
    this.CONSUME(t.Identifier);
    this.OPTION(() => {
      this.CONSUME(t.Dot);
      this.CONSUME2(t.Identifier);
    });
  });

  /** `DECIMAL '1.50'` */
  typedLiteral = this.RULE('typedLiteral', () => {
    this.CONSUME(t.Identifier);
    this.CONSUME(t.StringLiteral);
  });

  functionCall = this.RULE('functionCall', () => {
    this.CONSUME(t.Identifier);
    this.CONSUME(t.LeftParen);
    this.OR([
      { ALT: () => this.CONSUME(t.Star) },
      { ALT: () => this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.functionArgument) }) },
    ]);
    this.CONSUME(t.RightParen);
  });

  functionArgument = this.RULE('functionArgument', () => {
    this.OR({
      DEF: [
        { GATE: () => this.lambdaIsNext(), ALT: () => this.SUBRULE(this.lambda) },
        { ALT: () => this.SUBRULE(this.expression) },
      ],
      IGNORE_AMBIGUITIES: true,
    });
  });

  lambda = this.RULE('lambda', () => {
    this.enter();
    this.OR([
      { ALT: () => this.CONSUME(t.Identifier) },
      {
        ALT: () => {
          this.CONSUME(t.LeftParen);
          this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.CONSUME2(t.Identifier) });
          this.CONSUME(t.RightParen);
        },
      },
    ]);
    this.CONSUME(t.FatArrow);
    this.SUBRULE(this.expression);
    this.leave();
  });

  caseExpression = this.RULE('caseExpression', () => {
    this.CONSUME(t.Case);
    this.OPTION(() => this.SUBRULE(this.expression, { LABEL: 'operand' }));
    this.AT_LEAST_ONE(() => this.SUBRULE(this.caseBranch));
    this.OPTION2(() => {
      this.CONSUME(t.Else);
      this.SUBRULE2(this.expression, { LABEL: 'otherwise' });
    });
    this.CONSUME(t.End);
  });

  caseBranch = this.RULE('caseBranch', () => {
    this.CONSUME(t.When);
    this.SUBRULE(this.expression, { LABEL: 'when' });
    this.CONSUME(t.Then);
    this.SUBRULE2(this.expression, { LABEL: 'result' });
  });

  castExpression = this.RULE('castExpression', () => {
    this.CONSUME(t.Cast);
    this.CONSUME(t.LeftParen);
    this.SUBRULE(this.expression);
    this.CONSUME(t.As);
    this.SUBRULE(this.type);
    this.CONSUME(t.RightParen);
  });

  arrayConstructor = this.RULE('arrayConstructor', () => {
    this.CONSUME(t.ArrayWord);
    this.CONSUME(t.LeftBracket);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.expression) });
    this.CONSUME(t.RightBracket);
  });

  mapConstructor = this.RULE('mapConstructor', () => {
    this.CONSUME(t.MapWord);
    this.CONSUME(t.LeftParen);
    this.MANY_SEP({
      SEP: t.Comma,
      DEF: () => {
        this.SUBRULE(this.expression, { LABEL: 'key' });
        this.CONSUME(t.Assign);
        this.SUBRULE2(this.expression, { LABEL: 'value' });
      },
    });
    this.CONSUME(t.RightParen);
  });

  structConstructor = this.RULE('structConstructor', () => {
    this.CONSUME(t.StructWord);
    this.CONSUME(t.LeftParen);
    this.MANY_SEP({
      SEP: t.Comma,
      DEF: () => {
        this.SUBRULE(this.identifier);
        this.CONSUME(t.Assign);
        this.SUBRULE(this.expression);
      },
    });
    this.CONSUME(t.RightParen);
  });
}
