import { must } from '../../common/assert.ts';
import { SqlError, type Span } from '../../common/error.ts';
import { printIdentifier } from '../../types/print-type.ts';
import { BIGINT } from '../../types/sql-type.ts';
import type { Expression } from '../expressions/expression.ts';
import { equalExpressions, replace } from '../expressions/walk.ts';
import type * as ast from '../parser/ast.ts';
import type { AnalyzeContext } from './analyze-context.ts';
import { analyzeCondition, analyzeExpression } from './analyze-expression.ts';
import { analyzeRelation, refuseBareValues, scopeOf } from './analyze-relation.ts';
import {
  type AnalyzedQuery,
  type AnalyzedRelation,
  type Grouping,
  type KeyColumn,
  type PartitionBy,
  type SelectColumn,
  sourcesOf,
} from './analyzed-query.ts';
import { checkKeyType } from './check-key-type.ts';
import type { ExpressionContext } from './expression-context.ts';
import { QueryCalls } from './query-calls.ts';
import { PSEUDO_COLUMNS, Scope } from './scope.ts';
import { selectAll } from './select-all.ts';
import { nameItems, type SelectItem } from './select-item.ts';
import { windowDefinition } from './window-definition.ts';

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

class QueryAnalysis {
  readonly #query: ast.Query;
  readonly #context: AnalyzeContext;
  readonly #from: AnalyzedRelation;
  readonly #scope: Scope;
  readonly #spans = new Map<Expression, Span>();
  readonly #calls: QueryCalls;
  readonly #isGrouped: boolean;
  /** The expressions of PARTITION BY. */
  #partitionKeys: readonly Expression[] = [];

  constructor(query: ast.Query, context: AnalyzeContext) {
    this.#query = query;
    this.#context = context;
    this.#from = analyzeRelation(query.from, context);
    const aliases = query.select.flatMap((item) =>
      item.kind === 'selectExpression' && item.alias !== null ? [item.alias.name] : [],
    );
    this.#scope = scopeOf(this.#from, new Set(aliases));
    this.#isGrouped = query.groupBy.length > 0;
    this.#calls = new QueryCalls({
      from: this.#from,
      isGrouped: this.#isGrouped,
      inSessions: query.window?.kind === 'session',
      context,
      firstCall: FIRST_CALL,
      clause: (name) => this.#clause(name),
    });
  }

  analyze(): AnalyzedQuery {
    const query = this.#query;
    this.#checkClauses();
    const windowing = query.window === null ? null : windowDefinition(query.window, query.emit);
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
    const width = this.#from.columns.length + this.#calls.tables.length;
    if (this.#isGrouped) {
      const keyNames = query.groupBy.map((node, i) => this.#keyName(node, groupBy[i]!, items, names, i));
      grouping = { expressions: groupBy, names: keyNames, calls: this.#calls.aggregates, windowing };
      place = (expression) => this.#placeGrouped(expression, groupBy);
      key = groupBy.map((expression, i) => ({
        position: i,
        aliases: [i],
        name: keyNames[i]!,
        type: expression.type,
      }));
      type = 'table';
      const startColumn = groupBy.length + this.#calls.aggregates.length;
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
    key.forEach((column, i) =>
      checkKeyType(column, (query.groupBy[i] ?? query.partitionBy[i] ?? query).span),
    );
    const select = items.map((item, i): SelectColumn => {
      const expression = place(item.expression);
      return {
        name: names[i]!,
        type: expression.type,
        expression,
        span: item.span,
        isWindowBound: item.isWindowBound,
        isFromStar: item.isFromStar,
      };
    });
    return {
      from: this.#from,
      where,
      tableCalls: this.#calls.tables,
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
        refuseBareValues(source, 'GROUP BY', this.#query.groupBy[0]!.span);
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

  /** SELECT may name window bounds, as ksqlDB has it of one source only, and call aggregate and table functions. */
  #selectContext(windowed: boolean): ExpressionContext {
    const from = this.#from;
    const bounds =
      windowed && from.kind === 'source'
        ? [
            { source: from.alias, name: 'WINDOWSTART', type: BIGINT, index: WINDOW_START },
            { source: from.alias, name: 'WINDOWEND', type: BIGINT, index: WINDOW_END },
          ]
        : [];
    const scope = bounds.length === 0 ? this.#scope : new Scope([...this.#scope.columns, ...bounds]);
    return {
      ...this.#clause('SELECT'),
      scope,
      aggregate: (call, fn) => this.#calls.aggregate(call, fn),
      table: (call, fn) => this.#calls.table(call, fn),
    };
  }

  #select(item: ast.SelectItem, context: ExpressionContext): readonly SelectItem[] {
    switch (item.kind) {
      case 'selectAll':
        return selectAll(item, this.#from, this.#query.partitionBy, this.#partitionKeys, this.#spans);
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
          isFromStar: false,
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
            isFromStar: false,
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

  /** Empty for PARTITION BY NULL, too. */
  #analyzePartitionKeys(): readonly Expression[] {
    const nodes = this.#query.partitionBy;
    if (nodes.length === 1 && nodes[0]!.kind === 'null') return [];
    return nodes.map((node) => analyzeExpression(node, this.#clause('PARTITION BY')));
  }

  #partitionBy(items: readonly SelectItem[]): PartitionBy | null {
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
    items: readonly SelectItem[],
    names: readonly string[],
    position: number,
  ): string {
    if (node.kind === 'column') return node.name;
    if (node.kind === 'fieldAccess') return node.field;
    const selected = items.findIndex((item) => sameValue(item.expression, expression));
    return selected >= 0 ? names[selected]! : `KSQL_COL_${position}`;
  }

  #nameItems(items: readonly SelectItem[]): readonly string[] {
    const columns = sourcesOf(this.#from).flatMap(({ source: { schema } }) => [
      ...schema.key,
      ...schema.value,
      ...schema.headers,
    ]);
    return nameItems(items, new Set(columns.map((column) => column.name)));
  }

  /** An expression of SELECT or HAVING over the aggregation's row. */
  #placeGrouped(expression: Expression, groupBy: readonly Expression[]): Expression {
    return replace(expression, (node) => {
      const group = groupBy.findIndex((each) => sameValue(each, node));
      if (group >= 0) return { kind: 'column', type: node.type, index: group };
      return node.kind === 'column' ? this.#placeColumn(node, groupBy) : undefined;
    });
  }

  /** A column that is none of the groups. */
  #placeColumn(
    expression: Extract<Expression, { kind: 'column' }>,
    groupBy: readonly Expression[],
  ): Expression {
    const { index } = expression;
    if (index >= FIRST_CALL) return { ...expression, index: groupBy.length + index - FIRST_CALL };
    if (index >= WINDOW_START)
      return { ...expression, index: groupBy.length + this.#calls.aggregates.length + index - WINDOW_START };
    const name = printIdentifier(this.#from.columns[index]?.name ?? 'of a table function');
    throw new SqlError('ML_SCHEMA', `column ${name} is neither grouped by nor inside an aggregate`, {
      span: this.#spans.get(expression) ?? this.#query.span,
      hint: `add ${name} to GROUP BY, or use an aggregate such as LATEST_BY_OFFSET(${name})`,
    });
  }
}

function placePartitioned(expression: Expression, keys: readonly Expression[], width: number): Expression {
  return replace(expression, (node) => {
    const at = keys.findIndex((key) => key.kind !== 'column' && sameValue(key, node));
    return at < 0 ? undefined : { kind: 'column', type: node.type, index: width + at };
  });
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
