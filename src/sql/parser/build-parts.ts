import { AssertionError } from '../../common/assert.ts';
import { type ErrorCode, SqlError, type Span } from '../../common/error.ts';
import type * as cst from '../../../grammar/cst.d.ts';
import type { CstNodeLocation, IToken } from '../../../grammar/token-types.ts';
import { MAX_NESTING } from '../../../grammar/limits.ts';
import { DecimalLiteral, FloatLiteral } from '../../../grammar/tokens.ts';
import { MAX_PRECISION } from '../../types/sql-type.ts';
import type * as ast from './ast.ts';
import { TABLE_KEY } from './elsewhere.ts';
import { resolveIdentifier, unquote, writtenIdentifier } from './names.ts';

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

/** Sizes, gaps, grace and retention are added to each other and to timestamps, and the sums must be exact. */
const MAX_DURATION_MS = 1_000_000 * 86_400_000;

/** Exponents of `DECIMAL '1e9'` beyond this would only fill memory with zeros. */
const MAX_DECIMAL_EXPONENT = 1000;

/** Names, literals, spans of time and types: what the larger trees are made of. */
export class PartBuilder {
  protected base = 0;
  readonly #typeDepths = new WeakMap<ast.TypeExpression, number>();

  protected span(location: CstNodeLocation): Span {
    return { start: location.startOffset - this.base, end: location.endOffset! + 1 - this.base };
  }

  protected tokenSpan(token: IToken): Span {
    return { start: token.startOffset - this.base, end: token.endOffset! + 1 - this.base };
  }

  protected between(first: CstNodeLocation | IToken, last: CstNodeLocation | IToken): Span {
    return { start: first.startOffset - this.base, end: last.endOffset! + 1 - this.base };
  }

  protected fail(span: Span, message: string, hint?: string, code: ErrorCode = 'ML_SYNTAX'): never {
    throw new SqlError(code, message, {
      span: { start: span.start + this.base, end: span.end + this.base },
      hint,
    });
  }

  /**
   * Builds a statement by the first of `build` whose word or part is there. A word or part of the rule that is neither
   * named there nor in `Shared`, which tells no alternatives apart, does not compile.
   */
  protected oneOf<C extends object, Shared extends keyof C>(
    children: C,
    build: { readonly [K in Exclude<keyof C, Shared>]-?: (nodes: NonNullable<C[K]>) => ast.Statement },
  ): ast.Statement {
    for (const name of Object.keys(build) as Exclude<keyof C, Shared>[]) {
      const nodes = children[name];
      if (nodes !== undefined) return build[name](nodes as NonNullable<typeof nodes>);
    }
    throw new AssertionError(`nothing builds a statement of ${Object.keys(children).join(', ')}`);
  }

  protected name(token: IToken): ast.Identifier {
    return { name: resolveIdentifier(token.image), span: this.tokenSpan(token) };
  }

  identifier(children: cst.IdentifierCstChildren): ast.Identifier {
    return this.name(children.Identifier[0]!);
  }

  protected identifierOf(nodes: readonly cst.IdentifierCstNode[] | undefined): ast.Identifier {
    return this.identifier(nodes![0]!.children);
  }

  resourceName(children: cst.ResourceNameCstChildren): ast.Identifier {
    const token = (children.Identifier ?? children.StringLiteral)![0]!;
    const name = children.Identifier === undefined ? unquote(token.image) : writtenIdentifier(token.image);
    return { name, span: this.tokenSpan(token) };
  }

  protected wholeNumber(token: IToken): number {
    const value = Number(token.image);
    if (!Number.isSafeInteger(value))
      this.fail(this.tokenSpan(token), `${shorten(token.image)} is too large here`);
    if (value < 0)
      this.fail(this.tokenSpan(token), `${shorten(token.image)} is negative, which makes no sense here`);
    return value;
  }

  duration(children: cst.DurationCstChildren): number {
    const number = children.IntegerLiteral[0]!;
    const unit = children.TimeUnit[0]!.image.toUpperCase();
    const ms = this.wholeNumber(number) * UNIT_MS.get(unit.replace(/S$/, ''))!;
    if (ms > MAX_DURATION_MS) {
      this.fail(this.between(number, children.TimeUnit[0]!), 'this span of time is too long');
    }
    return ms;
  }

  protected durationOf(nodes: readonly cst.DurationCstNode[]): number {
    return this.duration(nodes[0]!.children);
  }

  protected optionalDuration(nodes: readonly cst.DurationCstNode[] | undefined): number | null {
    return nodes === undefined ? null : this.durationOf(nodes);
  }

  literal(children: cst.LiteralCstChildren, location: CstNodeLocation): ast.Literal {
    const span = this.span(location);
    if (children.NULL !== undefined) return { kind: 'null', span };
    if (children.BooleanLiteral !== undefined) return this.boolean(children.BooleanLiteral[0]!, span);
    if (children.StringLiteral !== undefined) {
      return { kind: 'string', span, value: unquote(children.StringLiteral[0]!.image) };
    }
    return this.number(children.NumberLiteral![0]!, children.Sign?.[0]?.image === '-', span);
  }

  protected boolean(token: IToken, span: Span): ast.BooleanLiteral {
    return { kind: 'boolean', span, value: token.image.toUpperCase() === 'TRUE' };
  }

