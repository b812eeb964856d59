// Written by scripts/generate-cst.js from the grammar. Do not edit.
import type { CstNode, ICstVisitor, IToken } from 'chevrotain';

export interface IdentifierCstNode extends CstNode {
  name: 'identifier';
  children: IdentifierCstChildren;
}

export type IdentifierCstChildren = {
  Identifier: IToken[];
};

export interface LiteralCstNode extends CstNode {
  name: 'literal';
  children: LiteralCstChildren;
}

export type LiteralCstChildren = {
  NULL?: IToken[];
  BooleanLiteral?: IToken[];
  StringLiteral?: IToken[];
  Sign?: IToken[];
  NumberLiteral?: IToken[];
};

export interface DurationCstNode extends CstNode {
  name: 'duration';
  children: DurationCstChildren;
}

export type DurationCstChildren = {
  IntegerLiteral: IToken[];
  TimeUnit: IToken[];
};

export interface TypeCstNode extends CstNode {
  name: 'type';
  children: TypeCstChildren;
}

export type TypeCstChildren = {
  ARRAY?: IToken[];
  Less?: IToken[];
  element?: TypeCstNode[];
  Greater?: IToken[];
  MAP?: IToken[];
  key?: TypeCstNode[];
  Comma?: IToken[];
  value?: TypeCstNode[];
  STRUCT?: IToken[];
  NotEqual?: IToken[];
  structTypeField?: StructTypeFieldCstNode[];
  Identifier?: IToken[];
  LeftParen?: IToken[];
  parameter?: IToken[];
  wordParameter?: IToken[];
  RightParen?: IToken[];
  arraySuffix?: IToken[];
};

export interface StructTypeFieldCstNode extends CstNode {
  name: 'structTypeField';
  children: StructTypeFieldCstChildren;
}

export type StructTypeFieldCstChildren = {
  identifier: IdentifierCstNode[];
  type: TypeCstNode[];
};

export interface ExpressionCstNode extends CstNode {
  name: 'expression';
  children: ExpressionCstChildren;
}

export type ExpressionCstChildren = {
  term: TermCstNode[];
  LogicalOperator?: IToken[];
};

export interface TermCstNode extends CstNode {
  name: 'term';
  children: TermCstChildren;
}

export type TermCstChildren = {
  NOT?: IToken[];
  value: ValueCstNode[];
  predicate?: PredicateCstNode[];
};

export interface PredicateCstNode extends CstNode {
  name: 'predicate';
  children: PredicateCstChildren;
}

export type PredicateCstChildren = {
  ComparisonOperator?: IToken[];
  right?: ValueCstNode[];
  IS?: IToken[];
  NOT?: IToken[];
  NULL?: IToken[];
  DISTINCT?: IToken[];
  FROM?: IToken[];
  BETWEEN?: IToken[];
  lower?: ValueCstNode[];
  AND?: IToken[];
  upper?: ValueCstNode[];
  IN?: IToken[];
  LeftParen?: IToken[];
  expression?: ExpressionCstNode[];
  Comma?: IToken[];
  RightParen?: IToken[];
  LIKE?: IToken[];
  pattern?: ValueCstNode[];
  ESCAPE?: IToken[];
  StringLiteral?: IToken[];
};

export interface ValueCstNode extends CstNode {
  name: 'value';
  children: ValueCstChildren;
}

export type ValueCstChildren = {
  signed: SignedCstNode[];
  ValueOperator?: IToken[];
};

export interface SignedCstNode extends CstNode {
  name: 'signed';
  children: SignedCstChildren;
}

export type SignedCstChildren = {
  Sign?: IToken[];
  primary: PrimaryCstNode[];
  access?: AccessCstNode[];
  AT?: IToken[];
  TIME?: IToken[];
  ZONE?: IToken[];
  zone?: IToken[];
};

export interface AccessCstNode extends CstNode {
  name: 'access';
  children: AccessCstChildren;
}

export type AccessCstChildren = {
  LeftBracket?: IToken[];
  expression?: ExpressionCstNode[];
  RightBracket?: IToken[];
  Arrow?: IToken[];
  Identifier?: IToken[];
};

