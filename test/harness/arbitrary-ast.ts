import fc from 'fast-check';
import { KEYWORDS } from '../../grammar/tokens.ts';
import type * as ast from '../../src/sql/parser/ast.ts';

/** Any AST the parser could have made, for properties over the whole language. Every span is `NOWHERE`. */

const NOWHERE = { start: 0, end: 0 };
const span = fc.constant(NOWHERE);

/** Plain names, keywords, and names that only quotes can hold. */
const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('A', 'B', 'ID', 'AMOUNT', '_X', 'ROWTIME', 'T@1') },
  { weight: 2, arbitrary: fc.constantFrom(...KEYWORDS.keys()) },
  { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('lower', '7days', 'a`b', 'a"b', "a'b", '--', '/*', ';', '${v}', 'é'),
  },
);

const text = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom("'", "''", ';', '--', '/* x', '${v}', '\n', '`', '%a_'),
);
const flag = fc.boolean();
const count = fc.nat();
const identifier: fc.Arbitrary<ast.Identifier> = fc.record({ name, span });

function orNull<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.option(arbitrary, { nil: null });
}

const durationMs = fc.oneof(
  fc.nat(),
  fc.nat({ max: 100 }).map((n) => n * 1000),
  fc.nat({ max: 100 }).map((n) => n * 60_000),
  fc.nat({ max: 100 }).map((n) => n * 86_400_000),
);

const bigint = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value): number | bigint => {
  const beyond = value >= -(2n ** 31n) && value < 2n ** 31n ? value + 2n ** 40n : value;
  return Number.isSafeInteger(Number(beyond)) ? Number(beyond) : beyond;
});
const decimalText = fc
  .tuple(flag, fc.bigInt({ min: 0n, max: 10n ** 25n }), orNull(fc.stringMatching(/^\d{1,9}$/)))
  .map(([minus, whole, fraction]) => `${minus ? '-' : ''}${whole}${fraction === null ? '' : `.${fraction}`}`);

const literal: fc.Arbitrary<ast.Literal> = fc.oneof(
  fc.record({ kind: fc.constant('null' as const), span }),
  fc.record({ kind: fc.constant('boolean' as const), span, value: flag }),
  fc.record({ kind: fc.constant('integer' as const), span, value: fc.integer() }),
  fc.record({ kind: fc.constant('bigint' as const), span, value: bigint }),
  fc.record({ kind: fc.constant('decimal' as const), span, text: decimalText }),
  fc.record({
    kind: fc.constant('double' as const),
    span,
    value: fc.double({ noNaN: true, noDefaultInfinity: true }),
  }),
  fc.record({ kind: fc.constant('string' as const), span, value: text }),
);

export const arbitraryType: fc.Arbitrary<ast.TypeExpression> = fc.letrec<{ type: ast.TypeExpression }>(
  (tie) => ({
    type: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.record({
        kind: fc.constant('primitiveType' as const),
        span,
        type: fc.constantFrom(
          ...([
            'boolean',
            'integer',
            'bigint',
            'double',
            'string',
            'bytes',
            'date',
            'time',
            'timestamp',
          ] satisfies ast.PrimitiveTypeName[]),
        ),
      }),
      fc.record({ kind: fc.constant('decimalType' as const), span, precision: count, scale: count }),
      fc.record({ kind: fc.constant('namedType' as const), span, name }),
      fc.record({ kind: fc.constant('arrayType' as const), span, element: tie('type') }),
      fc.record({ kind: fc.constant('mapType' as const), span, key: tie('type'), value: tie('type') }),
      fc.record({
        kind: fc.constant('structType' as const),
        span,
        fields: fc.array(fc.record({ name, nameSpan: span, type: tie('type') }), { maxLength: 3 }),
      }),
    ),
  }),
).type;

