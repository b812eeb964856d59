import type { Span } from '../../common/error.ts';
import type * as cst from '../../../grammar/cst.d.ts';
import type { CstNodeLocation, IToken } from '../../../grammar/token-types.ts';
import { Stream } from '../../../grammar/tokens.ts';
import type * as ast from './ast.ts';
import { QueryBuilder } from './build-query.ts';
import { undollar, unquote, writtenIdentifier } from './names.ts';

/** CREATE, ALTER and DROP, and the lists of columns and properties that other statements have too. */
export class DefinitionBuilder extends QueryBuilder {
  // The parts of statements have nothing of their own to build.
  ifNotExists(): void {}
  ifExists(): void {}

  timeout(children: cst.TimeoutCstChildren): number {
    return this.durationOf(children.duration);
  }

  protected timeoutOf(nodes: readonly cst.TimeoutCstNode[] | undefined): number | null {
    return nodes === undefined ? null : this.timeout(nodes[0]!.children);
  }

  tableElements(children: cst.TableElementsCstChildren): ast.TableElement[] {
    return children.tableElement.map((element) => this.tableElement(element.children, element.location!));
  }

  protected elementsOf(nodes: readonly cst.TableElementsCstNode[] | undefined): ast.TableElement[] {
    return nodes === undefined ? [] : this.tableElements(nodes[0]!.children);
  }

  tableElement(children: cst.TableElementCstChildren, location: CstNodeLocation): ast.TableElement {
    const { name, span: nameSpan } = this.identifierOf(children.identifier);
    const constraint = children.columnConstraint?.[0];
    return {
      span: this.span(location),
      name,
      nameSpan,
      type: this.typeOf(children.type),
      constraint:
        constraint === undefined ? null : this.columnConstraint(constraint.children, constraint.location!),
    };
  }

  columnConstraint(
    children: cst.ColumnConstraintCstChildren,
    location: CstNodeLocation,
  ): ast.ColumnConstraint {
    const span = this.span(location);
    if (children.HEADERS !== undefined) return { kind: 'headers', span };
    if (children.HEADER !== undefined) {
      return { kind: 'header', span, headerKey: unquote(children.StringLiteral![0]!.image) };
    }
    return { kind: children.PRIMARY === undefined ? 'key' : 'primaryKey', span };
  }

  withProperties(children: cst.WithPropertiesCstChildren): ast.WithProperty[] {
    return children.withProperty.map((property) => this.withProperty(property.children, property.location!));
  }

  protected propertiesOf(nodes: readonly cst.WithPropertiesCstNode[] | undefined): ast.WithProperty[] {
    return nodes === undefined ? [] : this.withProperties(nodes[0]!.children);
  }

  withProperty(children: cst.WithPropertyCstChildren, location: CstNodeLocation): ast.WithProperty {
    const name = this.resourceName(children);
    const literal = children.literal[0]!;
    return {
      span: this.span(location),
      name: name.name.toUpperCase(),
      nameSpan: name.span,
      value: this.literal(literal.children, literal.location!),
    };
  }

  columnList(children: cst.ColumnListCstChildren): ast.Identifier[] {
    return children.identifier.map((node) => this.identifier(node.children));
  }

  protected columnsOf(nodes: readonly cst.ColumnListCstNode[] | undefined): ast.Identifier[] {
    return nodes === undefined ? [] : this.columnList(nodes[0]!.children);
  }

  rowValues(children: cst.RowValuesCstChildren): ast.Expression[] {
    return this.expressions(children.expression);
  }

  protected sourceKind(tokens: readonly IToken[]): ast.SourceKind {
    return tokens[0]!.tokenType === Stream ? 'stream' : 'table';
  }

  createStatement(children: cst.CreateStatementCstChildren, location: CstNodeLocation): ast.Statement {
    const span = this.span(location);
    const orReplace = children.REPLACE !== undefined;
    return this.oneOf<cst.CreateStatementCstChildren, 'CREATE' | 'OR' | 'REPLACE' | 'SOURCE' | 'SINK'>(
      children,
      {
        createSource: ([source]) =>
          this.createSource(source!.children, span, orReplace, children.SOURCE?.[0]),
        createFunction: ([created]) => this.createFunction(created!.children, span, orReplace),
        createType: ([type]) => {
          this.refuseReplace(children);
          return this.createType(type!.children, span);
        },
        createConnector: ([connector]) => {
          this.refuseReplace(children);
          const kind = children.SINK === undefined ? 'source' : 'sink';
          return this.createConnector(connector!.children, span, kind);
        },
      },
    );
  }

  protected refuseReplace({ OR, REPLACE }: cst.CreateStatementCstChildren): void {
    if (REPLACE !== undefined)
      this.fail(
        this.between(OR![0]!, REPLACE[0]!),
        'OR REPLACE is only for streams, tables and functions',
        'drop the old one first',
      );
  }

  createSource(
    children: cst.CreateSourceCstChildren,
    span: Span,
    orReplace: boolean,
    readOnly: IToken | undefined,
  ): ast.CreateSource | ast.CreateSourceAs {
    const { name, span: nameSpan } = this.identifierOf(children.identifier);
    const shared = {
      span,
      sourceKind: this.sourceKind(children.SourceKindWord),
      orReplace,
      ifNotExists: children.ifNotExists !== undefined,
      name,
      nameSpan,
      properties: this.propertiesOf(children.withProperties),
    };
    if (children.query === undefined) {
      const elements = this.elementsOf(children.tableElements);
      return { kind: 'createSource', ...shared, readOnly: readOnly !== undefined, elements };
    }
    if (readOnly !== undefined) {
      this.fail(
        this.tokenSpan(readOnly),
        'a SOURCE is read from an existing topic and can have no query',
        'leave SOURCE out',
      );
    }
    if (children.tableElements !== undefined) {
      this.fail(
        this.span(children.tableElements[0]!.location!),
        'columns cannot be listed where a query makes them',
        'leave the list out, and name or CAST the columns in the SELECT',
      );
    }
    return { kind: 'createSourceAs', ...shared, query: this.queryOf(children.query) };
  }

