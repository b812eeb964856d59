import { SqlError } from '../../common/error.ts';
import type { Span } from '../../common/error.ts';
import type * as cst from '../../../grammar/cst.d.ts';
import type { SqlParser } from '../../../grammar/grammar.ts';
import type { CstNode, CstNodeLocation, IToken } from '../../../grammar/token-types.ts';
import { DecimalLiteral, FloatLiteral, Minus, Stream } from '../../../grammar/tokens.ts';
import type * as ast from './ast.ts';
import { resolveIdentifier, undollar, unquote, writtenIdentifier } from './names.ts';
import { isSubstituted } from './variables.ts';

/**
 * Turns concrete syntax trees into the AST: resolves names, reads literals, applies precedence to the flat
 * chains of operators, and refuses the few things that the grammar lets pass.
 *
 * The methods are those of a Chevrotain visitor, one a rule, but are called directly so that they stay typed.
 */
export interface AstBuilder {
  /** `base` is the position in the text from which spans are to count. */
  buildStatement(node: cst.StatementCstNode, base: number): ast.Statement;
  buildExpression(node: cst.ExpressionCstNode, base: number): ast.Expression;
  buildType(node: cst.TypeCstNode, base: number): ast.TypeExpression;
  /** Throws when a rule of the grammar has no method here, or a method no rule. */
  validateVisitor(): void;
}

type Located<N extends CstNode> = N & { readonly children: N['children'] };

const PRIMITIVE_TYPES: ReadonlyMap<string, ast.PrimitiveTypeName> = new Map([
  ['BOOLEAN', 'boolean'],
  ['INT', 'integer'],
  ['INTEGER', 'integer'],
  ['BIGINT', 'bigint'],
  ['DOUBLE', 'double'],
  ['STRING', 'string'],
  ['VARCHAR', 'string'],
  ['BYTES', 'bytes'],
  ['DATE', 'date'],
  ['TIME', 'time'],
  ['TIMESTAMP', 'timestamp'],
]);

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['DAY', 86_400_000],
  ['HOUR', 3_600_000],
  ['MINUTE', 60_000],
  ['SECOND', 1_000],
  ['MILLISECOND', 1],
]);

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

/** Exponents of `DECIMAL '1e9'` beyond this would only fill memory with zeros. */
const MAX_DECIMAL_EXPONENT = 1000;

/** What `->*` may follow: the things that need no parentheses before `->`. */
const NOT_PRIMARY: ReadonlySet<ast.ExpressionKind> = new Set<ast.ExpressionKind>([
  'unary',
  'arithmetic',
  'concatenation',
  'atTimeZone',
  'comparison',
  'isNull',
  'between',
  'in',
  'like',
  'not',
  'logical',
]);