export interface PrimaryCstNode extends CstNode {
  name: 'primary';
  children: PrimaryCstChildren;
}

export type PrimaryCstChildren = {
  NumberLiteral?: IToken[];
  StringLiteral?: IToken[];
  NULL?: IToken[];
  BooleanLiteral?: IToken[];
  LeftParen?: IToken[];
  inner?: ExpressionCstNode[];
  RightParen?: IToken[];
  caseExpression?: CaseExpressionCstNode[];
  castExpression?: CastExpressionCstNode[];
  arrayConstructor?: ArrayConstructorCstNode[];
  mapConstructor?: MapConstructorCstNode[];
  structConstructor?: StructConstructorCstNode[];
  functionCall?: FunctionCallCstNode[];
  typedLiteral?: TypedLiteralCstNode[];
  columnReference?: ColumnReferenceCstNode[];
};

export interface ColumnReferenceCstNode extends CstNode {
  name: 'columnReference';
  children: ColumnReferenceCstChildren;
}

export type ColumnReferenceCstChildren = {
  Identifier: IToken[];
  Dot?: IToken[];
};

export interface TypedLiteralCstNode extends CstNode {
  name: 'typedLiteral';
  children: TypedLiteralCstChildren;
}

export type TypedLiteralCstChildren = {
  Identifier: IToken[];
  StringLiteral: IToken[];
};

export interface FunctionCallCstNode extends CstNode {
  name: 'functionCall';
  children: FunctionCallCstChildren;
}

export type FunctionCallCstChildren = {
  Identifier: IToken[];
  LeftParen: IToken[];
  Star?: IToken[];
  functionArgument?: FunctionArgumentCstNode[];
  Comma?: IToken[];
  RightParen: IToken[];
};

export interface FunctionArgumentCstNode extends CstNode {
  name: 'functionArgument';
  children: FunctionArgumentCstChildren;
}

export type FunctionArgumentCstChildren = {
  lambda?: LambdaCstNode[];
  expression?: ExpressionCstNode[];
};

export interface LambdaCstNode extends CstNode {
  name: 'lambda';
  children: LambdaCstChildren;
}

export type LambdaCstChildren = {
  Identifier?: IToken[];
  LeftParen?: IToken[];
  Comma?: IToken[];
  RightParen?: IToken[];
  FatArrow: IToken[];
  expression: ExpressionCstNode[];
};

export interface CaseExpressionCstNode extends CstNode {
  name: 'caseExpression';
  children: CaseExpressionCstChildren;
}

export type CaseExpressionCstChildren = {
  CASE: IToken[];
  operand?: ExpressionCstNode[];
  caseBranch: CaseBranchCstNode[];
  ELSE?: IToken[];
  otherwise?: ExpressionCstNode[];
  END: IToken[];
};

export interface CaseBranchCstNode extends CstNode {
  name: 'caseBranch';
  children: CaseBranchCstChildren;
}

export type CaseBranchCstChildren = {
  WHEN: IToken[];
  when: ExpressionCstNode[];
  THEN: IToken[];
  result: ExpressionCstNode[];
};

export interface CastExpressionCstNode extends CstNode {
  name: 'castExpression';
  children: CastExpressionCstChildren;
}

export type CastExpressionCstChildren = {
  CAST: IToken[];
  LeftParen: IToken[];
  expression: ExpressionCstNode[];
  AS: IToken[];
  type: TypeCstNode[];
  RightParen: IToken[];
};

export interface ArrayConstructorCstNode extends CstNode {
  name: 'arrayConstructor';
  children: ArrayConstructorCstChildren;
}

export type ArrayConstructorCstChildren = {
  ARRAY: IToken[];
  LeftBracket: IToken[];
  expression?: ExpressionCstNode[];
  Comma?: IToken[];
  RightBracket: IToken[];
};

export interface MapConstructorCstNode extends CstNode {
  name: 'mapConstructor';
  children: MapConstructorCstChildren;
}