export const arbitraryExpression: fc.Arbitrary<ast.Expression> = fc.letrec<{
  expression: ast.Expression;
  argument: ast.Expression;
}>((tie) => {
  const one = tie('expression');
  const many = fc.array(one, { maxLength: 3 });
  const some = fc.array(one, { minLength: 1, maxLength: 3 });
  return {
    argument: fc.oneof(
      { weight: 3, arbitrary: one },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('lambda' as const),
          span,
          parameters: fc.array(identifier, { minLength: 1, maxLength: 3 }),
          body: one,
        }),
      },
    ),
    expression: fc.oneof(
      { maxDepth: 5, depthSize: 'small', withCrossShrink: true },
      literal,
      fc.record({ kind: fc.constant('column' as const), span, source: orNull(name), name }),
      fc.record({ kind: fc.constant('fieldAccess' as const), span, base: one, field: name, fieldSpan: span }),
      fc.record({ kind: fc.constant('subscript' as const), span, base: one, index: one }),
      fc.record({
        kind: fc.constant('call' as const),
        span,
        name,
        nameSpan: span,
        arguments: fc.array(tie('argument'), { maxLength: 3 }),
        star: fc.constant(false),
      }),
      fc.record({
        kind: fc.constant('call' as const),
        span,
        name,
        nameSpan: span,
        arguments: fc.constant([]),
        star: fc.constant(true),
      }),
      fc.record({
        kind: fc.constant('unary' as const),
        span,
        operator: fc.constantFrom('+' as const, '-' as const),
        operand: one,
      }),
      fc.record({
        kind: fc.constant('arithmetic' as const),
        span,
        operator: fc.constantFrom('+' as const, '-' as const, '*' as const, '/' as const, '%' as const),
        left: one,
        right: one,
      }),
      fc.record({ kind: fc.constant('concatenation' as const), span, left: one, right: one }),
      fc.record({ kind: fc.constant('atTimeZone' as const), span, operand: one, zone: text }),
      fc.record({
        kind: fc.constant('comparison' as const),
        span,
        operator: fc.constantFrom(
          ...(['=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM'] as const),
        ),
        left: one,
        right: one,
      }),
      fc.record({ kind: fc.constant('isNull' as const), span, operand: one, negated: flag }),
      fc.record({
        kind: fc.constant('between' as const),
        span,
        operand: one,
        lower: one,
        upper: one,
        negated: flag,
      }),
      fc.record({ kind: fc.constant('in' as const), span, operand: one, items: some, negated: flag }),
      fc.record({
        kind: fc.constant('like' as const),
        span,
        operand: one,
        pattern: one,
        escape: orNull(text),
        negated: flag,
      }),
      fc.record({ kind: fc.constant('not' as const), span, operand: one }),
      fc.record({
        kind: fc.constant('logical' as const),
        span,
        operator: fc.constantFrom('AND' as const, 'OR' as const),
        left: one,
        right: one,
      }),
      fc.record({
        kind: fc.constant('case' as const),
        span,
        operand: orNull(one),
        branches: fc.array(fc.record({ span, when: one, result: one }), { minLength: 1, maxLength: 2 }),
        otherwise: orNull(one),
      }),
      fc.record({ kind: fc.constant('cast' as const), span, operand: one, type: arbitraryType }),
      fc.record({ kind: fc.constant('array' as const), span, items: many }),
      fc.record({
        kind: fc.constant('map' as const),
        span,
        entries: fc.array(fc.record({ key: one, value: one }), { maxLength: 2 }),
      }),
      fc.record({
        kind: fc.constant('struct' as const),
        span,
        fields: fc.array(fc.record({ name, nameSpan: span, value: one }), { maxLength: 2 }),
      }),
    ),
  };
}).expression;

const expression = arbitraryExpression;
const expressions = fc.array(expression, { maxLength: 3 });

const source: fc.Arbitrary<ast.SourceRelation> = fc.record({
  kind: fc.constant('source' as const),
  span,
  name,
  nameSpan: span,
  alias: orNull(identifier),
});

const joinPart = fc.record({
  kind: fc.constant('join' as const),
  span,
  joinType: fc.constantFrom('inner' as const, 'left' as const, 'right' as const, 'full' as const),
  right: source,
  within: orNull(fc.record({ span, beforeMs: durationMs, afterMs: durationMs, graceMs: orNull(durationMs) })),
  on: expression,
});

const relation: fc.Arbitrary<ast.Relation> = fc
  .tuple(source, fc.array(joinPart, { maxLength: 2 }))
  .map(([first, joins]) => joins.reduce<ast.Relation>((left, join) => ({ ...join, left }), first));

const clauses = { span, retentionMs: orNull(durationMs), graceMs: orNull(durationMs) };
const window: fc.Arbitrary<ast.WindowExpression> = fc.oneof(
  fc.record({ kind: fc.constant('tumbling' as const), ...clauses, sizeMs: durationMs }),
  fc.record({ kind: fc.constant('hopping' as const), ...clauses, sizeMs: durationMs, advanceMs: durationMs }),
  fc.record({ kind: fc.constant('session' as const), ...clauses, gapMs: durationMs }),
);

