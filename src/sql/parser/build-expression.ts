import type { Span } from '../../common/error.ts';
import type * as cst from '../../../grammar/cst.d.ts';
import type { CstNode, CstNodeLocation, IToken } from '../../../grammar/token-types.ts';
import { MAX_ARGUMENTS } from '../../../grammar/limits.ts';
import { Minus } from '../../../grammar/tokens.ts';
import type * as ast from './ast.ts';
import { TIME_LITERAL } from './elsewhere.ts';
import { PartBuilder, plainDecimal, shorten } from './build-parts.ts';
import { resolveIdentifier, unquote } from './names.ts';
import { isSubstituted } from './variables.ts';

type Located<N extends CstNode> = N & { readonly children: N['children'] };

const PRECEDENCE: Readonly<Record<string, number>> = {
  OR: 1,
  AND: 2,
  '||': 1,
  '+': 2,
  '-': 2,
  '*': 3,
  '/': 3,
  '%': 3,
};

/** Expressions: precedence is applied to the flat chains of operators. */
export class ExpressionBuilder extends PartBuilder {
  /** The whole expression in which a variable may name a column. */
  protected item: CstNodeLocation | undefined;

  protected expressionOf(nodes: readonly cst.ExpressionCstNode[] | undefined): ast.Expression {
    return this.expression(nodes![0]!.children);
  }

  protected expressions(nodes: readonly cst.ExpressionCstNode[] | undefined): ast.Expression[] {
    return (nodes ?? []).map((node) => this.expression(node.children));
  }

  expression(children: cst.ExpressionCstChildren): ast.Expression {
    if (children.LogicalOperator === undefined) {
      const term = children.term[0]!;
      return this.term(term.children, term.location!);
    }
    return this.climb(
      children.term,
      children.LogicalOperator,
      (term) => this.term(term.children, term.location!),
      (operator, left, right, span) => ({
        kind: 'logical',
        span,
        operator: operator.toUpperCase() as 'AND' | 'OR',
        left,
        right,
      }),
    );
  }

  /** Left-associative operators by precedence, without recursion: chains may be long. */
  protected climb<N extends CstNode>(
    operands: readonly N[],
    operators: readonly IToken[],
    read: (operand: Located<N>) => ast.Expression,
    combine: (operator: string, left: ast.Expression, right: ast.Expression, span: Span) => ast.Expression,
  ): ast.Expression {
    // The offsets of what was written, parentheses included, beside the node it became.
    const values: { node: ast.Expression; from: CstNodeLocation; to: CstNodeLocation }[] = [];
    const pending: { image: string; precedence: number }[] = [];
    const reduce = (): void => {
      const right = values.pop()!;
      const left = values.pop()!;
      const node = combine(pending.pop()!.image, left.node, right.node, this.between(left.from, right.to));
      values.push({ node, from: left.from, to: right.to });
    };
    for (const [at, operand] of operands.entries()) {
      values.push({ node: read(operand), from: operand.location!, to: operand.location! });
      const image = operators[at]?.image;
      if (image === undefined) break;
      const precedence = PRECEDENCE[image.toUpperCase()]!;
      while (pending.length > 0 && pending.at(-1)!.precedence >= precedence) reduce();
      pending.push({ image, precedence });
    }
    while (pending.length > 0) reduce();
    return values[0]!.node;
  }

  term(children: cst.TermCstChildren, location: CstNodeLocation): ast.Expression {
    const value = children.value[0]!;
    let node = this.value(value.children);
    const predicate = children.predicate?.[0];
    if (predicate !== undefined)
      node = this.predicate(predicate.children, node, this.between(value.location!, location));
    for (const not of children.NOT?.toReversed() ?? []) {
      node = { kind: 'not', span: this.between(not, location), operand: node };
    }
    return node;
  }

  predicate(children: cst.PredicateCstChildren, operand: ast.Expression, span: Span): ast.Expression {
    const negated = children.NOT !== undefined;
    const valueOf = (nodes: readonly cst.ValueCstNode[] | undefined): ast.Expression =>
      this.value(nodes![0]!.children);
    if (children.ComparisonOperator !== undefined) {
      const image = children.ComparisonOperator[0]!.image;
      const operator = (image === '!=' ? '<>' : image) as ast.ComparisonOperator;
      return { kind: 'comparison', span, operator, left: operand, right: valueOf(children.right) };
    }
    if (children.DISTINCT !== undefined) {
      const operator = negated ? 'IS NOT DISTINCT FROM' : 'IS DISTINCT FROM';
      return { kind: 'comparison', span, operator, left: operand, right: valueOf(children.right) };
    }
    if (children.NULL !== undefined) return { kind: 'isNull', span, operand, negated };
    if (children.BETWEEN !== undefined) {
      const lower = valueOf(children.lower);
      return { kind: 'between', span, operand, lower, upper: valueOf(children.upper), negated };
    }
    if (children.IN !== undefined) {
      return { kind: 'in', span, operand, items: this.expressions(children.expression), negated };
    }
    const escape = children.StringLiteral === undefined ? null : unquote(children.StringLiteral[0]!.image);
    return { kind: 'like', span, operand, pattern: valueOf(children.pattern), escape, negated };
  }