  createConnector(
    children: cst.CreateConnectorCstChildren,
    span: Span,
    connectorKind: 'source' | 'sink',
  ): ast.CreateConnector {
    const { name, span: nameSpan } = this.identifierOf(children.identifier);
    // Connectors' property names are case-sensitive.
    const properties = children.withProperties[0]!.children.withProperty.map((property) => ({
      ...this.withProperty(property.children, property.location!),
      name: this.resourceName(property.children).name,
    }));
    const ifNotExists = children.ifNotExists !== undefined;
    return { kind: 'createConnector', span, connectorKind, ifNotExists, name, nameSpan, properties };
  }

  createType(children: cst.CreateTypeCstChildren, span: Span): ast.CreateType {
    const { name, span: nameSpan } = this.identifierOf(children.identifier);
    const ifNotExists = children.ifNotExists !== undefined;
    return { kind: 'createType', span, ifNotExists, name, nameSpan, type: this.typeOf(children.type) };
  }

  createFunction(
    children: cst.CreateFunctionCstChildren,
    span: Span,
    orReplace: boolean,
  ): ast.CreateFunction {
    const { name, span: nameSpan } = this.identifierOf(children.identifier);
    const { name: language, span: languageSpan } = this.identifierOf(children.language);
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
          ? { kind: 'value', type: this.typeOf(children.returns!) }
          : {
              kind: 'rows',
              columns: children.functionColumn.map((each) => this.functionColumn(each.children)),
            },
      state: children.state === undefined ? null : this.typeOf(children.state),
      language: language.toUpperCase(),
      languageSpan,
      strict: children.STRICT !== undefined,
      body: children.DollarString === undefined ? unquote(body.image) : undollar(body.image),
      bodySpan: this.tokenSpan(body),
    };
  }

  functionParameter(
    children: cst.FunctionParameterCstChildren,
    location: CstNodeLocation,
  ): ast.FunctionParameter {
    return {
      span: this.span(location),
      name: writtenIdentifier(children.Identifier[0]!.image),
      type: this.typeOf(children.type),
    };
  }

  functionColumn(children: cst.FunctionColumnCstChildren): {
    name: string;
    nameSpan: Span;
    type: ast.TypeExpression;
  } {
    const { name, span: nameSpan } = this.identifierOf(children.identifier);
    return { name, nameSpan, type: this.typeOf(children.type) };
  }

  alterStatement(children: cst.AlterStatementCstChildren, location: CstNodeLocation): ast.Statement {
    const span = this.span(location);
    return this.oneOf<
      cst.AlterStatementCstChildren,
      'ALTER' | 'property' | 'Equal' | 'setting' | 'identifier' | 'addColumn' | 'Comma'
    >(children, {
      SYSTEM: () => ({
        kind: 'alterSystem',
        span,
        ...this.assignment(children.property![0]!, children.setting![0]!),
      }),
      SourceKindWord: (words) => {
        const { name, span: nameSpan } = this.identifierOf(children.identifier);
        const columns = children.addColumn!.map((column) => this.addColumn(column.children));
        return { kind: 'alterSource', span, sourceKind: this.sourceKind(words), name, nameSpan, columns };
      },
    });
  }

  addColumn(children: cst.AddColumnCstChildren): ast.TableElement {
    const { name, span: nameSpan } = this.identifierOf(children.identifier);
    const span = this.between(children.identifier[0]!.location!, children.type[0]!.location!);
    return { span, name, nameSpan, type: this.typeOf(children.type), constraint: null };
  }

  dropStatement(children: cst.DropStatementCstChildren, location: CstNodeLocation): ast.Statement {
    const { name, span: nameSpan } = this.identifierOf(children.identifier);
    const shared = {
      span: this.span(location),
      name,
      nameSpan,
      ifExists: children.ifExists !== undefined,
    };
    return this.oneOf<cst.DropStatementCstChildren, 'DROP' | 'ifExists' | 'identifier' | 'DELETE' | 'TOPIC'>(
      children,
      {
        CONNECTOR: () => ({ kind: 'dropConnector', ...shared }),
        TYPE: () => ({ kind: 'dropType', ...shared }),
        FUNCTION: () => ({ kind: 'dropFunction', ...shared }),
        SourceKindWord: (words) => {
          const deleteTopic = children.DELETE !== undefined;
          return { kind: 'dropSource', ...shared, sourceKind: this.sourceKind(words), deleteTopic };
        },
      },
    );
  }

  protected property(token: IToken): { name: string; nameSpan: Span } {
    return { name: unquote(token.image), nameSpan: this.tokenSpan(token) };
  }

  protected assignment(
    property: IToken,
    setting: IToken,
  ): { name: string; nameSpan: Span; value: string; valueSpan: Span } {
    return {
      ...this.property(property),
      value: unquote(setting.image),
      valueSpan: this.tokenSpan(setting),
    };
  }
}