export function createAstBuilder(parser: SqlParser): AstBuilder {
  const CstVisitor = parser.getBaseCstVisitorConstructor() as new () => { validateVisitor(): void };

  class SqlAstBuilder extends CstVisitor implements AstBuilder {
    #base = 0;
    /** The whole expression in which a variable may name a column. */
    #item: CstNodeLocation | undefined;

    buildStatement(node: cst.StatementCstNode, base: number): ast.Statement {
      this.#base = base;
      return this.statement(node.children);
    }

    buildExpression(node: cst.ExpressionCstNode, base: number): ast.Expression {
      this.#base = base;
      return this.expression(node.children);
    }

    buildType(node: cst.TypeCstNode, base: number): ast.TypeExpression {
      this.#base = base;
      return this.type(node.children, node.location!);
    }

    // ------------------------------------------------------------------------------------------------ the small

    #span(location: CstNodeLocation): Span {
      return { start: location.startOffset - this.#base, end: location.endOffset! + 1 - this.#base };
    }

    #tokenSpan(token: IToken): Span {
      return { start: token.startOffset - this.#base, end: token.endOffset! + 1 - this.#base };
    }

    #between(first: CstNodeLocation | IToken, last: CstNodeLocation | IToken): Span {
      return { start: first.startOffset - this.#base, end: last.endOffset! + 1 - this.#base };
    }

    #fail(span: Span, message: string, hint?: string): never {
      throw new SqlError('ML_SYNTAX', message, {
        span: { start: span.start + this.#base, end: span.end + this.#base },
        hint,
      });
    }

    #name(token: IToken): ast.Identifier {
      return { name: resolveIdentifier(token.image), span: this.#tokenSpan(token) };
    }

    identifier(children: cst.IdentifierCstChildren): ast.Identifier {
      return this.#name(children.Identifier[0]!);
    }

    #identifierOf(nodes: readonly cst.IdentifierCstNode[] | undefined): ast.Identifier {
      return this.identifier(nodes![0]!.children);
    }

    resourceName(children: cst.ResourceNameCstChildren): ast.Identifier {
      const token = (children.Identifier ?? children.StringLiteral)![0]!;
      const name = children.Identifier === undefined ? unquote(token.image) : writtenIdentifier(token.image);
      return { name, span: this.#tokenSpan(token) };
    }

    #wholeNumber(token: IToken): number {
      const value = Number(token.image);
      if (!Number.isSafeInteger(value))
        this.#fail(this.#tokenSpan(token), `${shorten(token.image)} is too large here`);
      if (value < 0)
        this.#fail(this.#tokenSpan(token), `${shorten(token.image)} is negative, which makes no sense here`);
      return value;
    }

    duration(children: cst.DurationCstChildren): number {
      const number = children.IntegerLiteral[0]!;
      const unit = children.TimeUnit[0]!.image.toUpperCase();
      const ms = this.#wholeNumber(number) * UNIT_MS.get(unit.replace(/S$/, ''))!;
      if (!Number.isSafeInteger(ms)) {
        this.#fail(this.#between(number, children.TimeUnit[0]!), 'this span of time is too long');
      }
      return ms;
    }

    #durationOf(nodes: readonly cst.DurationCstNode[]): number {
      return this.duration(nodes[0]!.children);
    }

    #optionalDuration(nodes: readonly cst.DurationCstNode[] | undefined): number | null {
      return nodes === undefined ? null : this.#durationOf(nodes);
    }

    literal(children: cst.LiteralCstChildren, location: CstNodeLocation): ast.Literal {
      const span = this.#span(location);
      if (children.NULL !== undefined) return { kind: 'null', span };
      if (children.BooleanLiteral !== undefined) return this.#boolean(children.BooleanLiteral[0]!, span);
      if (children.StringLiteral !== undefined) {
        return { kind: 'string', span, value: unquote(children.StringLiteral[0]!.image) };
      }
      return this.#number(children.NumberLiteral![0]!, children.Sign?.[0]?.image === '-', span);
    }

    #boolean(token: IToken, span: Span): ast.BooleanLiteral {
      return { kind: 'boolean', span, value: token.image.toUpperCase() === 'TRUE' };
    }

    #number(token: IToken, negated: boolean, span: Span): ast.Literal {
      // A variable's value may bring its own minus.
      const negative = negated !== token.image.startsWith('-');
      const digits = token.image.replace(/^-/, '');
      const text = negative ? `-${digits}` : digits;
      if (token.tokenType === DecimalLiteral) return { kind: 'decimal', span, text: plainDecimal(text)! };
      if (token.tokenType === FloatLiteral) {
        const value = Number(text);
        if (!Number.isFinite(value)) this.#fail(span, `${shorten(text)} is too large for a DOUBLE`);
        return { kind: 'double', span, value };
      }
      const significant = digits.replace(/^0+(?=\d)/, '');
      const value = significant.length < 16 ? Number(text) : BigInt(significant.length < 20 ? text : 0);
      if (significant.length > 19 || BigInt.asIntN(64, BigInt(value)) !== BigInt(value)) {
        const hint = `write DECIMAL '${shorten(text)}' for an exact number`;
        this.#fail(span, `${shorten(text)} is too large for a BIGINT`, hint);
      }
      if (value >= -2147483648 && value <= 2147483647) {
        // Plus zero: -0 is 0.
        return { kind: 'integer', span, value: Number(value) + 0 };
      }
      const safe = Number.isSafeInteger(Number(value));
      return { kind: 'bigint', span, value: safe ? Number(value) : value };
    }

    // --------------------------------------------------------------------------------------------------- types

    type(children: cst.TypeCstChildren, location: CstNodeLocation): ast.TypeExpression {
      let type = this.#typeBeforeSuffix(children, location);
      for (const suffix of children.arraySuffix ?? []) {
        type = { kind: 'arrayType', span: this.#between(location, suffix), element: type };
      }
      return type;
    }

    #typeOf(nodes: readonly cst.TypeCstNode[] | undefined): ast.TypeExpression {
      return this.type(nodes![0]!.children, nodes![0]!.location!);
    }

    #typeBeforeSuffix(children: cst.TypeCstChildren, location: CstNodeLocation): ast.TypeExpression {
      const closing = (children.Greater ?? children.RightParen ?? children.NotEqual ?? children.Identifier)!;
      const span = this.#between(location, closing.at(-1)!);
      if (children.ARRAY !== undefined) {
        return { kind: 'arrayType', span, element: this.#typeOf(children.element) };
      }
      if (children.MAP !== undefined) {
        return {
          kind: 'mapType',
          span,
          key: this.#typeOf(children.key),
          value: this.#typeOf(children.value),
        };
      }
      if (children.STRUCT !== undefined) {
        const fields = (children.structTypeField ?? []).map((field) => this.structTypeField(field.children));
        return { kind: 'structType', span, fields };
      }
      const token = children.Identifier![0]!;
      const name = resolveIdentifier(token.image);
      const parameters = (children.parameter ?? []).map((parameter) => this.#wholeNumber(parameter));
      const quoted = token.image !== writtenIdentifier(token.image);
      const primitive = quoted ? undefined : PRIMITIVE_TYPES.get(name);
      if (primitive === undefined && !quoted && name === 'DECIMAL') {
        if (parameters.length !== 2 || children.wordParameter !== undefined) {
          this.#fail(span, 'a DECIMAL has a precision and a scale', 'for instance DECIMAL(10, 2)');
        }
        return { kind: 'decimalType', span, precision: parameters[0]!, scale: parameters[1]! };
      }
      // What stands in VARCHAR(n) or VARCHAR(STRING) is read and not enforced.
      const words = children.wordParameter ?? [];
      for (const word of words)
        if (word.image.toUpperCase() !== 'STRING')
          this.#fail(
            span,
            `${shorten(word.image)} is no parameter of a type`,
            'write a number, or only the type',
          );
      const count = parameters.length + words.length;
      if (count > 0 && !(primitive === 'string' && count === 1)) {
        this.#fail(span, `type ${shorten(name)} takes no parameters`);
      }
      if (primitive !== undefined) return { kind: 'primitiveType', span, type: primitive };
      return { kind: 'namedType', span, name };
    }

    structTypeField(children: cst.StructTypeFieldCstChildren): ast.StructTypeExpression['fields'][number] {
      const { name, span } = this.#identifierOf(children.identifier);
      return { name, nameSpan: span, type: this.#typeOf(children.type) };
    }

    // --------------------------------------------------------------------------------------------- expressions

    #expressionOf(nodes: readonly cst.ExpressionCstNode[] | undefined): ast.Expression {
      return this.expression(nodes![0]!.children);
    }

    #expressions(nodes: readonly cst.ExpressionCstNode[] | undefined): ast.Expression[] {
      return (nodes ?? []).map((node) => this.expression(node.children));
    }

    expression(children: cst.ExpressionCstChildren): ast.Expression {
      if (children.LogicalOperator === undefined) {
        const term = children.term[0]!;
        return this.term(term.children, term.location!);
      }
      return this.#climb(
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
    #climb<N extends CstNode>(
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
        const node = combine(pending.pop()!.image, left.node, right.node, this.#between(left.from, right.to));
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
        node = this.predicate(predicate.children, node, this.#between(value.location!, location));
      for (const not of children.NOT?.toReversed() ?? []) {
        node = { kind: 'not', span: this.#between(not, location), operand: node };
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
        return { kind: 'in', span, operand, items: this.#expressions(children.expression), negated };
      }
      const escape = children.StringLiteral === undefined ? null : unquote(children.StringLiteral[0]!.image);
      return { kind: 'like', span, operand, pattern: valueOf(children.pattern), escape, negated };
    }

    value(children: cst.ValueCstChildren): ast.Expression {
      if (children.ValueOperator === undefined) {
        const signed = children.signed[0]!;
        return this.signed(signed.children, signed.location!);
      }
      return this.#climb(
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
        node = this.#number(number, true, this.#between(signs.at(-1)!, number));
      } else {
        node = this.primary(primary.children, primary.location!);
      }
      for (const access of children.access ?? []) {
        node = this.access(access.children, node, this.#between(primary.location!, access.location!));
      }
      for (const zone of children.zone ?? []) {
        const span = this.#between(primary.location!, zone);
        node = { kind: 'atTimeZone', span, operand: node, zone: unquote(zone.image) };
      }
      while (outer-- > 0) {
        const sign = signs[outer]!;
        const operator = sign.image as '+' | '-';
        node = { kind: 'unary', span: this.#between(sign, location), operator, operand: node };
      }
      return node;
    }

    access(children: cst.AccessCstChildren, base: ast.Expression, span: Span): ast.Expression {
      if (children.expression !== undefined) {
        return { kind: 'subscript', span, base, index: this.#expressionOf(children.expression) };
      }
      const field = this.#name(children.Identifier![0]!);
      return { kind: 'fieldAccess', span, base, field: field.name, fieldSpan: field.span };
    }

    primary(children: cst.PrimaryCstChildren, location: CstNodeLocation): ast.Expression {
      if (children.columnReference !== undefined) {
        return this.columnReference(children.columnReference[0]!.children, location);
      }
      const span = this.#span(location);
      if (children.NumberLiteral !== undefined) return this.#number(children.NumberLiteral[0]!, false, span);
      if (children.StringLiteral !== undefined) {
        return { kind: 'string', span, value: unquote(children.StringLiteral[0]!.image) };
      }
      if (children.functionCall !== undefined)
        return this.functionCall(children.functionCall[0]!.children, span);
      if (children.inner !== undefined) return this.#expressionOf(children.inner);
      if (children.NULL !== undefined) return { kind: 'null', span };
      if (children.BooleanLiteral !== undefined) return this.#boolean(children.BooleanLiteral[0]!, span);
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

    columnReference(
      children: cst.ColumnReferenceCstChildren,
      location: CstNodeLocation,
    ): ast.ColumnReference {
      const [first, second] = children.Identifier;
      const span = this.#span(location);
      if (second !== undefined) {
        const source = resolveIdentifier(first!.image);
        return { kind: 'column', span, source, name: resolveIdentifier(second.image) };
      }
      // Where a value is wanted, a variable that holds a name would let its author turn `owner = ${user}` true.
      const whole =
        this.#item?.startOffset === location.startOffset && this.#item.endOffset === location.endOffset;
      if (isSubstituted(first!) && !whole) {
        this.#fail(
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
        const hint = 'only DECIMAL may stand before a string; others are CAST(… AS type)';
        this.#fail(this.#tokenSpan(type), `${shorten(type.image)} does not make a literal of a string`, hint);
      }
      const token = children.StringLiteral[0]!;
      const text = plainDecimal(unquote(token.image).trim());
      if (text === undefined)
        this.#fail(this.#tokenSpan(token), `${shorten(token.image)} is not a decimal number`);
      return { kind: 'decimal', span, text };
    }

    functionCall(children: cst.FunctionCallCstChildren, span: Span): ast.FunctionCall {
      const name = this.#name(children.Identifier[0]!);
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
      return this.#expressionOf(children.expression);
    }

    lambda(children: cst.LambdaCstChildren, location: CstNodeLocation): ast.Lambda {
      const parameters = children.Identifier!.map((token) => this.#name(token));
      const body = this.#expressionOf(children.expression);
      return { kind: 'lambda', span: this.#span(location), parameters, body };
    }

    caseExpression(children: cst.CaseExpressionCstChildren, span: Span): ast.Case {
      return {
        kind: 'case',
        span,
        operand: children.operand === undefined ? null : this.#expressionOf(children.operand),
        branches: children.caseBranch.map((branch) => this.caseBranch(branch.children, branch.location!)),
        otherwise: children.otherwise === undefined ? null : this.#expressionOf(children.otherwise),
      };
    }

    caseBranch(children: cst.CaseBranchCstChildren, location: CstNodeLocation): ast.CaseBranch {
      const when = this.#expressionOf(children.when);
      return { span: this.#span(location), when, result: this.#expressionOf(children.result) };
    }

    castExpression(children: cst.CastExpressionCstChildren, span: Span): ast.Cast {
      const operand = this.#expressionOf(children.expression);
      return { kind: 'cast', span, operand, type: this.#typeOf(children.type) };
    }

    arrayConstructor(children: cst.ArrayConstructorCstChildren, span: Span): ast.ArrayConstructor {
      return { kind: 'array', span, items: this.#expressions(children.expression) };
    }

    mapConstructor(children: cst.MapConstructorCstChildren, span: Span): ast.MapConstructor {
      const values = this.#expressions(children.value);
      const keys = this.#expressions(children.key);
      return { kind: 'map', span, entries: keys.map((key, at) => ({ key, value: values[at]! })) };
    }

    structConstructor(children: cst.StructConstructorCstChildren, span: Span): ast.StructConstructor {
      const values = this.#expressions(children.expression);
      const fields = (children.identifier ?? []).map((node, at) => {
        const { name, span: nameSpan } = this.identifier(node.children);
        return { name, nameSpan, value: values[at]! };
      });
      return { kind: 'struct', span, fields };
    }

    // ------------------------------------------------------------------------------------------------- queries

    query(children: cst.QueryCstChildren, location: CstNodeLocation): ast.Query {
      const limit = children.IntegerLiteral?.[0];
      const [source] = children.source;
      let from: ast.Relation = this.source(source!.children, source!.location!);
      for (const join of children.join ?? []) {
        from = this.join(join.children, from, this.#between(source!.location!, join.location!));
      }
      const windowClause = children.windowClause?.[0];
      return {
        kind: 'query',
        span: this.#span(location),
        select: children.selectItem.map((item) => this.selectItem(item.children, item.location!)),
        from,
        window:
          windowClause === undefined
            ? null
            : this.windowClause(windowClause.children, windowClause.location!),
        where: children.where === undefined ? null : this.#expressionOf(children.where),
        groupBy: this.#listOf(children.groupBy),
        partitionBy: this.#listOf(children.partitionBy),
        having: children.having === undefined ? null : this.#expressionOf(children.having),
        emit: children.CHANGES !== undefined ? 'changes' : children.FINAL !== undefined ? 'final' : null,
        limit: limit === undefined ? null : this.#wholeNumber(limit),
      };
    }

    #queryOf(nodes: readonly cst.QueryCstNode[]): ast.Query {
      return this.query(nodes[0]!.children, nodes[0]!.location!);
    }

    #listOf(nodes: readonly cst.ExpressionListCstNode[] | undefined): ast.Expression[] {
      return nodes === undefined ? [] : this.expressionList(nodes[0]!.children);
    }

    expressionList(children: cst.ExpressionListCstChildren): ast.Expression[] {
      return children.expression!.map((node) => this.#itemOf(node));
    }

    /** An expression that may be a column that a variable names. */
    #itemOf(node: cst.ExpressionCstNode): ast.Expression {
      this.#item = node.location;
      const expression = this.expression(node.children);
      this.#item = undefined;
      return expression;
    }

    selectItem(children: cst.SelectItemCstChildren, location: CstNodeLocation): ast.SelectItem {
      const span = this.#span(location);
      const node = children.expression?.[0];
      if (node === undefined) {
        const source = children.starSource?.[0];
        return { kind: 'selectAll', span, source: source === undefined ? null : this.#name(source) };
      }
      const expression = this.#itemOf(node);
      if (children.Arrow !== undefined) {
        const parenthesized = this.#span(node.location!).end !== expression.span.end;
        if (NOT_PRIMARY.has(expression.kind) && !parenthesized) {
          this.#fail(
            this.#between(children.Arrow[0]!, location),
            '->* must follow a struct, not an operation',
            'put the expression before ->* into parentheses',
          );
        }
        return { kind: 'selectFields', span, base: expression };
      }
      const alias = children.alias?.[0];
      return {
        kind: 'selectExpression',
        span,
        expression,
        alias: alias === undefined ? null : this.#name(alias),
      };
    }

    source(children: cst.SourceCstChildren, location: CstNodeLocation): ast.SourceRelation {
      const { name, span: nameSpan } = this.#identifierOf(children.identifier);
      const alias = children.alias?.[0];
      return {
        kind: 'source',
        span: this.#span(location),
        name,
        nameSpan,
        alias: alias === undefined ? null : this.#name(alias),
      };
    }

    join(children: cst.JoinCstChildren, left: ast.Relation, span: Span): ast.JoinRelation {
      const joinType =
        children.LEFT !== undefined
          ? 'left'
          : children.RIGHT !== undefined
            ? 'right'
            : children.FULL !== undefined
              ? 'full'
              : 'inner';
      const right = children.source[0]!;
      const within = children.joinWindow?.[0];
      return {
        kind: 'join',
        span,
        joinType,
        left,
        right: this.source(right.children, right.location!),
        within: within === undefined ? null : this.joinWindow(within.children, within.location!),
        on: this.#expressionOf(children.expression),
      };
    }

    joinWindow(children: cst.JoinWindowCstChildren, location: CstNodeLocation): ast.JoinWindow {
      const beforeMs = this.#durationOf(children.before!);
      return {
        span: this.#span(location),
        beforeMs,
        afterMs: children.after === undefined ? beforeMs : this.#durationOf(children.after),
        graceMs: this.#optionalDuration(children.grace),
      };
    }

    windowClause(children: cst.WindowClauseCstChildren, location: CstNodeLocation): ast.WindowExpression {
      const kind = (children.TUMBLING ?? children.HOPPING ?? children.SESSION)![0]!;
      const clauses = {
        span: this.#between(kind, location),
        retentionMs: this.#optionalDuration(children.retention),
        graceMs: this.#optionalDuration(children.grace),
      };
      const sizeMs = this.#durationOf(children.size!);
      if (children.TUMBLING !== undefined) return { kind: 'tumbling', ...clauses, sizeMs };
      if (children.SESSION !== undefined) return { kind: 'session', ...clauses, gapMs: sizeMs };
      return { kind: 'hopping', ...clauses, sizeMs, advanceMs: this.#durationOf(children.advance!) };
    }

    // ---------------------------------------------------------------------------------------------- statements

    terminatedStatement(children: cst.TerminatedStatementCstChildren): ast.Statement {
      return this.statement(children.statement[0]!.children);
    }

    statement(children: cst.StatementCstChildren): ast.Statement {
      const [nodes] = Object.values(children);
      const node = nodes![0]!;
      const location = node.location!;
      switch (node.name) {
        case 'query':
          return this.query(node.children, location);
        case 'createStatement':
          return this.createStatement(node.children, location);
        case 'insertStatement':
          return this.insertStatement(node.children, location);
        case 'alterStatement':
          return this.alterStatement(node.children, location);
        case 'dropStatement':
          return this.dropStatement(node.children, location);
        case 'showStatement':
          return this.showStatement(node.children, location);
        case 'describeStatement':
          return this.describeStatement(node.children, location);
        case 'explainStatement':
          return this.explainStatement(node.children, location);
        case 'printStatement':
          return this.printStatement(node.children, location);
        case 'controlStatement':
          return this.controlStatement(node.children, location);
        case 'setStatement':
          return this.setStatement(node.children, location);
        case 'unsetStatement':
          return this.unsetStatement(node.children, location);
        case 'defineStatement':
          return this.defineStatement(node.children, location);
        case 'undefineStatement':
          return this.undefineStatement(node.children, location);
        case 'assertStatement':
          return this.assertStatement(node.children, location);
        case 'runScriptStatement':
          return this.runScriptStatement(node.children, location);
      }
    }

    // The parts of statements have nothing of their own to build.
    ifNotExists(): void {}
    ifExists(): void {}

    timeout(children: cst.TimeoutCstChildren): number {
      return this.#durationOf(children.duration);
    }

    #timeoutOf(nodes: readonly cst.TimeoutCstNode[] | undefined): number | null {
      return nodes === undefined ? null : this.timeout(nodes[0]!.children);
    }

    tableElements(children: cst.TableElementsCstChildren): ast.TableElement[] {
      return children.tableElement.map((element) => this.tableElement(element.children, element.location!));
    }

    #elementsOf(nodes: readonly cst.TableElementsCstNode[] | undefined): ast.TableElement[] {
      return nodes === undefined ? [] : this.tableElements(nodes[0]!.children);
    }

    tableElement(children: cst.TableElementCstChildren, location: CstNodeLocation): ast.TableElement {
      const { name, span: nameSpan } = this.#identifierOf(children.identifier);
      const constraint = children.columnConstraint?.[0];
      return {
        span: this.#span(location),
        name,
        nameSpan,
        type: this.#typeOf(children.type),
        constraint:
          constraint === undefined ? null : this.columnConstraint(constraint.children, constraint.location!),
      };
    }

    columnConstraint(
      children: cst.ColumnConstraintCstChildren,
      location: CstNodeLocation,
    ): ast.ColumnConstraint {
      const span = this.#span(location);
      if (children.HEADERS !== undefined) return { kind: 'headers', span };
      if (children.HEADER !== undefined) {
        return { kind: 'header', span, headerKey: unquote(children.StringLiteral![0]!.image) };
      }
      return { kind: children.PRIMARY === undefined ? 'key' : 'primaryKey', span };
    }

    withProperties(children: cst.WithPropertiesCstChildren): ast.WithProperty[] {
      return children.withProperty.map((property) =>
        this.withProperty(property.children, property.location!),
      );
    }

    #propertiesOf(nodes: readonly cst.WithPropertiesCstNode[] | undefined): ast.WithProperty[] {
      return nodes === undefined ? [] : this.withProperties(nodes[0]!.children);
    }

    withProperty(children: cst.WithPropertyCstChildren, location: CstNodeLocation): ast.WithProperty {
      const name = this.resourceName(children);
      const literal = children.literal[0]!;
      return {
        span: this.#span(location),
        name: name.name.toUpperCase(),
        nameSpan: name.span,
        value: this.literal(literal.children, literal.location!),
      };
    }

    columnList(children: cst.ColumnListCstChildren): ast.Identifier[] {
      return children.identifier.map((node) => this.identifier(node.children));
    }

    #columnsOf(nodes: readonly cst.ColumnListCstNode[] | undefined): ast.Identifier[] {
      return nodes === undefined ? [] : this.columnList(nodes[0]!.children);
    }

    rowValues(children: cst.RowValuesCstChildren): ast.Expression[] {
      return this.#expressions(children.expression);
    }

    #sourceKind(tokens: readonly IToken[]): ast.SourceKind {
      return tokens[0]!.tokenType === Stream ? 'stream' : 'table';
    }

    createStatement(children: cst.CreateStatementCstChildren, location: CstNodeLocation): ast.Statement {
      const span = this.#span(location);
      const orReplace = children.REPLACE !== undefined;
      const source = children.createSource?.[0];
      if (source !== undefined)
        return this.createSource(source.children, span, orReplace, children.SOURCE?.[0]);
      if (children.createFunction !== undefined)
        return this.createFunction(children.createFunction[0]!.children, span, orReplace);
      if (orReplace) {
        this.#fail(
          this.#between(children.OR![0]!, children.REPLACE![0]!),
          'OR REPLACE is only for streams, tables and functions',
          'drop the old one first',
        );
      }
      if (children.createType !== undefined) return this.createType(children.createType[0]!.children, span);
      const connectorKind = children.SINK === undefined ? 'source' : 'sink';
      return this.createConnector(children.createConnector![0]!.children, span, connectorKind);
    }

    createSource(
      children: cst.CreateSourceCstChildren,
      span: Span,
      orReplace: boolean,
      readOnly: IToken | undefined,
    ): ast.CreateSource | ast.CreateSourceAs {
      const { name, span: nameSpan } = this.#identifierOf(children.identifier);
      const shared = {
        span,
        sourceKind: this.#sourceKind(children.SourceKindWord),
        orReplace,
        ifNotExists: children.ifNotExists !== undefined,
        name,
        nameSpan,
        properties: this.#propertiesOf(children.withProperties),
      };
      if (children.query === undefined) {
        const elements = this.#elementsOf(children.tableElements);
        return { kind: 'createSource', ...shared, readOnly: readOnly !== undefined, elements };
      }
      if (readOnly !== undefined) {
        this.#fail(
          this.#tokenSpan(readOnly),
          'a SOURCE is read from an existing topic and can have no query',
          'leave SOURCE out',
        );
      }
      if (children.tableElements !== undefined) {
        this.#fail(
          this.#span(children.tableElements[0]!.location!),
          'columns cannot be listed where a query makes them',
          'leave the list out, and name or CAST the columns in the SELECT',
        );
      }
      return { kind: 'createSourceAs', ...shared, query: this.#queryOf(children.query) };
    }

    createConnector(
      children: cst.CreateConnectorCstChildren,
      span: Span,
      connectorKind: 'source' | 'sink',
    ): ast.CreateConnector {
      const { name, span: nameSpan } = this.#identifierOf(children.identifier);
      // Connectors' property names are case-sensitive.
      const properties = children.withProperties[0]!.children.withProperty.map((property) => ({
        ...this.withProperty(property.children, property.location!),
        name: this.resourceName(property.children).name,
      }));
      const ifNotExists = children.ifNotExists !== undefined;
      return { kind: 'createConnector', span, connectorKind, ifNotExists, name, nameSpan, properties };
    }

    createType(children: cst.CreateTypeCstChildren, span: Span): ast.CreateType {
      const { name, span: nameSpan } = this.#identifierOf(children.identifier);
      const ifNotExists = children.ifNotExists !== undefined;
      return { kind: 'createType', span, ifNotExists, name, nameSpan, type: this.#typeOf(children.type) };
    }

    createFunction(
      children: cst.CreateFunctionCstChildren,
      span: Span,
      orReplace: boolean,
    ): ast.CreateFunction {
      const { name, span: nameSpan } = this.#identifierOf(children.identifier);
      const { name: language, span: languageSpan } = this.#identifierOf(children.language);
      const body = (children.DollarString ?? children.StringLiteral)![0]!;
      return {
        kind: 'createFunction',
        span,
        orReplace,
        ifNotExists: children.ifNotExists !== undefined,
        aggregate: children.AGGREGATE !== undefined,
        name,
        nameSpan,
        parameters: (children.functionParameter ?? []).map((each) =>
          this.functionParameter(each.children, each.location!),
        ),
        returns:
          children.functionColumn === undefined
            ? { kind: 'value', type: this.#typeOf(children.returns!) }
            : {
                kind: 'rows',
                columns: children.functionColumn.map((each) => this.functionColumn(each.children)),
              },
        state: children.state === undefined ? null : this.#typeOf(children.state),
        language: language.toUpperCase(),
        languageSpan,
        strict: children.STRICT !== undefined,
        body: children.DollarString === undefined ? unquote(body.image) : undollar(body.image),
        bodySpan: this.#tokenSpan(body),
      };
    }

    functionParameter(
      children: cst.FunctionParameterCstChildren,
      location: CstNodeLocation,
    ): ast.FunctionParameter {
      return {
        span: this.#span(location),
        name: writtenIdentifier(children.Identifier[0]!.image),
        type: this.#typeOf(children.type),
      };
    }

    functionColumn(children: cst.FunctionColumnCstChildren): {
      name: string;
      nameSpan: Span;
      type: ast.TypeExpression;
    } {
      const { name, span: nameSpan } = this.#identifierOf(children.identifier);
      return { name, nameSpan, type: this.#typeOf(children.type) };
    }

    alterStatement(children: cst.AlterStatementCstChildren, location: CstNodeLocation): ast.Statement {
      const span = this.#span(location);
      if (children.SYSTEM !== undefined) {
        return {
          kind: 'alterSystem',
          span,
          ...this.#assignment(children.property![0]!, children.setting![0]!),
        };
      }
      const { name, span: nameSpan } = this.#identifierOf(children.identifier);
      const columns = children.addColumn!.map((column) => this.addColumn(column.children));
      return {
        kind: 'alterSource',
        span,
        sourceKind: this.#sourceKind(children.SourceKindWord!),
        name,
        nameSpan,
        columns,
      };
    }

    addColumn(children: cst.AddColumnCstChildren): ast.TableElement {
      const { name, span: nameSpan } = this.#identifierOf(children.identifier);
      const span = this.#between(children.identifier[0]!.location!, children.type[0]!.location!);
      return { span, name, nameSpan, type: this.#typeOf(children.type), constraint: null };
    }

    dropStatement(children: cst.DropStatementCstChildren, location: CstNodeLocation): ast.Statement {
      const { name, span: nameSpan } = this.#identifierOf(children.identifier);
      const shared = {
        span: this.#span(location),
        name,
        nameSpan,
        ifExists: children.ifExists !== undefined,
      };
      if (children.CONNECTOR !== undefined) return { kind: 'dropConnector', ...shared };
      if (children.TYPE !== undefined) return { kind: 'dropType', ...shared };
      if (children.FUNCTION !== undefined) return { kind: 'dropFunction', ...shared };
      const deleteTopic = children.DELETE !== undefined;
      return {
        kind: 'dropSource',
        ...shared,
        sourceKind: this.#sourceKind(children.SourceKindWord!),
        deleteTopic,
      };
    }

    insertStatement(children: cst.InsertStatementCstChildren, location: CstNodeLocation): ast.Statement {
      const { name: target, span: targetSpan } = this.#identifierOf(children.identifier);
      const shared = { span: this.#span(location), target, targetSpan };
      if (children.query !== undefined) {
        const properties = this.#propertiesOf(children.withProperties);
        return { kind: 'insertSelect', ...shared, properties, query: this.#queryOf(children.query) };
      }
      const columns = this.#columnsOf(children.columnList);
      return {
        kind: 'insertValues',
        ...shared,
        columns,
        values: this.rowValues(children.rowValues![0]!.children),
      };
    }

    showStatement(children: cst.ShowStatementCstChildren, location: CstNodeLocation): ast.Statement {
      const span = this.#span(location);
      const extended = children.EXTENDED !== undefined;
      if (children.TOPICS !== undefined) {
        return { kind: 'showTopics', span, all: children.ALL !== undefined, extended };
      }
      if (children.SourcesWord !== undefined) {
        return { kind: 'showSources', span, sourceKind: sourcesKind(children.SourcesWord), extended };
      }
      if (children.QUERIES !== undefined) return { kind: 'showQueries', span, extended };
      if (children.CONNECTORS !== undefined) {
        const scope = children.SOURCE !== undefined ? 'source' : children.SINK !== undefined ? 'sink' : 'all';
        return { kind: 'showConnectors', span, scope };
      }
      if (children.PLUGINS !== undefined) return { kind: 'showConnectorPlugins', span };
      if (children.FUNCTIONS !== undefined) return { kind: 'showFunctions', span };
      if (children.PROPERTIES !== undefined) return { kind: 'showProperties', span };
      if (children.TYPES !== undefined) return { kind: 'showTypes', span };
      return { kind: 'showVariables', span };
    }

    describeStatement(children: cst.DescribeStatementCstChildren, location: CstNodeLocation): ast.Statement {
      const span = this.#span(location);
      const extended = children.EXTENDED !== undefined;
      if (children.SourcesWord !== undefined) {
        return { kind: 'describeSources', span, sourceKind: sourcesKind(children.SourcesWord), extended };
      }
      if (children.source !== undefined) {
        const { name, span: nameSpan } = this.#identifierOf(children.source);
        return { kind: 'describeSource', span, name, nameSpan, extended };
      }
      const { name, span: nameSpan } = this.#identifierOf(children.identifier);
      const kind = children.CONNECTOR === undefined ? 'describeFunction' : 'describeConnector';
      return { kind, span, name, nameSpan };
    }

    explainStatement(children: cst.ExplainStatementCstChildren, location: CstNodeLocation): ast.Explain {
      const span = this.#span(location);
      if (children.statement !== undefined) {
        const statement = this.statement(children.statement[0]!.children);
        return { kind: 'explain', span, target: { kind: 'statement', statement } };
      }
      const id = this.#identifierOf(children.identifier);
      return { kind: 'explain', span, target: { kind: 'queryId', queryId: id.name, span: id.span } };
    }

    printStatement(children: cst.PrintStatementCstChildren, location: CstNodeLocation): ast.PrintTopic {
      const { name: topic, span: topicSpan } = this.resourceName(children.resourceName[0]!.children);
      return {
        kind: 'printTopic',
        span: this.#span(location),
        topic,
        topicSpan,
        fromBeginning: children.BEGINNING !== undefined,
        interval: children.interval === undefined ? null : this.#wholeNumber(children.interval[0]!),
        limit: children.limit === undefined ? null : this.#wholeNumber(children.limit[0]!),
      };
    }

    controlStatement(children: cst.ControlStatementCstChildren, location: CstNodeLocation): ast.Statement {
      const queryId = children.ALL === undefined ? this.#identifierOf(children.identifier).name : null;
      const kind =
        children.TERMINATE !== undefined ? 'terminate' : children.PAUSE !== undefined ? 'pause' : 'resume';
      return { kind, span: this.#span(location), queryId };
    }

    #property(token: IToken): { name: string; nameSpan: Span } {
      return { name: unquote(token.image), nameSpan: this.#tokenSpan(token) };
    }

    #assignment(
      property: IToken,
      setting: IToken,
    ): { name: string; nameSpan: Span; value: string; valueSpan: Span } {
      return {
        ...this.#property(property),
        value: unquote(setting.image),
        valueSpan: this.#tokenSpan(setting),
      };
    }

    setStatement(children: cst.SetStatementCstChildren, location: CstNodeLocation): ast.SetProperty {
      const assignment = this.#assignment(children.property[0]!, children.setting[0]!);
      return { kind: 'setProperty', span: this.#span(location), ...assignment };
    }

    unsetStatement(children: cst.UnsetStatementCstChildren, location: CstNodeLocation): ast.UnsetProperty {
      return { kind: 'unsetProperty', span: this.#span(location), ...this.#property(children.property[0]!) };
    }

    defineStatement(children: cst.DefineStatementCstChildren, location: CstNodeLocation): ast.DefineVariable {
      const name = this.#identifierOf(children.identifier).name.toUpperCase();
      const value = unquote(children.StringLiteral[0]!.image);
      return { kind: 'defineVariable', span: this.#span(location), name, value };
    }

    undefineStatement(
      children: cst.UndefineStatementCstChildren,
      location: CstNodeLocation,
    ): ast.UndefineVariable {
      const name = this.#identifierOf(children.identifier).name.toUpperCase();
      return { kind: 'undefineVariable', span: this.#span(location), name };
    }

    assertStatement(children: cst.AssertStatementCstChildren, location: CstNodeLocation): ast.Statement {
      const span = this.#span(location);
      const exists = children.EXISTS === undefined;
      if (children.assertTopic !== undefined) {
        return this.assertTopic(children.assertTopic[0]!.children, span, exists);
      }
      if (children.assertSchema !== undefined) {
        return this.assertSchema(children.assertSchema[0]!.children, span, exists);
      }
      const { name, span: nameSpan } = this.#identifierOf(children.identifier);
      if (children.rowValues !== undefined) {
        return {
          kind: children.NULL === undefined ? 'assertValues' : 'assertTombstone',
          span,
          source: name,
          sourceSpan: nameSpan,
          columns: this.#columnsOf(children.columnList),
          values: this.rowValues(children.rowValues[0]!.children),
        };
      }
      return {
        kind: 'assertSource',
        span,
        sourceKind: this.#sourceKind(children.SourceKindWord!),
        name,
        nameSpan,
        elements: this.#elementsOf(children.tableElements),
        properties: this.#propertiesOf(children.withProperties),
      };
    }

    assertTopic(children: cst.AssertTopicCstChildren, span: Span, exists: boolean): ast.AssertTopic {
      const { name: topic, span: topicSpan } = this.resourceName(children.resourceName[0]!.children);
      const properties = this.#propertiesOf(children.withProperties);
      const timeoutMs = this.#timeoutOf(children.timeout);
      return { kind: 'assertTopic', span, exists, topic, topicSpan, properties, timeoutMs };
    }

    assertSchema(children: cst.AssertSchemaCstChildren, span: Span, exists: boolean): ast.AssertSchema {
      const subject = children.resourceName?.[0];
      const id = children.IntegerLiteral?.[0];
      return {
        kind: 'assertSchema',
        span,
        exists,
        subject: subject === undefined ? null : this.resourceName(subject.children).name,
        id: id === undefined ? null : this.#wholeNumber(id),
        timeoutMs: this.#timeoutOf(children.timeout),
      };
    }

    runScriptStatement(
      children: cst.RunScriptStatementCstChildren,
      location: CstNodeLocation,
    ): ast.RunScript {
      const path = children.StringLiteral[0]!;
      const pathSpan = this.#tokenSpan(path);
      return { kind: 'runScript', span: this.#span(location), path: unquote(path.image), pathSpan };
    }
  }

  return new SqlAstBuilder();
}

function sourcesKind(tokens: readonly IToken[]): ast.SourceKind {
  return tokens[0]!.image.toUpperCase() === 'STREAMS' ? 'stream' : 'table';
}

/** Short enough for a message. */
function shorten(image: string): string {
  return image.length > 40 ? `${image.slice(0, 37)}…` : image;
}

/** `text` as digits with perhaps a minus and a point, or undefined when it is no decimal number. */
function plainDecimal(text: string): string | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const exponent = Number(match[4] ?? 0);
  let whole = match[2]!;
  let fraction = match[3] ?? '';
  if (whole === '' && fraction === '') return undefined;
  if (Math.abs(exponent) > MAX_DECIMAL_EXPONENT) return undefined;
  if (exponent >= 0) {
    fraction = fraction.padEnd(exponent, '0');
    whole += fraction.slice(0, exponent);
    fraction = fraction.slice(exponent);
  } else {
    whole = whole.padStart(-exponent, '0');
    fraction = whole.slice(exponent) + fraction;
    whole = whole.slice(0, exponent);
  }
  whole = whole.replace(/^0+(?=\d)/, '') || '0';
  return (match[1] === '-' ? '-' : '') + whole + (fraction === '' ? '' : `.${fraction}`);
}
