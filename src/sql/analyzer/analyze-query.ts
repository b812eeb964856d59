import { must } from '../../common/assert.ts';
import { SqlError, type Span } from '../../common/error.ts';
import { formatOf } from '../../formats/registry.ts';
import {
  resolveAggregate,
  resolveTable,
  type ArgumentType,
  type ResolvedAggregate,
} from '../../functions/resolve.ts';
import { printIdentifier, printType } from '../../types/print-type.ts';
import { BIGINT, INTEGER } from '../../types/sql-type.ts';
import type { Expression } from '../expressions/expression.ts';
import { equalExpressions, mapChildren } from '../expressions/walk.ts';
import type * as ast from '../parser/ast.ts';
import type { AnalyzeContext } from './analyze-context.ts';
import { analyzeCondition, analyzeExpression } from './analyze-expression.ts';
import { analyzeRelation, refuseKafkaValues, scopeOf } from './analyze-relation.ts';
import {
  type AggregateCall,
  type AnalyzedQuery,
  type AnalyzedRelation,
  type Grouping,
  type KeyColumn,
  type PartitionBy,
  type SelectColumn,
  type SourceRelation,
  sourcesOf,
  type TableCall,
  type WindowDefinition,
} from './analyzed-query.ts';
import { cast } from './cast-expression.ts';
import type { ExpressionContext } from './expression-context.ts';
import { literalValue } from './literal.ts';
import { PSEUDO_COLUMNS, Scope, WINDOW_BOUNDS } from './scope.ts';

const DAY_MS = 86_400_000;

/**
 * Stand-ins for columns that exist only after grouping, until it is known where they are: window bounds and the
 * results of aggregate calls. Far beyond any row.
 */
const WINDOW_START = 1 << 28;
const WINDOW_END = WINDOW_START + 1;
const FIRST_CALL = WINDOW_START + 2;

/** SELECT, of any kind of query. What only persistent or pull queries forbid is checked by their own analyzers. */
export function analyzeQuery(query: ast.Query, context: AnalyzeContext): AnalyzedQuery {
  return new QueryAnalysis(query, context).analyze();
}

/** A select item with its name still to be chosen. */
interface Item {
  readonly expression: Expression;
  readonly span: Span;
  readonly alias: string | null;
  /** The name it has when there is no alias; null: one is generated. */
  readonly ownName: string | null;
  /** Its own name may get a number when it is taken (fields of structs). */
  readonly numbered: boolean;
  readonly isWindowBound: boolean;
}

class QueryAnalysis {
  readonly #query: ast.Query;
  readonly #context: AnalyzeContext;
  readonly #from: AnalyzedRelation;
  readonly #scope: Scope;
  readonly #spans = new Map<Expression, Span>();
  readonly #tableCalls: TableCall[] = [];
  readonly #calls: AggregateCall[] = [];
  readonly #isGrouped: boolean;
  /** The expressions of PARTITION BY. */
  #partitionKeys: readonly Expression[] = [];

  constructor(query: ast.Query, context: AnalyzeContext) {
    this.#query = query;
    this.#context = context;
    this.#from = analyzeRelation(query.from, context);
    this.#scope = scopeOf(this.#from);
    this.#isGrouped = query.groupBy.length > 0;
  }