const selectItem: fc.Arbitrary<ast.SelectItem> = fc.oneof(
  fc.record({ kind: fc.constant('selectAll' as const), span, source: orNull(identifier) }),
  fc.record({ kind: fc.constant('selectFields' as const), span, base: expression }),
  fc.record({ kind: fc.constant('selectExpression' as const), span, expression, alias: orNull(identifier) }),
);

const query: fc.Arbitrary<ast.Query> = fc.record({
  kind: fc.constant('query' as const),
  span,
  select: fc.array(selectItem, { minLength: 1, maxLength: 3 }),
  from: relation,
  window: orNull(window),
  where: orNull(expression),
  groupBy: expressions,
  partitionBy: expressions,
  having: orNull(expression),
  emit: fc.constantFrom('changes' as const, 'final' as const, null),
  limit: orNull(count),
});

const upper = name.map((each) => each.toUpperCase());
/** In WITH there is no `DECIMAL '12'`, only what has a point. */
const value = literal.filter((each) => each.kind !== 'decimal' || each.text.includes('.'));
const properties = fc.array(fc.record({ span, name: upper, nameSpan: span, value }), {
  maxLength: 3,
});
const written = fc.array(fc.record({ span, name: text, nameSpan: span, value }), {
  minLength: 1,
  maxLength: 3,
});
const constraint: fc.Arbitrary<ast.ColumnConstraint> = fc.oneof(
  fc.record({ kind: fc.constantFrom('key' as const, 'primaryKey' as const, 'headers' as const), span }),
  fc.record({ kind: fc.constant('header' as const), span, headerKey: text }),
);
const column = { span, name, nameSpan: span, type: arbitraryType };
const elements = fc.array(fc.record({ ...column, constraint: orNull(constraint) }), { maxLength: 3 });
const sourceKind = fc.constantFrom('stream' as const, 'table' as const);
const columns = fc.array(identifier, { maxLength: 3 });
const named = { span, name, nameSpan: span };
const queryId = orNull(name);
const assignment = { span, name: text, nameSpan: span, value: text, valueSpan: span };