export type MapConstructorCstChildren = {
  MAP: IToken[];
  LeftParen: IToken[];
  key?: ExpressionCstNode[];
  Assign?: IToken[];
  value?: ExpressionCstNode[];
  Comma?: IToken[];
  RightParen: IToken[];
};

export interface StructConstructorCstNode extends CstNode {
  name: 'structConstructor';
  children: StructConstructorCstChildren;
}

export type StructConstructorCstChildren = {
  STRUCT: IToken[];
  LeftParen: IToken[];
  identifier?: IdentifierCstNode[];
  Assign?: IToken[];
  expression?: ExpressionCstNode[];
  Comma?: IToken[];
  RightParen: IToken[];
};

export interface QueryCstNode extends CstNode {
  name: 'query';
  children: QueryCstChildren;
}

export type QueryCstChildren = {
  SELECT: IToken[];
  selectItem: SelectItemCstNode[];
  Comma?: IToken[];
  FROM: IToken[];
  source: SourceCstNode[];
  join?: JoinCstNode[];
  windowClause?: WindowClauseCstNode[];
  WHERE?: IToken[];
  where?: ExpressionCstNode[];
  GROUP?: IToken[];
  BY?: IToken[];
  groupBy?: ExpressionListCstNode[];
  PARTITION?: IToken[];
  partitionBy?: ExpressionListCstNode[];
  HAVING?: IToken[];
  having?: ExpressionCstNode[];
  EMIT?: IToken[];
  CHANGES?: IToken[];
  FINAL?: IToken[];
  LIMIT?: IToken[];
  IntegerLiteral?: IToken[];
};

export interface ExpressionListCstNode extends CstNode {
  name: 'expressionList';
  children: ExpressionListCstChildren;
}

export type ExpressionListCstChildren = {
  LeftParen?: IToken[];
  expression?: ExpressionCstNode[];
  Comma?: IToken[];
  RightParen?: IToken[];
};

export interface SelectItemCstNode extends CstNode {
  name: 'selectItem';
  children: SelectItemCstChildren;
}

export type SelectItemCstChildren = {
  Star?: IToken[];
  starSource?: IToken[];
  Dot?: IToken[];
  expression?: ExpressionCstNode[];
  Arrow?: IToken[];
  AS?: IToken[];
  alias?: IToken[];
};

export interface SourceCstNode extends CstNode {
  name: 'source';
  children: SourceCstChildren;
}

export type SourceCstChildren = {
  identifier: IdentifierCstNode[];
  AS?: IToken[];
  alias?: IToken[];
};

export interface JoinCstNode extends CstNode {
  name: 'join';
  children: JoinCstChildren;
}

export type JoinCstChildren = {
  INNER?: IToken[];
  LEFT?: IToken[];
  RIGHT?: IToken[];
  FULL?: IToken[];
  OUTER?: IToken[];
  JOIN: IToken[];
  source: SourceCstNode[];
  joinWindow?: JoinWindowCstNode[];
  ON: IToken[];
  expression: ExpressionCstNode[];
};

export interface JoinWindowCstNode extends CstNode {
  name: 'joinWindow';
  children: JoinWindowCstChildren;
}

export type JoinWindowCstChildren = {
  WITHIN: IToken[];
  LeftParen?: IToken[];
  before?: DurationCstNode[];
  Comma?: IToken[];
  after?: DurationCstNode[];
  RightParen?: IToken[];
  GRACE?: IToken[];
  PERIOD?: IToken[];
  grace?: DurationCstNode[];
};

export interface WindowClauseCstNode extends CstNode {
  name: 'windowClause';
  children: WindowClauseCstChildren;
}

export type WindowClauseCstChildren = {
  WINDOW: IToken[];
  Identifier?: IToken[];
  TUMBLING?: IToken[];
  LeftParen?: IToken[];
  SIZE?: IToken[];
  size?: DurationCstNode[];
  HOPPING?: IToken[];
  Comma?: IToken[];
  ADVANCE?: IToken[];
  BY?: IToken[];
  advance?: DurationCstNode[];
  SESSION?: IToken[];
  RETENTION?: IToken[];
  retention?: DurationCstNode[];
  GRACE?: IToken[];
  PERIOD?: IToken[];
  grace?: DurationCstNode[];
  RightParen: IToken[];
};

