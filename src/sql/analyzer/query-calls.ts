import { SqlError, type Span } from '../../common/error.ts';
import { formatOf } from '../../formats/registry.ts';
import type {
  AggregateFunction,
  AggregateSignature,
  Aggregator,
  TableFunction,
} from '../../functions/function.ts';
import type { ArgumentType } from '../../functions/match-signature.ts';
import { resolveAggregate, resolveTable, type ResolvedAggregate } from '../../functions/resolve.ts';
import { printType } from '../../types/print-type.ts';
import { INTEGER, type SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import { settingsOf } from '../catalog/format-settings.ts';
import type { Expression } from '../expressions/expression.ts';
import { printExpression } from '../expressions/print-expression.ts';
import { equalExpressions } from '../expressions/walk.ts';
import type * as ast from '../parser/ast.ts';
import { NO_GROUPS } from '../parser/elsewhere.ts';
import type { AnalyzeContext } from './analyze-context.ts';
import { analyzeExpression } from './analyze-expression.ts';
import { type AggregateCall, type AnalyzedRelation, sourcesOf, type TableCall } from './analyzed-query.ts';
import { cast } from './cast-expression.ts';
import { coerceArgument } from './coerce.ts';
import type { ExpressionContext } from './expression-context.ts';
import { literalValue } from './literal.ts';

/** Where calls stand: the rows that they are over, and the context of their arguments. */
export interface CallScope {
  readonly from: AnalyzedRelation;
  readonly isGrouped: boolean;
  readonly inSessions: boolean;
  readonly context: AnalyzeContext;
  /** The stand-in for the result of aggregate call 0; that of call i is i after it. */
  readonly firstCall: number;
  readonly clause: (name: string) => ExpressionContext;
}

/** The aggregate and table functions that a query calls, in the order in which they stand. */
export class QueryCalls {
  readonly aggregates: AggregateCall[] = [];
  readonly tables: TableCall[] = [];
  readonly #scope: CallScope;
  /** Which aggregate calls are printed so. */
  readonly #byText = new Map<string, number[]>();

  constructor(scope: CallScope) {
    this.#scope = scope;
  }

  /** The column that the result of an aggregate call will be. Throws `SqlError`. */
  aggregate(call: ast.FunctionCall, fn: AggregateFunction): Expression {
    if (!this.#scope.isGrouped)
      throw new SqlError('ML_SCHEMA', `aggregate function ${call.name} needs GROUP BY`, {
        span: call.span,
        hint: NO_GROUPS.hint,
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
          type: (node.kind === 'string' ? { kind: 'text' } : literal.type) as ArgumentType,
          literal: literal.value,
        };
      const expression = analyzeExpression(node, {
        ...this.#scope.clause(`an argument of ${call.name}`),
        table: (inner, table) => this.table(inner, table),
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
  }

  /** The column that a table function adds to the row. Throws `SqlError`. */
  table(call: ast.FunctionCall, fn: TableFunction): Expression {
    if (this.#scope.from.type === 'table')
      throw new SqlError('ML_UNSUPPORTED', `table function ${call.name} needs a stream`, { span: call.span });
    const clause = this.#scope.clause(`an argument of ${call.name}`);
    const args = call.arguments.map((node) => analyzeExpression(node, clause));
    const resolved = resolveTable(
      fn,
      args.map((arg) => arg.type),
      call.span,
    );
    const index = this.#scope.from.columns.length + this.tables.length;
    this.tables.push({
      name: fn.name,
      signature: fn.signatures.indexOf(resolved.signature),
      args: args.map((arg, i) =>
        coerceArgument(
          arg,
          call.arguments[i]!,
          resolved.argumentTypes[i]!,
          resolved.parameters[i]!,
          i,
          call.name,
        ),
      ),
      type: resolved.returns,
    });
    return { kind: 'column', type: resolved.returns, index };
  }

  /**
   * The state of an aggregate must be of types that the value format of the source holds: ksqlDB, which writes it in
   * that format, refuses others.
   */
  #checkState(name: string, resolved: ResolvedAggregate, span: Span): void {
    const { signature, argumentTypes, literals } = resolved;
    const { valueFormat } = sourcesOf(this.#scope.from)[0]!.source;
    const aggregator = this.#open(signature, argumentTypes, literals, span);
    const type = aggregator.stateType;
    if (this.#scope.from.type === 'table' && aggregator.undo === undefined)
      throw new SqlError('ML_UNSUPPORTED', `aggregate function ${name} does not work over a table`, {
        span,
        hint: 'it cannot take a row back; aggregate a stream instead',
      });
    if (this.#scope.inSessions && aggregator.merge === undefined)
      throw new SqlError('ML_UNSUPPORTED', `aggregate function ${name} does not work in a session window`, {
        span,
        hint: 'it cannot join two sessions; use a time window',
      });
    try {
      formatOf(valueFormat.name).validate([{ name, type }], settingsOf(valueFormat, false));
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

  /** A mistake in a literal has no place of its own: it stands in the call. */
  #open(
    signature: AggregateSignature,
    argumentTypes: readonly SqlType[],
    literals: readonly SqlValue[],
    span: Span,
  ): Aggregator {
    try {
      return signature.open(argumentTypes, literals, this.#scope.context.evaluation);
    } catch (error) {
      if (!(error instanceof SqlError) || error.span !== undefined) throw error;
      throw new SqlError(error.code, error.message, { span, hint: error.hint });
    }
  }

  /** A call that stands twice is computed once. */
  #addCall(call: AggregateCall): Expression {
    // Calls that print alike may still differ; those that print differently need no comparison.
    const text = `${call.name}(${call.args.map((arg) => printExpression(arg, [])).join()})`;
    let alike = this.#byText.get(text);
    if (alike === undefined) this.#byText.set(text, (alike = []));
    let at = alike.find((index) => equalCalls(this.aggregates[index]!, call));
    if (at === undefined) {
      at = this.aggregates.push(call) - 1;
      alike.push(at);
    }
    return { kind: 'column', type: call.type, index: this.#scope.firstCall + at };
  }
}

function equalCalls(a: AggregateCall, b: AggregateCall): boolean {
  return (
    a.signature === b.signature &&
    a.args.length === b.args.length &&
    a.args.every((arg, i) => equalExpressions(arg, b.args[i]!)) &&
    a.literals.length === b.literals.length &&
    a.literals.every((literal, i) => literal === b.literals[i])
  );
}