  protected number(token: IToken, negated: boolean, span: Span): ast.Literal {
    // A variable's value may bring its own minus.
    const negative = negated !== token.image.startsWith('-');
    const digits = token.image.replace(/^-/, '');
    const text = negative ? `-${digits}` : digits;
    if (token.tokenType === DecimalLiteral)
      return { kind: 'decimal', span, text: this.fewDigits(plainDecimal(text)!, span) };
    if (token.tokenType === FloatLiteral) {
      const value = Number(text);
      if (!Number.isFinite(value)) this.fail(span, `${shorten(text)} is too large for a DOUBLE`);
      return { kind: 'double', span, value };
    }
    const significant = digits.replace(/^0+(?=\d)/, '');
    const value = significant.length < 16 ? Number(text) : BigInt(significant.length < 20 ? text : 0);
    if (significant.length > 19 || BigInt.asIntN(64, BigInt(value)) !== BigInt(value)) {
      const hint = `write DECIMAL '${shorten(text)}' for an exact number`;
      this.fail(span, `${shorten(text)} is too large for a BIGINT`, hint);
    }
    if (value >= -2147483648 && value <= 2147483647) {
      // Plus zero: -0 is 0.
      return { kind: 'integer', span, value: Number(value) + 0 };
    }
    const safe = Number.isSafeInteger(Number(value));
    return { kind: 'bigint', span, value: safe ? Number(value) : value };
  }

  /** `text`, which is a decimal number as `plainDecimal` gives it. */
  protected fewDigits(text: string, span: Span): string {
    const digits = text.replace(/^-?0?|\./g, '').length;
    if (digits > MAX_PRECISION)
      this.fail(
        span,
        `a DECIMAL has at most ${MAX_PRECISION} digits, and this has ${digits}`,
        undefined,
        'ML_LIMIT',
      );
    return text;
  }

  type(children: cst.TypeCstChildren, location: CstNodeLocation): ast.TypeExpression {
    let type = this.typeBeforeSuffix(children, location);
    let depth = 1;
    for (const inner of innerTypes(type)) depth = Math.max(depth, 1 + this.#typeDepths.get(inner)!);
    for (const suffix of children.arraySuffix ?? []) {
      type = { kind: 'arrayType', span: this.between(location, suffix), element: type };
      depth++;
    }
    // `INT ARRAY ARRAY` nests without anything that the parser would count.
    if (depth > MAX_NESTING)
      this.fail(
        children.arraySuffix === undefined ? type.span : this.tokenSpan(children.arraySuffix.at(-1)!),
        `this type is nested too deeply: ${MAX_NESTING} levels are read`,
        'split it',
        'ML_LIMIT',
      );
    this.#typeDepths.set(type, depth);
    return type;
  }

  protected typeOf(nodes: readonly cst.TypeCstNode[] | undefined): ast.TypeExpression {
    return this.type(nodes![0]!.children, nodes![0]!.location!);
  }

  protected typeBeforeSuffix(children: cst.TypeCstChildren, location: CstNodeLocation): ast.TypeExpression {
    const closing = (children.Greater ?? children.RightParen ?? children.NotEqual ?? children.Identifier)!;
    const span = this.between(location, closing.at(-1)!);
    if (children.ARRAY !== undefined) {
      return { kind: 'arrayType', span, element: this.typeOf(children.element) };
    }
    if (children.MAP !== undefined) {
      return {
        kind: 'mapType',
        span,
        key: this.typeOf(children.key),
        value: this.typeOf(children.value),
      };
    }
    if (children.STRUCT !== undefined) {
      const fields = (children.structTypeField ?? []).map((field) => this.structTypeField(field.children));
      return { kind: 'structType', span, fields };
    }
    const token = children.Identifier![0]!;
    const name = resolveIdentifier(token.image);
    const parameters = (children.parameter ?? []).map((parameter) => this.wholeNumber(parameter));
    const quoted = token.image !== writtenIdentifier(token.image);
    const primitive = quoted ? undefined : PRIMITIVE_TYPES.get(name);
    if (primitive === undefined && !quoted && name === 'DECIMAL') {
      if (parameters.length !== 2 || children.wordParameter !== undefined) {
        this.fail(span, 'a DECIMAL has a precision and a scale', 'for instance DECIMAL(10, 2)');
      }
      return { kind: 'decimalType', span, precision: parameters[0]!, scale: parameters[1]! };
    }
    // What stands in VARCHAR(n) or VARCHAR(STRING) is read and not enforced.
    const words = children.wordParameter ?? [];
    for (const word of words)
      if (word.image.toUpperCase() !== 'STRING')
        this.fail(
          span,
          `${shorten(word.image)} is no parameter of a type`,
          name === 'KEY' ? TABLE_KEY.hint : 'write a number, or only the type',
        );
    const count = parameters.length + words.length;
    if (count > 0 && !(primitive === 'string' && count === 1)) {
      this.fail(span, `type ${shorten(name)} takes no parameters`);
    }
    if (primitive !== undefined) return { kind: 'primitiveType', span, type: primitive };
    return { kind: 'namedType', span, name };
  }

  structTypeField(children: cst.StructTypeFieldCstChildren): ast.StructTypeExpression['fields'][number] {
    const { name, span } = this.identifierOf(children.identifier);
    return { name, nameSpan: span, type: this.typeOf(children.type) };
  }
}

function innerTypes(type: ast.TypeExpression): readonly ast.TypeExpression[] {
  switch (type.kind) {
    case 'arrayType':
      return [type.element];
    case 'mapType':
      return [type.key, type.value];
    case 'structType':
      return type.fields.map((field) => field.type);
    default:
      return [];
  }
}

/** Short enough for a message. */
export function shorten(image: string): string {
  return image.length > 40 ? `${image.slice(0, 37)}…` : image;
}

/** `text` as digits with perhaps a minus and a point, or undefined when it is no decimal number. */
export function plainDecimal(text: string): string | undefined {
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