export interface TerminatedStatementCstNode extends CstNode {
  name: 'terminatedStatement';
  children: TerminatedStatementCstChildren;
}

export type TerminatedStatementCstChildren = {
  statement: StatementCstNode[];
  Semicolon: IToken[];
};

export interface StatementCstNode extends CstNode {
  name: 'statement';
  children: StatementCstChildren;
}

export type StatementCstChildren = {
  query?: QueryCstNode[];
  createStatement?: CreateStatementCstNode[];
  insertStatement?: InsertStatementCstNode[];
  alterStatement?: AlterStatementCstNode[];
  dropStatement?: DropStatementCstNode[];
  showStatement?: ShowStatementCstNode[];
  describeStatement?: DescribeStatementCstNode[];
  explainStatement?: ExplainStatementCstNode[];
  printStatement?: PrintStatementCstNode[];
  controlStatement?: ControlStatementCstNode[];
  setStatement?: SetStatementCstNode[];
  unsetStatement?: UnsetStatementCstNode[];
  defineStatement?: DefineStatementCstNode[];
  undefineStatement?: UndefineStatementCstNode[];
  assertStatement?: AssertStatementCstNode[];
  runScriptStatement?: RunScriptStatementCstNode[];
};

export interface IfNotExistsCstNode extends CstNode {
  name: 'ifNotExists';
  children: IfNotExistsCstChildren;
}

export type IfNotExistsCstChildren = {
  IF: IToken[];
  NOT: IToken[];
  EXISTS: IToken[];
};

export interface IfExistsCstNode extends CstNode {
  name: 'ifExists';
  children: IfExistsCstChildren;
}

export type IfExistsCstChildren = {
  IF: IToken[];
  EXISTS: IToken[];
};

export interface TableElementsCstNode extends CstNode {
  name: 'tableElements';
  children: TableElementsCstChildren;
}

export type TableElementsCstChildren = {
  LeftParen: IToken[];
  tableElement: TableElementCstNode[];
  Comma?: IToken[];
  RightParen: IToken[];
};

export interface TableElementCstNode extends CstNode {
  name: 'tableElement';
  children: TableElementCstChildren;
}

export type TableElementCstChildren = {
  identifier: IdentifierCstNode[];
  type: TypeCstNode[];
  columnConstraint?: ColumnConstraintCstNode[];
};

export interface ColumnConstraintCstNode extends CstNode {
  name: 'columnConstraint';
  children: ColumnConstraintCstChildren;
}

export type ColumnConstraintCstChildren = {
  KEY?: IToken[];
  PRIMARY?: IToken[];
  HEADERS?: IToken[];
  HEADER?: IToken[];
  LeftParen?: IToken[];
  StringLiteral?: IToken[];
  RightParen?: IToken[];
};

export interface WithPropertiesCstNode extends CstNode {
  name: 'withProperties';
  children: WithPropertiesCstChildren;
}

export type WithPropertiesCstChildren = {
  WITH: IToken[];
  LeftParen: IToken[];
  withProperty: WithPropertyCstNode[];
  Comma?: IToken[];
  RightParen: IToken[];
};

export interface WithPropertyCstNode extends CstNode {
  name: 'withProperty';
  children: WithPropertyCstChildren;
}

export type WithPropertyCstChildren = {
  Identifier?: IToken[];
  StringLiteral?: IToken[];
  Equal: IToken[];
  literal: LiteralCstNode[];
};

export interface ColumnListCstNode extends CstNode {
  name: 'columnList';
  children: ColumnListCstChildren;
}

export type ColumnListCstChildren = {
  LeftParen: IToken[];
  identifier: IdentifierCstNode[];
  Comma?: IToken[];
  RightParen: IToken[];
};

export interface RowValuesCstNode extends CstNode {
  name: 'rowValues';
  children: RowValuesCstChildren;
}

