import type { Span } from '../../common/error.ts';
import type * as cst from '../../../grammar/cst.d.ts';
import { MAX_SOURCES } from '../../../grammar/limits.ts';
import type { CstNodeLocation } from '../../../grammar/token-types.ts';
import type * as ast from './ast.ts';
import { ExpressionBuilder } from './build-expression.ts';

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

/** Queries, from SELECT to LIMIT. */
export class QueryBuilder extends ExpressionBuilder {
  query(children: cst.QueryCstChildren, location: CstNodeLocation): ast.Query {
    const limit = children.IntegerLiteral?.[0];
    const [source] = children.source;
    let from: ast.Relation = this.source(source!.children, source!.location!);
    // The first source is no join.
    const beyond = children.join?.[MAX_SOURCES - 1];
    if (beyond !== undefined)
      this.fail(
        this.span(beyond.location!),
        `FROM has at most ${MAX_SOURCES} sources`,
        'join some of them in a stream or table of their own',
        'ML_LIMIT',
      );
    for (const join of children.join ?? []) {
      from = this.join(join.children, from, this.between(source!.location!, join.location!));
    }
    const windowClause = children.windowClause?.[0];
    return {
      kind: 'query',
      span: this.span(location),
      select: children.selectItem.map((item) => this.selectItem(item.children, item.location!)),
      from,
      window:
        windowClause === undefined ? null : this.windowClause(windowClause.children, windowClause.location!),
      where: children.where === undefined ? null : this.expressionOf(children.where),
      groupBy: this.listOf(children.groupBy),
      partitionBy: this.listOf(children.partitionBy),
      having: children.having === undefined ? null : this.expressionOf(children.having),
      emit: children.CHANGES !== undefined ? 'changes' : children.FINAL !== undefined ? 'final' : null,
      limit: limit === undefined ? null : this.wholeNumber(limit),
    };
  }

  protected queryOf(nodes: readonly cst.QueryCstNode[]): ast.Query {
    return this.query(nodes[0]!.children, nodes[0]!.location!);
  }

  protected listOf(nodes: readonly cst.ExpressionListCstNode[] | undefined): ast.Expression[] {
    return nodes === undefined ? [] : this.expressionList(nodes[0]!.children);
  }

  expressionList(children: cst.ExpressionListCstChildren): ast.Expression[] {
    return children.expression!.map((node) => this.itemOf(node));
  }

  /** An expression that may be a column that a variable names. */
  protected itemOf(node: cst.ExpressionCstNode): ast.Expression {
    this.item = node.location;
    const expression = this.expression(node.children);
    this.item = undefined;
    return expression;
  }

  selectItem(children: cst.SelectItemCstChildren, location: CstNodeLocation): ast.SelectItem {
    const span = this.span(location);
    const node = children.expression?.[0];
    if (node === undefined) {
      const source = children.starSource?.[0];
      return { kind: 'selectAll', span, source: source === undefined ? null : this.name(source) };
    }
    const expression = this.itemOf(node);
    if (children.Arrow !== undefined) {
      const parenthesized = this.span(node.location!).end !== expression.span.end;
      if (NOT_PRIMARY.has(expression.kind) && !parenthesized) {
        this.fail(
          this.between(children.Arrow[0]!, location),
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
      alias: alias === undefined ? null : this.name(alias),
    };
  }

  source(children: cst.SourceCstChildren, location: CstNodeLocation): ast.SourceRelation {
    const { name, span: nameSpan } = this.identifierOf(children.identifier);
    const alias = children.alias?.[0];
    return {
      kind: 'source',
      span: this.span(location),
      name,
      nameSpan,
      alias: alias === undefined ? null : this.name(alias),
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
      on: this.expressionOf(children.expression),
    };
  }

  joinWindow(children: cst.JoinWindowCstChildren, location: CstNodeLocation): ast.JoinWindow {
    const beforeMs = this.durationOf(children.before!);
    return {
      span: this.span(location),
      beforeMs,
      afterMs: children.after === undefined ? beforeMs : this.durationOf(children.after),
      graceMs: this.optionalDuration(children.grace),
    };
  }

  windowClause(children: cst.WindowClauseCstChildren, location: CstNodeLocation): ast.WindowExpression {
    const kind = (children.TUMBLING ?? children.HOPPING ?? children.SESSION)![0]!;
    const clauses = {
      span: this.between(kind, location),
      retentionMs: this.optionalDuration(children.retention),
      graceMs: this.optionalDuration(children.grace),
    };
    const sizeMs = this.durationOf(children.size!);
    if (children.TUMBLING !== undefined) return { kind: 'tumbling', ...clauses, sizeMs };
    if (children.SESSION !== undefined) return { kind: 'session', ...clauses, gapMs: sizeMs };
    return { kind: 'hopping', ...clauses, sizeMs, advanceMs: this.durationOf(children.advance!) };
  }
}
