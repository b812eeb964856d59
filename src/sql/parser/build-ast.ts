import { assert } from '../../common/assert.ts';
import type { Span } from '../../common/error.ts';
import type * as cst from '../../../grammar/cst.d.ts';
import type { SqlParser } from '../../../grammar/grammar.ts';
import type { CstNodeLocation, IToken } from '../../../grammar/token-types.ts';
import type * as ast from './ast.ts';
import { DefinitionBuilder } from './build-definition.ts';
import { unquote } from './names.ts';

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
  /** Throws when a rule of the grammar has no method here. */
  validateVisitor(): void;
}

export function createAstBuilder(parser: SqlParser): AstBuilder {
  return new StatementBuilder(Object.keys(parser.getGAstProductions()));
}

class StatementBuilder extends DefinitionBuilder implements AstBuilder {
  readonly #rules: readonly string[];

  constructor(rules: readonly string[]) {
    super();
    this.#rules = rules;
  }

  buildStatement(node: cst.StatementCstNode, base: number): ast.Statement {
    this.base = base;
    return this.statement(node.children);
  }

  buildExpression(node: cst.ExpressionCstNode, base: number): ast.Expression {
    this.base = base;
    return this.expression(node.children);
  }

  buildType(node: cst.TypeCstNode, base: number): ast.TypeExpression {
    this.base = base;
    return this.type(node.children, node.location!);
  }

  validateVisitor(): void {
    const missing = this.#rules.filter(
      (rule) => typeof (this as Record<string, unknown>)[rule] !== 'function',
    );
    assert(missing.length === 0, `no methods for the rules ${missing.join(', ')}`);
  }

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

  insertStatement(children: cst.InsertStatementCstChildren, location: CstNodeLocation): ast.Statement {
    const { name: target, span: targetSpan } = this.identifierOf(children.identifier);
    const shared = { span: this.span(location), target, targetSpan };
    if (children.query !== undefined) {
      const properties = this.propertiesOf(children.withProperties);
      return { kind: 'insertSelect', ...shared, properties, query: this.queryOf(children.query) };
    }
    const columns = this.columnsOf(children.columnList);
    return {
      kind: 'insertValues',
      ...shared,
      columns,
      values: this.rowValues(children.rowValues![0]!.children),
    };
  }

  showStatement(children: cst.ShowStatementCstChildren, location: CstNodeLocation): ast.Statement {
    const span = this.span(location);
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
    const span = this.span(location);
    const extended = children.EXTENDED !== undefined;
    if (children.SourcesWord !== undefined) {
      return { kind: 'describeSources', span, sourceKind: sourcesKind(children.SourcesWord), extended };
    }
    if (children.source !== undefined) {
      const { name, span: nameSpan } = this.identifierOf(children.source);
      return { kind: 'describeSource', span, name, nameSpan, extended };
    }
    const { name, span: nameSpan } = this.identifierOf(children.identifier);
    const kind = children.CONNECTOR === undefined ? 'describeFunction' : 'describeConnector';
    return { kind, span, name, nameSpan };
  }

  explainStatement(children: cst.ExplainStatementCstChildren, location: CstNodeLocation): ast.Explain {
    const span = this.span(location);
    if (children.statement !== undefined) {
      const statement = this.statement(children.statement[0]!.children);
      return { kind: 'explain', span, target: { kind: 'statement', statement } };
    }
    const id = this.identifierOf(children.identifier);
    return { kind: 'explain', span, target: { kind: 'queryId', queryId: id.name, span: id.span } };
  }

  printStatement(children: cst.PrintStatementCstChildren, location: CstNodeLocation): ast.PrintTopic {
    const { name: topic, span: topicSpan } = this.resourceName(children.resourceName[0]!.children);
    return {
      kind: 'printTopic',
      span: this.span(location),
      topic,
      topicSpan,
      fromBeginning: children.BEGINNING !== undefined,
      interval: children.interval === undefined ? null : this.wholeNumber(children.interval[0]!),
      limit: children.limit === undefined ? null : this.wholeNumber(children.limit[0]!),
    };
  }

  controlStatement(children: cst.ControlStatementCstChildren, location: CstNodeLocation): ast.Statement {
    const queryId = children.ALL === undefined ? this.identifierOf(children.identifier).name : null;
    const kind =
      children.TERMINATE !== undefined ? 'terminate' : children.PAUSE !== undefined ? 'pause' : 'resume';
    return { kind, span: this.span(location), queryId };
  }

  setStatement(children: cst.SetStatementCstChildren, location: CstNodeLocation): ast.SetProperty {
    const assignment = this.assignment(children.property[0]!, children.setting[0]!);
    return { kind: 'setProperty', span: this.span(location), ...assignment };
  }

  unsetStatement(children: cst.UnsetStatementCstChildren, location: CstNodeLocation): ast.UnsetProperty {
    return { kind: 'unsetProperty', span: this.span(location), ...this.property(children.property[0]!) };
  }

  defineStatement(children: cst.DefineStatementCstChildren, location: CstNodeLocation): ast.DefineVariable {
    const name = this.identifierOf(children.identifier).name.toUpperCase();
    const value = unquote(children.StringLiteral[0]!.image);
    return { kind: 'defineVariable', span: this.span(location), name, value };
  }

  undefineStatement(
    children: cst.UndefineStatementCstChildren,
    location: CstNodeLocation,
  ): ast.UndefineVariable {
    const name = this.identifierOf(children.identifier).name.toUpperCase();
    return { kind: 'undefineVariable', span: this.span(location), name };
  }

  assertStatement(children: cst.AssertStatementCstChildren, location: CstNodeLocation): ast.Statement {
    const span = this.span(location);
    const exists = children.EXISTS === undefined;
    if (children.assertTopic !== undefined) {
      return this.assertTopic(children.assertTopic[0]!.children, span, exists);
    }
    if (children.assertSchema !== undefined) {
      return this.assertSchema(children.assertSchema[0]!.children, span, exists);
    }
    const { name, span: nameSpan } = this.identifierOf(children.identifier);
    if (children.rowValues !== undefined) {
      return {
        kind: children.NULL === undefined ? 'assertValues' : 'assertTombstone',
        span,
        source: name,
        sourceSpan: nameSpan,
        columns: this.columnsOf(children.columnList),
        values: this.rowValues(children.rowValues[0]!.children),
      };
    }
    return {
      kind: 'assertSource',
      span,
      sourceKind: this.sourceKind(children.SourceKindWord!),
      name,
      nameSpan,
      elements: this.elementsOf(children.tableElements),
      properties: this.propertiesOf(children.withProperties),
    };
  }

  assertTopic(children: cst.AssertTopicCstChildren, span: Span, exists: boolean): ast.AssertTopic {
    const { name: topic, span: topicSpan } = this.resourceName(children.resourceName[0]!.children);
    const properties = this.propertiesOf(children.withProperties);
    const timeoutMs = this.timeoutOf(children.timeout);
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
      id: id === undefined ? null : this.wholeNumber(id),
      timeoutMs: this.timeoutOf(children.timeout),
    };
  }

  runScriptStatement(children: cst.RunScriptStatementCstChildren, location: CstNodeLocation): ast.RunScript {
    const path = children.StringLiteral[0]!;
    const pathSpan = this.tokenSpan(path);
    return { kind: 'runScript', span: this.span(location), path: unquote(path.image), pathSpan };
  }
}

function sourcesKind(tokens: readonly IToken[]): ast.SourceKind {
  return tokens[0]!.image.toUpperCase() === 'STREAMS' ? 'stream' : 'table';
}