export type RowValuesCstChildren = {
  LeftParen: IToken[];
  expression?: ExpressionCstNode[];
  Comma?: IToken[];
  RightParen: IToken[];
};

export interface ResourceNameCstNode extends CstNode {
  name: 'resourceName';
  children: ResourceNameCstChildren;
}

export type ResourceNameCstChildren = {
  Identifier?: IToken[];
  StringLiteral?: IToken[];
};

export interface CreateStatementCstNode extends CstNode {
  name: 'createStatement';
  children: CreateStatementCstChildren;
}

export type CreateStatementCstChildren = {
  CREATE: IToken[];
  OR?: IToken[];
  REPLACE?: IToken[];
  createSource?: CreateSourceCstNode[];
  SOURCE?: IToken[];
  createConnector?: CreateConnectorCstNode[];
  SINK?: IToken[];
  createType?: CreateTypeCstNode[];
  createFunction?: CreateFunctionCstNode[];
};

export interface CreateSourceCstNode extends CstNode {
  name: 'createSource';
  children: CreateSourceCstChildren;
}

export type CreateSourceCstChildren = {
  SourceKindWord: IToken[];
  ifNotExists?: IfNotExistsCstNode[];
  identifier: IdentifierCstNode[];
  tableElements?: TableElementsCstNode[];
  withProperties?: WithPropertiesCstNode[];
  AS?: IToken[];
  query?: QueryCstNode[];
};

export interface CreateConnectorCstNode extends CstNode {
  name: 'createConnector';
  children: CreateConnectorCstChildren;
}

export type CreateConnectorCstChildren = {
  CONNECTOR: IToken[];
  ifNotExists?: IfNotExistsCstNode[];
  identifier: IdentifierCstNode[];
  withProperties: WithPropertiesCstNode[];
};

export interface CreateTypeCstNode extends CstNode {
  name: 'createType';
  children: CreateTypeCstChildren;
}

export type CreateTypeCstChildren = {
  TYPE: IToken[];
  ifNotExists?: IfNotExistsCstNode[];
  identifier: IdentifierCstNode[];
  AS: IToken[];
  type: TypeCstNode[];
};

export interface CreateFunctionCstNode extends CstNode {
  name: 'createFunction';
  children: CreateFunctionCstChildren;
}

export type CreateFunctionCstChildren = {
  AGGREGATE?: IToken[];
  FUNCTION: IToken[];
  ifNotExists?: IfNotExistsCstNode[];
  identifier: IdentifierCstNode[];
  LeftParen: IToken[];
  functionParameter?: FunctionParameterCstNode[];
  Comma?: IToken[];
  RightParen: IToken[];
  RETURNS: IToken[];
  TABLE?: IToken[];
  functionColumn?: FunctionColumnCstNode[];
  returns?: TypeCstNode[];
  STATE?: IToken[];
  state?: TypeCstNode[];
  LANGUAGE: IToken[];
  language: IdentifierCstNode[];
  STRICT?: IToken[];
  AS: IToken[];
  DollarString?: IToken[];
  StringLiteral?: IToken[];
};

export interface FunctionParameterCstNode extends CstNode {
  name: 'functionParameter';
  children: FunctionParameterCstChildren;
}

export type FunctionParameterCstChildren = {
  Identifier: IToken[];
  type: TypeCstNode[];
};

export interface FunctionColumnCstNode extends CstNode {
  name: 'functionColumn';
  children: FunctionColumnCstChildren;
}

export type FunctionColumnCstChildren = {
  identifier: IdentifierCstNode[];
  type: TypeCstNode[];
};

export interface AlterStatementCstNode extends CstNode {
  name: 'alterStatement';
  children: AlterStatementCstChildren;
}

export type AlterStatementCstChildren = {
  ALTER: IToken[];
  SYSTEM?: IToken[];
  property?: IToken[];
  Equal?: IToken[];
  setting?: IToken[];
  SourceKindWord?: IToken[];
  identifier?: IdentifierCstNode[];
  addColumn?: AddColumnCstNode[];
  Comma?: IToken[];
};