/** One arbitrary a kind: leaving one out, or naming one that is none, does not compile. */
const STATEMENTS: { [K in ast.StatementKind]: fc.Arbitrary<ast.StatementOf<K>> } = {
  query,
  createSource: fc.record({
    kind: fc.constant('createSource' as const),
    ...named,
    sourceKind,
    orReplace: flag,
    readOnly: flag,
    ifNotExists: flag,
    elements,
    properties,
  }),
  createSourceAs: fc.record({
    kind: fc.constant('createSourceAs' as const),
    ...named,
    sourceKind,
    orReplace: flag,
    ifNotExists: flag,
    properties,
    query,
  }),
  alterSource: fc.record({
    kind: fc.constant('alterSource' as const),
    ...named,
    sourceKind,
    columns: fc.array(fc.record({ ...column, constraint: fc.constant(null) }), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
  dropSource: fc.record({
    kind: fc.constant('dropSource' as const),
    ...named,
    sourceKind,
    ifExists: flag,
    deleteTopic: flag,
  }),
  insertSelect: fc.record({
    kind: fc.constant('insertSelect' as const),
    span,
    target: name,
    targetSpan: span,
    properties,
    query,
  }),
  insertValues: fc.record({
    kind: fc.constant('insertValues' as const),
    span,
    target: name,
    targetSpan: span,
    columns,
    values: expressions,
  }),
  createType: fc.record({
    kind: fc.constant('createType' as const),
    ...named,
    ifNotExists: flag,
    type: arbitraryType,
  }),
  dropType: fc.record({ kind: fc.constant('dropType' as const), ...named, ifExists: flag }),
  createConnector: fc.record({
    kind: fc.constant('createConnector' as const),
    ...named,
    connectorKind: fc.constantFrom('source' as const, 'sink' as const),
    ifNotExists: flag,
    properties: written,
  }),
  dropConnector: fc.record({ kind: fc.constant('dropConnector' as const), ...named, ifExists: flag }),
  describeConnector: fc.record({ kind: fc.constant('describeConnector' as const), ...named }),
  showConnectors: fc.record({
    kind: fc.constant('showConnectors' as const),
    span,
    scope: fc.constantFrom('all' as const, 'source' as const, 'sink' as const),
  }),
  showConnectorPlugins: fc.record({ kind: fc.constant('showConnectorPlugins' as const), span }),
  showTopics: fc.record({ kind: fc.constant('showTopics' as const), span, all: flag, extended: flag }),
  showSources: fc.record({ kind: fc.constant('showSources' as const), span, sourceKind, extended: flag }),
  showFunctions: fc.record({ kind: fc.constant('showFunctions' as const), span }),
  showQueries: fc.record({ kind: fc.constant('showQueries' as const), span, extended: flag }),
  showProperties: fc.record({ kind: fc.constant('showProperties' as const), span }),
  showTypes: fc.record({ kind: fc.constant('showTypes' as const), span }),
  showVariables: fc.record({ kind: fc.constant('showVariables' as const), span }),
  describeSource: fc.record({ kind: fc.constant('describeSource' as const), ...named, extended: flag }),
  describeSources: fc.record({
    kind: fc.constant('describeSources' as const),
    span,
    sourceKind,
    extended: flag,
  }),
  describeFunction: fc.record({ kind: fc.constant('describeFunction' as const), ...named }),
  explain: fc.record({
    kind: fc.constant('explain' as const),
    span,
    target: fc.oneof(
      fc.record({ kind: fc.constant('statement' as const), statement: query }),
      fc.record({ kind: fc.constant('queryId' as const), queryId: name, span }),
    ),
  }),
  printTopic: fc.record({
    kind: fc.constant('printTopic' as const),
    span,
    topic: text,
    topicSpan: span,
    fromBeginning: flag,
    interval: orNull(count),
    limit: orNull(count),
  }),
  terminate: fc.record({ kind: fc.constant('terminate' as const), span, queryId }),
  pause: fc.record({ kind: fc.constant('pause' as const), span, queryId }),
  resume: fc.record({ kind: fc.constant('resume' as const), span, queryId }),
  setProperty: fc.record({ kind: fc.constant('setProperty' as const), ...assignment }),
  unsetProperty: fc.record({
    kind: fc.constant('unsetProperty' as const),
    span,
    name: text,
    nameSpan: span,
  }),
  alterSystem: fc.record({ kind: fc.constant('alterSystem' as const), ...assignment }),
  defineVariable: fc.record({ kind: fc.constant('defineVariable' as const), span, name: upper, value: text }),
  undefineVariable: fc.record({ kind: fc.constant('undefineVariable' as const), span, name: upper }),
  assertTopic: fc.record({
    kind: fc.constant('assertTopic' as const),
    span,
    exists: flag,
    topic: text,
    topicSpan: span,
    properties,
    timeoutMs: orNull(durationMs),
  }),
  assertSchema: fc.record({
    kind: fc.constant('assertSchema' as const),
    span,
    exists: flag,
    subject: orNull(text),
    id: orNull(count),
    timeoutMs: orNull(durationMs),
  }),
  assertValues: fc.record({
    kind: fc.constant('assertValues' as const),
    span,
    source: name,
    sourceSpan: span,
    columns,
    values: expressions,
  }),
  assertTombstone: fc.record({
    kind: fc.constant('assertTombstone' as const),
    span,
    source: name,
    sourceSpan: span,
    columns,
    values: expressions,
  }),
  assertSource: fc.record({
    kind: fc.constant('assertSource' as const),
    ...named,
    sourceKind,
    elements,
    properties,
  }),
  createFunction: fc.record({
    kind: fc.constant('createFunction' as const),
    ...named,
    orReplace: flag,
    ifNotExists: flag,
    aggregate: flag,
    parameters: fc.array(fc.record({ span, name, type: arbitraryType }), { maxLength: 3 }),
    returns: fc.oneof(
      fc.record({ kind: fc.constant('value' as const), type: arbitraryType }),
      fc.record({
        kind: fc.constant('rows' as const),
        columns: fc.array(fc.record({ name, nameSpan: span, type: arbitraryType }), {
          minLength: 1,
          maxLength: 3,
        }),
      }),
    ),
    state: orNull(arbitraryType),
    language: upper,
    languageSpan: span,
    strict: flag,
    body: text,
    bodySpan: span,
  }),
  dropFunction: fc.record({ kind: fc.constant('dropFunction' as const), ...named, ifExists: flag }),
  runScript: fc.record({ kind: fc.constant('runScript' as const), span, path: text, pathSpan: span }),
};

export const arbitraryStatement: fc.Arbitrary<ast.Statement> = fc.oneof(
  ...(Object.values(STATEMENTS) as fc.Arbitrary<ast.Statement>[]),
);

/** The same tree without spans, for comparing what was said and not where. */
export function withoutSpans(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutSpans);
  if (typeof node !== 'object' || node === null) return node;
  const kept = Object.entries(node).filter(([key]) => key !== 'span' && !key.endsWith('Span'));
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutSpans(value)]));
}