  value(children: cst.ValueCstChildren): ast.Expression {
    if (children.ValueOperator === undefined) {
      const signed = children.signed[0]!;
      return this.signed(signed.children, signed.location!);
    }
    return this.climb(
      children.signed,
      children.ValueOperator,
      (signed) => this.signed(signed.children, signed.location!),
      (operator, left, right, span) =>
        operator === '||'
          ? { kind: 'concatenation', span, left, right }
          : { kind: 'arithmetic', span, operator: operator as ast.Arithmetic['operator'], left, right },
    );
  }

  signed(children: cst.SignedCstChildren, location: CstNodeLocation): ast.Expression {
    const primary = children.primary[0]!;
    const signs = children.Sign ?? [];
    const number = primary.children.NumberLiteral?.[0];
    const bare = children.access === undefined && children.zone === undefined;
    let outer = signs.length;
    let node: ast.Expression;
    if (number !== undefined && bare && signs.at(-1)?.tokenType === Minus) {
      outer--;
      node = this.number(number, true, this.between(signs.at(-1)!, number));
    } else {
      node = this.primary(primary.children, primary.location!);
    }
    for (const access of children.access ?? []) {
      node = this.access(access.children, node, this.between(primary.location!, access.location!));
    }
    for (const zone of children.zone ?? []) {
      const span = this.between(primary.location!, zone);
      node = { kind: 'atTimeZone', span, operand: node, zone: unquote(zone.image) };
    }
    while (outer-- > 0) {
      const sign = signs[outer]!;
      const operator = sign.image as '+' | '-';
      node = { kind: 'unary', span: this.between(sign, location), operator, operand: node };
    }
    return node;
  }

  access(children: cst.AccessCstChildren, base: ast.Expression, span: Span): ast.Expression {
    if (children.expression !== undefined) {
      return { kind: 'subscript', span, base, index: this.expressionOf(children.expression) };
    }
    const field = this.name(children.Identifier![0]!);
    return { kind: 'fieldAccess', span, base, field: field.name, fieldSpan: field.span };
  }

  primary(children: cst.PrimaryCstChildren, location: CstNodeLocation): ast.Expression {
    if (children.columnReference !== undefined) {
      return this.columnReference(children.columnReference[0]!.children, location);
    }
    const span = this.span(location);
    if (children.NumberLiteral !== undefined) return this.number(children.NumberLiteral[0]!, false, span);
    if (children.StringLiteral !== undefined) {
      return { kind: 'string', span, value: unquote(children.StringLiteral[0]!.image) };
    }
    if (children.functionCall !== undefined)
      return this.functionCall(children.functionCall[0]!.children, span);
    if (children.inner !== undefined) return this.expressionOf(children.inner);
    if (children.NULL !== undefined) return { kind: 'null', span };
    if (children.BooleanLiteral !== undefined) return this.boolean(children.BooleanLiteral[0]!, span);
    if (children.caseExpression !== undefined) {
      return this.caseExpression(children.caseExpression[0]!.children, span);
    }
    if (children.castExpression !== undefined) {
      return this.castExpression(children.castExpression[0]!.children, span);
    }
    if (children.arrayConstructor !== undefined) {
      return this.arrayConstructor(children.arrayConstructor[0]!.children, span);
    }
    if (children.mapConstructor !== undefined) {
      return this.mapConstructor(children.mapConstructor[0]!.children, span);
    }
    if (children.structConstructor !== undefined) {
      return this.structConstructor(children.structConstructor[0]!.children, span);
    }
    return this.typedLiteral(children.typedLiteral![0]!.children, span);
  }