export interface AddColumnCstNode extends CstNode {
  name: 'addColumn';
  children: AddColumnCstChildren;
}

export type AddColumnCstChildren = {
  ADD: IToken[];
  COLUMN?: IToken[];
  identifier: IdentifierCstNode[];
  type: TypeCstNode[];
};

export interface DropStatementCstNode extends CstNode {
  name: 'dropStatement';
  children: DropStatementCstChildren;
}

export type DropStatementCstChildren = {
  DROP: IToken[];
  SourceKindWord?: IToken[];
  ifExists?: IfExistsCstNode[];
  identifier?: IdentifierCstNode[];
  DELETE?: IToken[];
  TOPIC?: IToken[];
  CONNECTOR?: IToken[];
  TYPE?: IToken[];
  FUNCTION?: IToken[];
};

export interface InsertStatementCstNode extends CstNode {
  name: 'insertStatement';
  children: InsertStatementCstChildren;
}

export type InsertStatementCstChildren = {
  INSERT: IToken[];
  INTO: IToken[];
  identifier: IdentifierCstNode[];
  columnList?: ColumnListCstNode[];
  VALUES?: IToken[];
  rowValues?: RowValuesCstNode[];
  withProperties?: WithPropertiesCstNode[];
  query?: QueryCstNode[];
};

export interface ShowStatementCstNode extends CstNode {
  name: 'showStatement';
  children: ShowStatementCstChildren;
}

export type ShowStatementCstChildren = {
  SHOW?: IToken[];
  LIST?: IToken[];
  ALL?: IToken[];
  TOPICS?: IToken[];
  EXTENDED?: IToken[];
  SourcesWord?: IToken[];
  QUERIES?: IToken[];
  SOURCE?: IToken[];
  SINK?: IToken[];
  CONNECTORS?: IToken[];
  CONNECTOR?: IToken[];
  PLUGINS?: IToken[];
  FUNCTIONS?: IToken[];
  PROPERTIES?: IToken[];
  TYPES?: IToken[];
  VARIABLES?: IToken[];
};

export interface DescribeStatementCstNode extends CstNode {
  name: 'describeStatement';
  children: DescribeStatementCstChildren;
}

export type DescribeStatementCstChildren = {
  DESCRIBE: IToken[];
  FUNCTION?: IToken[];
  CONNECTOR?: IToken[];
  identifier?: IdentifierCstNode[];
  SourcesWord?: IToken[];
  EXTENDED?: IToken[];
  source?: IdentifierCstNode[];
};

export interface ExplainStatementCstNode extends CstNode {
  name: 'explainStatement';
  children: ExplainStatementCstChildren;
}

export type ExplainStatementCstChildren = {
  EXPLAIN: IToken[];
  identifier?: IdentifierCstNode[];
  statement?: StatementCstNode[];
};

export interface PrintStatementCstNode extends CstNode {
  name: 'printStatement';
  children: PrintStatementCstChildren;
}

export type PrintStatementCstChildren = {
  PRINT: IToken[];
  resourceName: ResourceNameCstNode[];
  FROM?: IToken[];
  BEGINNING?: IToken[];
  INTERVAL?: IToken[];
  SAMPLE?: IToken[];
  interval?: IToken[];
  LIMIT?: IToken[];
  limit?: IToken[];
};

export interface ControlStatementCstNode extends CstNode {
  name: 'controlStatement';
  children: ControlStatementCstChildren;
}

export type ControlStatementCstChildren = {
  TERMINATE?: IToken[];
  PAUSE?: IToken[];
  RESUME?: IToken[];
  ALL?: IToken[];
  identifier?: IdentifierCstNode[];
};

export interface SetStatementCstNode extends CstNode {
  name: 'setStatement';
  children: SetStatementCstChildren;
}

export type SetStatementCstChildren = {
  SET: IToken[];
  property: IToken[];
  Equal: IToken[];
  setting: IToken[];
};

