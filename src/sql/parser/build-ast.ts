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
    return this.oneOf<cst.StatementCstChildren, never>(children, {
      query: ([node]) => this.query(node!.children, node!.location!),
      createStatement: ([node]) => this.createStatement(node!.children, node!.location!),
      insertStatement: ([node]) => this.insertStatement(node!.children, node!.location!),
      alterStatement: ([node]) => this.alterStatement(node!.children, node!.location!),
      dropStatement: ([node]) => this.dropStatement(node!.children, node!.location!),
      showStatement: ([node]) => this.showStatement(node!.children, node!.location!),
      describeStatement: ([node]) => this.describeStatement(node!.children, node!.location!),
      explainStatement: ([node]) => this.explainStatement(node!.children, node!.location!),
      printStatement: ([node]) => this.printStatement(node!.children, node!.location!),
      controlStatement: ([node]) => this.controlStatement(node!.children, node!.location!),
      setStatement: ([node]) => this.setStatement(node!.children, node!.location!),
      unsetStatement: ([node]) => this.unsetStatement(node!.children, node!.location!),
      defineStatement: ([node]) => this.defineStatement(node!.children, node!.location!),
      undefineStatement: ([node]) => this.undefineStatement(node!.children, node!.location!),
      assertStatement: ([node]) => this.assertStatement(node!.children, node!.location!),
      runScriptStatement: ([node]) => this.runScriptStatement(node!.children, node!.location!),
    });
  }

  insertStatement(children: cst.InsertStatementCstChildren, location: CstNodeLocation): ast.Statement {
    const { name: target, span: targetSpan } = this.identifierOf(children.identifier);
    const shared = { span: this.span(location), target, targetSpan };
    return this.oneOf<
      cst.InsertStatementCstChildren,
      'INSERT' | 'INTO' | 'identifier' | 'withProperties' | 'columnList' | 'VALUES'
    >(children, {
      query: (query) => {
        const properties = this.propertiesOf(children.withProperties);
        return { kind: 'insertSelect', ...shared, properties, query: this.queryOf(query) };
      },
      rowValues: ([values]) => {
        const columns = this.columnsOf(children.columnList);
        return { kind: 'insertValues', ...shared, columns, values: this.rowValues(values!.children) };
      },
    });
  }

  showStatement(children: cst.ShowStatementCstChildren, location: CstNodeLocation): ast.Statement {
    const span = this.span(location);
    const extended = children.EXTENDED !== undefined;
    return this.oneOf<
      cst.ShowStatementCstChildren,
      'SHOW' | 'LIST' | 'ALL' | 'EXTENDED' | 'SOURCE' | 'SINK' | 'CONNECTOR'
    >(children, {
      TOPICS: () => ({ kind: 'showTopics', span, all: children.ALL !== undefined, extended }),
      SourcesWord: (words) => ({ kind: 'showSources', span, sourceKind: sourcesKind(words), extended }),
      QUERIES: () => ({ kind: 'showQueries', span, extended }),
      CONNECTORS: () => {
        const scope = children.SOURCE !== undefined ? 'source' : children.SINK !== undefined ? 'sink' : 'all';
        return { kind: 'showConnectors', span, scope };
      },
      PLUGINS: () => ({ kind: 'showConnectorPlugins', span }),
      FUNCTIONS: () => ({ kind: 'showFunctions', span }),
      PROPERTIES: () => ({ kind: 'showProperties', span }),
      TYPES: () => ({ kind: 'showTypes', span }),
      VARIABLES: () => ({ kind: 'showVariables', span }),
    });
  }

  describeStatement(children: cst.DescribeStatementCstChildren, location: CstNodeLocation): ast.Statement {
    const span = this.span(location);
    const extended = children.EXTENDED !== undefined;
    const named = (nodes: readonly cst.IdentifierCstNode[] | undefined): { name: string; nameSpan: Span } => {
      const { name, span: nameSpan } = this.identifierOf(nodes);
      return { name, nameSpan };
    };
    return this.oneOf<cst.DescribeStatementCstChildren, 'DESCRIBE' | 'EXTENDED' | 'identifier'>(children, {
      SourcesWord: (words) => ({ kind: 'describeSources', span, sourceKind: sourcesKind(words), extended }),
      source: (source) => ({ kind: 'describeSource', span, ...named(source), extended }),
      FUNCTION: () => ({ kind: 'describeFunction', span, ...named(children.identifier) }),
      CONNECTOR: () => ({ kind: 'describeConnector', span, ...named(children.identifier) }),
    });
  }

  explainStatement(children: cst.ExplainStatementCstChildren, location: CstNodeLocation): ast.Statement {
    const span = this.span(location);
    return this.oneOf<cst.ExplainStatementCstChildren, 'EXPLAIN'>(children, {
      statement: ([node]) => {
        const statement = this.statement(node!.children);
        return { kind: 'explain', span, target: { kind: 'statement', statement } };
      },
      identifier: (identifier) => {
        const id = this.identifierOf(identifier);
        return { kind: 'explain', span, target: { kind: 'queryId', queryId: id.name, span: id.span } };
      },
    });
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
    const shared = { span: this.span(location), queryId };
    return this.oneOf<cst.ControlStatementCstChildren, 'ALL' | 'identifier'>(children, {
      TERMINATE: () => ({ kind: 'terminate', ...shared }),
      PAUSE: () => ({ kind: 'pause', ...shared }),
      RESUME: () => ({ kind: 'resume', ...shared }),
    });
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
    const rows = (): Omit<ast.AssertValues, 'kind'> => {
      const { name: source, span: sourceSpan } = this.identifierOf(children.identifier);
      const columns = this.columnsOf(children.columnList);
      const values = this.rowValues(children.rowValues![0]!.children);
      return { span, source, sourceSpan, columns, values };
    };
    return this.oneOf<
      cst.AssertStatementCstChildren,
      | 'ASSERT'
      | 'NOT'
      | 'EXISTS'
      | 'identifier'
      | 'columnList'
      | 'rowValues'
      | 'KEY'
      | 'tableElements'
      | 'withProperties'
    >(children, {
      assertTopic: ([topic]) => this.assertTopic(topic!.children, span, exists),
      assertSchema: ([schema]) => this.assertSchema(schema!.children, span, exists),
      NULL: () => ({ kind: 'assertTombstone', ...rows() }),
      VALUES: () => ({ kind: 'assertValues', ...rows() }),
      SourceKindWord: (words) => {
        const { name, span: nameSpan } = this.identifierOf(children.identifier);
        return {
          kind: 'assertSource',
          span,
          sourceKind: this.sourceKind(words),
          name,
          nameSpan,
          elements: this.elementsOf(children.tableElements),
          properties: this.propertiesOf(children.withProperties),
        };
      },
    });
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