  columnReference(children: cst.ColumnReferenceCstChildren, location: CstNodeLocation): ast.ColumnReference {
    const [first, second] = children.Identifier;
    const span = this.span(location);
    if (second !== undefined) {
      const source = resolveIdentifier(first!.image);
      return { kind: 'column', span, source, name: resolveIdentifier(second.image) };
    }
    // A variable that holds a name, where a value is wanted, would let its author make `owner = ${user}` true.
    const whole =
      this.item?.startOffset === location.startOffset && this.item.endOffset === location.endOffset;
    if (isSubstituted(first!) && !whole) {
      this.fail(
        span,
        `the variable holds the name ${shorten(first!.image)}, but here it must hold a literal`,
        "put text into quotes, as in DEFINE v = '''text'''; to use a column, write source.${v}",
      );
    }
    return { kind: 'column', span, source: null, name: resolveIdentifier(first!.image) };
  }

  typedLiteral(children: cst.TypedLiteralCstChildren, span: Span): ast.DecimalLiteral {
    const type = children.Identifier[0]!;
    if (type.image.toUpperCase() !== 'DECIMAL') {
      const hint = /^(date|time|timestamp)$/i.test(type.image)
        ? TIME_LITERAL.hint
        : 'only DECIMAL may stand before a string; others are CAST(… AS type)';
      this.fail(this.tokenSpan(type), `${shorten(type.image)} does not make a literal of a string`, hint);
    }
    const token = children.StringLiteral[0]!;
    const text = plainDecimal(unquote(token.image).trim());
    if (text === undefined)
      this.fail(this.tokenSpan(token), `${shorten(token.image)} is not a decimal number`);
    return { kind: 'decimal', span, text: this.fewDigits(text, span) };
  }

  functionCall(children: cst.FunctionCallCstChildren, span: Span): ast.FunctionCall {
    const name = this.name(children.Identifier[0]!);
    const beyond = children.functionArgument?.[MAX_ARGUMENTS];
    if (beyond !== undefined)
      this.fail(
        this.span(beyond.location!),
        `a call has at most ${MAX_ARGUMENTS} arguments`,
        'use several calls',
        'ML_LIMIT',
      );
    return {
      kind: 'call',
      span,
      name: name.name,
      nameSpan: name.span,
      arguments: (children.functionArgument ?? []).map((argument) =>
        this.functionArgument(argument.children),
      ),
      star: children.Star !== undefined,
    };
  }

  functionArgument(children: cst.FunctionArgumentCstChildren): ast.Expression {
    const lambda = children.lambda?.[0];
    if (lambda !== undefined) return this.lambda(lambda.children, lambda.location!);
    return this.expressionOf(children.expression);
  }

  lambda(children: cst.LambdaCstChildren, location: CstNodeLocation): ast.Lambda {
    const parameters = children.Identifier!.map((token) => this.name(token));
    const body = this.expressionOf(children.expression);
    return { kind: 'lambda', span: this.span(location), parameters, body };
  }

  caseExpression(children: cst.CaseExpressionCstChildren, span: Span): ast.Case {
    return {
      kind: 'case',
      span,
      operand: children.operand === undefined ? null : this.expressionOf(children.operand),
      branches: children.caseBranch.map((branch) => this.caseBranch(branch.children, branch.location!)),
      otherwise: children.otherwise === undefined ? null : this.expressionOf(children.otherwise),
    };
  }

  caseBranch(children: cst.CaseBranchCstChildren, location: CstNodeLocation): ast.CaseBranch {
    const when = this.expressionOf(children.when);
    return { span: this.span(location), when, result: this.expressionOf(children.result) };
  }

  castExpression(children: cst.CastExpressionCstChildren, span: Span): ast.Cast {
    const operand = this.expressionOf(children.expression);
    return { kind: 'cast', span, operand, type: this.typeOf(children.type) };
  }

  arrayConstructor(children: cst.ArrayConstructorCstChildren, span: Span): ast.ArrayConstructor {
    return { kind: 'array', span, items: this.expressions(children.expression) };
  }

  mapConstructor(children: cst.MapConstructorCstChildren, span: Span): ast.MapConstructor {
    const values = this.expressions(children.value);
    const keys = this.expressions(children.key);
    return { kind: 'map', span, entries: keys.map((key, at) => ({ key, value: values[at]! })) };
  }

  structConstructor(children: cst.StructConstructorCstChildren, span: Span): ast.StructConstructor {
    const values = this.expressions(children.expression);
    const fields = (children.identifier ?? []).map((node, at) => {
      const { name, span: nameSpan } = this.identifier(node.children);
      return { name, nameSpan, value: values[at]! };
    });
    return { kind: 'struct', span, fields };
  }
}