export interface UnsetStatementCstNode extends CstNode {
  name: 'unsetStatement';
  children: UnsetStatementCstChildren;
}

export type UnsetStatementCstChildren = {
  UNSET: IToken[];
  property: IToken[];
};

export interface DefineStatementCstNode extends CstNode {
  name: 'defineStatement';
  children: DefineStatementCstChildren;
}

export type DefineStatementCstChildren = {
  DEFINE: IToken[];
  identifier: IdentifierCstNode[];
  Equal: IToken[];
  StringLiteral: IToken[];
};

export interface UndefineStatementCstNode extends CstNode {
  name: 'undefineStatement';
  children: UndefineStatementCstChildren;
}

export type UndefineStatementCstChildren = {
  UNDEFINE: IToken[];
  identifier: IdentifierCstNode[];
};

export interface AssertStatementCstNode extends CstNode {
  name: 'assertStatement';
  children: AssertStatementCstChildren;
}

export type AssertStatementCstChildren = {
  ASSERT: IToken[];
  NOT?: IToken[];
  EXISTS?: IToken[];
  assertTopic?: AssertTopicCstNode[];
  assertSchema?: AssertSchemaCstNode[];
  VALUES?: IToken[];
  identifier?: IdentifierCstNode[];
  columnList?: ColumnListCstNode[];
  rowValues?: RowValuesCstNode[];
  NULL?: IToken[];
  KEY?: IToken[];
  SourceKindWord?: IToken[];
  tableElements?: TableElementsCstNode[];
  withProperties?: WithPropertiesCstNode[];
};

export interface AssertTopicCstNode extends CstNode {
  name: 'assertTopic';
  children: AssertTopicCstChildren;
}

export type AssertTopicCstChildren = {
  TOPIC: IToken[];
  resourceName: ResourceNameCstNode[];
  withProperties?: WithPropertiesCstNode[];
  timeout?: TimeoutCstNode[];
};

export interface AssertSchemaCstNode extends CstNode {
  name: 'assertSchema';
  children: AssertSchemaCstChildren;
}

export type AssertSchemaCstChildren = {
  SCHEMA: IToken[];
  SUBJECT?: IToken[];
  resourceName?: ResourceNameCstNode[];
  ID?: IToken[];
  IntegerLiteral?: IToken[];
  timeout?: TimeoutCstNode[];
};

export interface TimeoutCstNode extends CstNode {
  name: 'timeout';
  children: TimeoutCstChildren;
}

export type TimeoutCstChildren = {
  TIMEOUT: IToken[];
  duration: DurationCstNode[];
};

export interface RunScriptStatementCstNode extends CstNode {
  name: 'runScriptStatement';
  children: RunScriptStatementCstChildren;
}

export type RunScriptStatementCstChildren = {
  RUN: IToken[];
  SCRIPT: IToken[];
  StringLiteral: IToken[];
};