  analyze(): AnalyzedQuery {
    const query = this.#query;
    this.#checkClauses();
    const windowing = query.window === null ? null : windowDefinition(query.window);
    const where = query.where === null ? null : analyzeCondition(query.where, this.#clause('WHERE'));
    const groupBy = query.groupBy.map((node) => analyzeExpression(node, this.#clause('GROUP BY')));
    const selectContext = this.#selectContext(windowing !== null);
    this.#partitionKeys = this.#analyzePartitionKeys();
    const items = query.select.flatMap((item) => this.#select(item, selectContext));
    const having =
      query.having === null
        ? null
        : analyzeCondition(query.having, {
            ...this.#clause('HAVING'),
            aggregate: must(selectContext.aggregate),
          });
    const partitionBy = this.#partitionBy(items);
    const names = this.#nameItems(items);

    let place = (expression: Expression): Expression => expression;
    let grouping: Grouping | null = null;
    let { key, type, window } = this.#from as Pick<AnalyzedQuery, 'key' | 'type' | 'window'>;
    const width = this.#from.columns.length + this.#tableCalls.length;
    if (this.#isGrouped) {
      const keyNames = query.groupBy.map((node, i) => this.#keyName(node, groupBy[i]!, items, names, i));
      grouping = { expressions: groupBy, names: keyNames, calls: this.#calls, windowing };
      place = (expression) => this.#placeGrouped(expression, groupBy);
      key = groupBy.map((expression, i) => ({
        position: i,
        aliases: [i],
        name: keyNames[i]!,
        type: expression.type,
      }));
      type = 'table';
      const startColumn = groupBy.length + this.#calls.length;
      window =
        windowing === null
          ? null
          : { kind: windowing.kind, sizeMs: windowing.sizeMs, startColumn, endColumn: startColumn + 1 };
    } else if (partitionBy !== null) {
      place = (expression) => placePartitioned(expression, partitionBy.expressions, width);
      key = partitionBy.expressions.map((expression, i): KeyColumn => {
        const position = expression.kind === 'column' ? expression.index : width + i;
        return { position, aliases: [position], name: partitionBy.names[i]!, type: expression.type };
      });
    }
    const select = items.map((item, i): SelectColumn => {
      const expression = place(item.expression);
      return {
        name: names[i]!,
        type: expression.type,
        expression,
        span: item.span,
        isWindowBound: item.isWindowBound,
      };
    });
    return {
      from: this.#from,
      where,
      tableCalls: this.#tableCalls,
      partitionBy,
      grouping,
      having: having === null ? null : place(having),
      select,
      key,
      window,
      type,
      emit: query.emit,
      limit: query.limit,
      span: query.span,
    };
  }

  #checkClauses(): void {
    const { window, having, partitionBy, emit, span } = this.#query;
    if (window !== null && !this.#isGrouped)
      throw new SqlError('ML_SCHEMA', 'WINDOW needs GROUP BY', {
        span: window.span,
        hint: 'windows are for aggregations',
      });
    if (having !== null && !this.#isGrouped)
      throw new SqlError('ML_SCHEMA', 'HAVING needs GROUP BY', {
        span: having.span,
        hint: 'use WHERE to filter rows',
      });
    if (window !== null && this.#from.type === 'table')
      throw new SqlError('ML_UNSUPPORTED', 'a table cannot be aggregated in windows', {
        span: window.span,
        hint: 'aggregate a stream',
      });
    if (emit === 'final' && window === null)
      throw new SqlError('ML_SCHEMA', 'EMIT FINAL needs a WINDOW', {
        span,
        hint: 'only windows have an end: use EMIT CHANGES',
      });
    if (this.#from.window !== null && (this.#isGrouped || partitionBy.length > 0))
      throw new SqlError('ML_UNSUPPORTED', 'a windowed source cannot be grouped or partitioned anew', {
        span,
      });
    if (this.#isGrouped)
      for (const { source } of sourcesOf(this.#from))
        refuseKafkaValues(source, 'GROUP BY', this.#query.groupBy[0]!.span);
    const first = partitionBy[0];
    if (first === undefined) return;
    if (this.#isGrouped)
      throw new SqlError('ML_SCHEMA', 'PARTITION BY and GROUP BY cannot stand together', {
        span: first.span,
      });
    if (this.#from.type === 'table')
      throw new SqlError('ML_UNSUPPORTED', 'PARTITION BY is for streams: the key of a table cannot change', {
        span: first.span,
        hint: 'use GROUP BY to build a table with another key',
      });
  }

  #clause(clause: string): ExpressionContext {
    const { catalog, functions } = this.#context;
    return { catalog, functions, scope: this.#scope, clause, spans: this.#spans };
  }

  /** SELECT may name window bounds and call aggregate and table functions. */
  #selectContext(windowed: boolean): ExpressionContext {
    const bounds = windowed
      ? [
          { source: null, name: 'WINDOWSTART', type: BIGINT, index: WINDOW_START },
          { source: null, name: 'WINDOWEND', type: BIGINT, index: WINDOW_END },
        ]
      : [];
    const scope = bounds.length === 0 ? this.#scope : new Scope([...this.#scope.columns, ...bounds]);
    return {
      ...this.#clause('SELECT'),
      scope,
      aggregate: (call, fn) => {
        if (!this.#isGrouped)
          throw new SqlError('ML_SCHEMA', `aggregate function ${call.name} needs GROUP BY`, {
            span: call.span,
            hint: 'add GROUP BY with what the rows have in common',
          });
        // COUNT(*) and COUNT() count rows: what they count is never null.
        const countsRows = call.name === 'COUNT' && call.arguments.length === 0;
        const nodes: readonly ast.Expression[] = countsRows
          ? [{ kind: 'integer', span: call.span, value: 1 }]
          : call.arguments;
        if (call.star && call.name !== 'COUNT')
          throw new SqlError('ML_TYPE', `${call.name}(*) has no meaning`, {
            span: call.span,
            hint: 'name a column',
          });
        const args = nodes.map((node) => {
          const literal = literalValue(node);
          if (literal !== undefined)
            return {
              expression: {
                kind: 'literal',
                type: literal.type ?? INTEGER,
                value: literal.value,
              } as Expression,
              type: (node.kind === 'string' ? { kind: 'string-literal' } : literal.type) as ArgumentType,
              literal: literal.value,
            };
          const expression = analyzeExpression(node, {
            ...this.#clause(`an argument of ${call.name}`),
            table: this.#table,
          });
          return { expression, type: expression.type as ArgumentType, literal: undefined };
        });
        const resolved = resolveAggregate(fn, args, call.span);
        this.#checkState(fn.name, resolved, call.span);
        return this.#addCall({
          name: fn.name,
          signature: fn.signatures.indexOf(resolved.signature),
          args: resolved.argumentTypes.map((type, i) => cast(args[i]!.expression, type)),
          literals: resolved.literals,
          type: resolved.returns,
        });
      },
      table: this.#table,
    };
  }

  readonly #table: NonNullable<ExpressionContext['table']> = (call, fn) => {
    if (this.#from.type === 'table')
      throw new SqlError('ML_UNSUPPORTED', `table function ${call.name} needs a stream`, { span: call.span });
    const args = call.arguments.map((node) =>
      analyzeExpression(node, this.#clause(`an argument of ${call.name}`)),
    );
    const resolved = resolveTable(
      fn,
      args.map((arg) => arg.type),
      call.span,
    );
    const index = this.#from.columns.length + this.#tableCalls.length;
    this.#tableCalls.push({
      name: fn.name,
      signature: fn.signatures.indexOf(resolved.signature),
      args: args.map((arg, i) => cast(arg, resolved.argumentTypes[i]!)),
      type: resolved.returns,
    });
    return { kind: 'column', type: resolved.returns, index };
  };

  /**
   * What an aggregate keeps must be of types that the value format of the source holds, as ksqlDB asks: there it is
   * written in that format.
   */
  #checkState(name: string, resolved: ResolvedAggregate, span: Span): void {
    const { signature, argumentTypes, literals } = resolved;
    const { valueFormat } = sourcesOf(this.#from)[0]!.source;
    const type = signature.open(argumentTypes, literals, this.#context.evaluation).stateType;
    try {
      formatOf(valueFormat.name).validate([{ name, type }], {
        isKey: false,
        wrapped: valueFormat.wrapped,
        properties: new Map(valueFormat.properties),
      });
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      throw new SqlError(
        'ML_FORMAT',
        `${name} keeps a value of type ${printType(type)}, which format ${valueFormat.name} of the source cannot hold`,
        {
          span,
          hint: "copy the source into another format first: CREATE STREAM … WITH (VALUE_FORMAT='JSON') AS …",
        },
      );
    }
  }

  /** A call that stands twice is computed once. */
  #addCall(call: AggregateCall): Expression {
    const known = this.#calls.findIndex(
      (other) =>
        other.name === call.name &&
        other.signature === call.signature &&
        other.args.length === call.args.length &&
        other.args.every((arg, i) => equalExpressions(arg, call.args[i]!)) &&
        other.literals.length === call.literals.length &&
        other.literals.every((literal, i) => literal === call.literals[i]),
    );
    const at = known >= 0 ? known : this.#calls.push(call) - 1;
    return { kind: 'column', type: call.type, index: FIRST_CALL + at };
  }

  #select(item: ast.SelectItem, context: ExpressionContext): readonly Item[] {
    switch (item.kind) {
      case 'selectAll':
        return this.#selectAll(item);
      case 'selectFields': {
        const base = analyzeExpression(item.base, context);
        if (base.type.kind !== 'struct')
          throw new SqlError('ML_TYPE', '->* needs a STRUCT', { span: item.base.span });
        return base.type.fields.map(({ name, type }, index) => ({
          expression: { kind: 'field', type, operand: base, index },
          span: item.span,
          alias: null,
          ownName: name,
          numbered: true,
          isWindowBound: false,
        }));
      }
      case 'selectExpression': {
        const { expression: node, alias, span } = item;
        if (node.kind === 'null')
          throw new SqlError('ML_TYPE', 'a column cannot be NULL without a type', {
            span: node.span,
            hint: 'give it one, for example CAST(NULL AS STRING)',
          });
        if (alias !== null && PSEUDO_COLUMNS.has(alias.name))
          throw new SqlError('ML_SCHEMA', `${alias.name} is a name of the system's own columns`, {
            span: alias.span,
            hint: 'choose another alias',
          });
        const expression = analyzeExpression(node, context);
        return [
          {
            expression,
            span,
            alias: alias?.name ?? null,
            ownName:
              node.kind === 'column'
                ? this.#columnName(node)
                : node.kind === 'fieldAccess'
                  ? node.field
                  : null,
            numbered: node.kind === 'fieldAccess',
            isWindowBound: false,
          },
        ];
      }
    }
  }

  /** A column's own name, with its source before it where other sources of the join have the name too. */
  #columnName(node: ast.ColumnReference): string {
    const same = this.#from.columns.filter((column) => column.name === node.name);
    return node.source !== null && same.length > 1 ? `${node.source}_${node.name}` : node.name;
  }

  #selectAll(item: ast.SelectAll): readonly Item[] {
    const sources = sourcesOf(this.#from);
    const wanted = item.source?.name ?? null;
    if (wanted !== null && !sources.some((source) => source.alias === wanted))
      throw new SqlError('ML_NAME_UNKNOWN', `source ${printIdentifier(wanted)} is not in FROM`, {
        span: item.source!.span,
        hint: `FROM has ${sources.map((source) => printIdentifier(source.alias)).join(', ')}`,
      });
    const isJoin = this.#from.kind === 'join';
    const items: Item[] = [];
    const synthetic: Item[] = [];
    // The key comes first; one that was computed is a column too.
    const keys = wanted === null ? this.#partitionKeys : [];
    this.#query.partitionBy.forEach((node, i) => {
      const expression = keys[i];
      if (expression === undefined || (expression.kind === 'column' && !this.#isPseudo(expression.index)))
        return;
      const ownName = node.kind === 'fieldAccess' ? node.field : node.kind === 'column' ? node.name : null;
      synthetic.push({
        expression,
        span: item.span,
        alias: null,
        ownName,
        numbered: ownName !== null,
        isWindowBound: false,
      });
    });
    const order = this.#from.columns.map((column, index) => ({ ...column, index }));
    if (this.#from.window !== null) gatherWindowedKeys(order, sources);
    // PARTITION BY moves the new key to the front, and the old one behind the values.
    const rankOf = (index: number): number =>
      keys.some((key) => key.kind === 'column' && key.index === index)
        ? 0
        : this.#from.key.some((key) => key.position === index)
          ? 2
          : 1;
    if (keys.length > 0 && !isJoin) order.sort((a, b) => rankOf(a.index) - rankOf(b.index));
    // Under a join it makes of each source's row what ksqlDB carries there: values, pseudo columns, then the key.
    const isRekeyedJoin = isJoin && this.#query.partitionBy.length > 0;
    if (isRekeyedJoin) {
      const keyNames = new Map(sources.map(({ alias, source }) => [alias, source.schema.key]));
      const rank = ({ source, name, index }: (typeof order)[number]): number => {
        if (rankOf(index) === 0) return -1;
        const place = sources.findIndex(({ alias }) => alias === source);
        const isKey = source !== null && keyNames.get(source)?.some((key) => key.name === name);
        return place * 3 + (isKey ? 2 : PSEUDO_COLUMNS.has(name) ? 1 : 0);
      };
      order.sort((a, b) => rank(a) - rank(b));
    }
    for (const { source, name, type, index } of order) {
      const isBound = WINDOW_BOUNDS.has(name);
      if (PSEUDO_COLUMNS.has(name) && !isRekeyedJoin && !isBound) continue;
      const expression: Expression = { kind: 'column', type, index };
      this.#spans.set(expression, item.span);
      const isWindowBound = isBound && !isJoin;
      const found = { expression, span: item.span, alias: null, numbered: false, isWindowBound };
      if (source === null) {
        // The key of a join whose sides' own columns can't be it.
        if (name !== '' && wanted === null && this.#from.key.some((key) => key.position === index))
          synthetic.push({ ...found, ownName: name });
      } else if (wanted === null || source === wanted) {
        items.push({ ...found, ownName: isJoin ? `${source}_${name}` : name });
      }
    }
    return [...synthetic, ...items];
  }

  #isPseudo(index: number): boolean {
    return PSEUDO_COLUMNS.has(this.#from.columns[index]?.name ?? '');
  }

  /** Empty for PARTITION BY NULL, too. */
  #analyzePartitionKeys(): readonly Expression[] {
    const nodes = this.#query.partitionBy;
    if (nodes.length === 1 && nodes[0]!.kind === 'null') return [];
    return nodes.map((node) => analyzeExpression(node, this.#clause('PARTITION BY')));
  }

  #partitionBy(items: readonly Item[]): PartitionBy | null {
    const nodes = this.#query.partitionBy;
    if (nodes.length === 0) return null;
    const expressions = this.#partitionKeys;
    if (expressions.length === 0) return { expressions, names: [] };
    expressions.forEach((expression, i) => {
      if (expressions.slice(0, i).some((earlier) => sameValue(earlier, expression)))
        throw new SqlError('ML_SCHEMA', 'PARTITION BY names the same key twice', { span: nodes[i]!.span });
    });
    const names = nodes.map((node, i) =>
      this.#keyName(node, expressions[i]!, items, this.#nameItems(items), i),
    );
    return { expressions, names };
  }

  /** How a key column made by GROUP BY or PARTITION BY is called: as selected, else by its own name. */
  #keyName(
    node: ast.Expression,
    expression: Expression,
    items: readonly Item[],
    names: readonly string[],
    position: number,
  ): string {
    if (node.kind === 'column') return node.name;
    if (node.kind === 'fieldAccess') return node.field;
    const selected = items.findIndex((item) => sameValue(item.expression, expression));
    return selected >= 0 ? names[selected]! : `KSQL_COL_${position}`;
  }

  #nameItems(items: readonly Item[]): readonly string[] {
    const columns = sourcesOf(this.#from).flatMap(({ source: { schema } }) => [
      ...schema.key,
      ...schema.value,
      ...schema.headers,
    ]);
    return nameItems(items, new Set(columns.map((column) => column.name)));
  }

  /** An expression of SELECT or HAVING over the aggregation's row. */
  #placeGrouped(expression: Expression, groupBy: readonly Expression[]): Expression {
    const group = groupBy.findIndex((each) => sameValue(each, expression));
    if (group >= 0) return { kind: 'column', type: expression.type, index: group };
    if (expression.kind !== 'column')
      return mapChildren(expression, (child) => this.#placeGrouped(child, groupBy));
    const { index } = expression;
    if (index >= FIRST_CALL) return { ...expression, index: groupBy.length + index - FIRST_CALL };
    if (index >= WINDOW_START)
      return { ...expression, index: groupBy.length + this.#calls.length + index - WINDOW_START };
    const name = printIdentifier(this.#from.columns[index]?.name ?? 'of a table function');
    throw new SqlError('ML_SCHEMA', `column ${name} is neither grouped by nor inside an aggregate`, {
      span: this.#spans.get(expression) ?? this.#query.span,
      hint: `add ${name} to GROUP BY, or use an aggregate such as LATEST_BY_OFFSET(${name})`,
    });
  }
}

/** The columns of a windowed key come together: of each source its key, the bounds of its windows, then the values. */
function gatherWindowedKeys(
  columns: { readonly source: string | null; readonly name: string }[],
  sources: readonly SourceRelation[],
): void {
  const rank = ({ source, name }: (typeof columns)[number]): number => {
    const place = sources.findIndex(({ alias }) => alias === source);
    const isKey = sources[place]?.source.schema.key.some((key) => key.name === name);
    return place * 3 + (isKey === true ? 0 : WINDOW_BOUNDS.has(name) ? 1 : 2);
  };
  columns.sort((a, b) => rank(a) - rank(b));
}

function placePartitioned(expression: Expression, keys: readonly Expression[], width: number): Expression {
  const at = keys.findIndex((key) => key.kind !== 'column' && sameValue(key, expression));
  if (at >= 0) return { kind: 'column', type: expression.type, index: width + at };
  return mapChildren(expression, (child) => placePartitioned(child, keys, width));
}

/** Equal but for whether their own errors are caught, which is a matter of where they stand. */
function sameValue(a: Expression, b: Expression): boolean {
  return equalExpressions(unguarded(a), unguarded(b));
}

function unguarded(expression: Expression): Expression {
  if (expression.guarded === undefined) return expression;
  const { guarded: _, ...rest } = expression;
  return rest;
}

/**
 * Names of the result's columns. `sources`: names of the columns of all sources, which generated names (also those of
 * fields, as in `A->B`) keep away from. Throws `SqlError` ML_SCHEMA when two are the same.
 */
function nameItems(items: readonly Item[], sources: ReadonlySet<string>): readonly string[] {
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

/** Window sizes with ksqlDB's defaults: what is late up to a day after a window's start still counts. */
function windowDefinition(window: ast.WindowExpression): WindowDefinition {
  const sizeMs = window.kind === 'session' ? window.gapMs : window.sizeMs;
  const advanceMs = window.kind === 'hopping' ? window.advanceMs : sizeMs;
  const bad = (message: string, hint?: string): SqlError =>
    new SqlError('ML_SCHEMA', message, { span: window.span, hint });
  if (sizeMs <= 0) throw bad('a window must be longer than zero');
  if (advanceMs <= 0 || advanceMs > sizeMs) throw bad('ADVANCE BY must be above zero and not above SIZE');
  const graceMs = window.graceMs ?? Math.max(DAY_MS - sizeMs, 0);
  const retentionMs = window.retentionMs ?? sizeMs + graceMs;
  if (retentionMs < sizeMs + graceMs)
    throw bad(
      `RETENTION of ${retentionMs} ms is shorter than the window and its grace period together`,
      window.graceMs === null
        ? `give a GRACE PERIOD: its default here is ${graceMs} ms`
        : `it must be at least ${sizeMs + graceMs} ms`,
    );
  return { kind: window.kind, sizeMs, advanceMs, graceMs, retentionMs };
}