export interface ICstNodeVisitor<IN, OUT> extends ICstVisitor<IN, OUT> {
  identifier(children: IdentifierCstChildren, param?: IN): OUT;
  literal(children: LiteralCstChildren, param?: IN): OUT;
  duration(children: DurationCstChildren, param?: IN): OUT;
  type(children: TypeCstChildren, param?: IN): OUT;
  structTypeField(children: StructTypeFieldCstChildren, param?: IN): OUT;
  expression(children: ExpressionCstChildren, param?: IN): OUT;
  term(children: TermCstChildren, param?: IN): OUT;
  predicate(children: PredicateCstChildren, param?: IN): OUT;
  value(children: ValueCstChildren, param?: IN): OUT;
  signed(children: SignedCstChildren, param?: IN): OUT;
  access(children: AccessCstChildren, param?: IN): OUT;
  primary(children: PrimaryCstChildren, param?: IN): OUT;
  columnReference(children: ColumnReferenceCstChildren, param?: IN): OUT;
  typedLiteral(children: TypedLiteralCstChildren, param?: IN): OUT;
  functionCall(children: FunctionCallCstChildren, param?: IN): OUT;
  functionArgument(children: FunctionArgumentCstChildren, param?: IN): OUT;
  lambda(children: LambdaCstChildren, param?: IN): OUT;
  caseExpression(children: CaseExpressionCstChildren, param?: IN): OUT;
  caseBranch(children: CaseBranchCstChildren, param?: IN): OUT;
  castExpression(children: CastExpressionCstChildren, param?: IN): OUT;
  arrayConstructor(children: ArrayConstructorCstChildren, param?: IN): OUT;
  mapConstructor(children: MapConstructorCstChildren, param?: IN): OUT;
  structConstructor(children: StructConstructorCstChildren, param?: IN): OUT;
  query(children: QueryCstChildren, param?: IN): OUT;
  expressionList(children: ExpressionListCstChildren, param?: IN): OUT;
  selectItem(children: SelectItemCstChildren, param?: IN): OUT;
  source(children: SourceCstChildren, param?: IN): OUT;
  join(children: JoinCstChildren, param?: IN): OUT;
  joinWindow(children: JoinWindowCstChildren, param?: IN): OUT;
  windowClause(children: WindowClauseCstChildren, param?: IN): OUT;
  terminatedStatement(children: TerminatedStatementCstChildren, param?: IN): OUT;
  statement(children: StatementCstChildren, param?: IN): OUT;
  ifNotExists(children: IfNotExistsCstChildren, param?: IN): OUT;
  ifExists(children: IfExistsCstChildren, param?: IN): OUT;
  tableElements(children: TableElementsCstChildren, param?: IN): OUT;
  tableElement(children: TableElementCstChildren, param?: IN): OUT;
  columnConstraint(children: ColumnConstraintCstChildren, param?: IN): OUT;
  withProperties(children: WithPropertiesCstChildren, param?: IN): OUT;
  withProperty(children: WithPropertyCstChildren, param?: IN): OUT;
  columnList(children: ColumnListCstChildren, param?: IN): OUT;
  rowValues(children: RowValuesCstChildren, param?: IN): OUT;
  resourceName(children: ResourceNameCstChildren, param?: IN): OUT;
  createStatement(children: CreateStatementCstChildren, param?: IN): OUT;
  createSource(children: CreateSourceCstChildren, param?: IN): OUT;
  createConnector(children: CreateConnectorCstChildren, param?: IN): OUT;
  createType(children: CreateTypeCstChildren, param?: IN): OUT;
  createFunction(children: CreateFunctionCstChildren, param?: IN): OUT;
  functionParameter(children: FunctionParameterCstChildren, param?: IN): OUT;
  functionColumn(children: FunctionColumnCstChildren, param?: IN): OUT;
  alterStatement(children: AlterStatementCstChildren, param?: IN): OUT;
  addColumn(children: AddColumnCstChildren, param?: IN): OUT;
  dropStatement(children: DropStatementCstChildren, param?: IN): OUT;
  insertStatement(children: InsertStatementCstChildren, param?: IN): OUT;
  showStatement(children: ShowStatementCstChildren, param?: IN): OUT;
  describeStatement(children: DescribeStatementCstChildren, param?: IN): OUT;
  explainStatement(children: ExplainStatementCstChildren, param?: IN): OUT;
  printStatement(children: PrintStatementCstChildren, param?: IN): OUT;
  controlStatement(children: ControlStatementCstChildren, param?: IN): OUT;
  setStatement(children: SetStatementCstChildren, param?: IN): OUT;
  unsetStatement(children: UnsetStatementCstChildren, param?: IN): OUT;
  defineStatement(children: DefineStatementCstChildren, param?: IN): OUT;
  undefineStatement(children: UndefineStatementCstChildren, param?: IN): OUT;
  assertStatement(children: AssertStatementCstChildren, param?: IN): OUT;
  assertTopic(children: AssertTopicCstChildren, param?: IN): OUT;
  assertSchema(children: AssertSchemaCstChildren, param?: IN): OUT;
  timeout(children: TimeoutCstChildren, param?: IN): OUT;
  runScriptStatement(children: RunScriptStatementCstChildren, param?: IN): OUT;
}
