import type { Span } from '../../common/error.ts';

/**
 * The abstract syntax tree: what a statement says, before anyone has asked whether it makes sense.
 *
 * Nodes are plain immutable data, told apart by `kind`, and hold no parents and no resolved meaning: whether a
 * name is a column, a lambda parameter or nothing at all is the analyzer's question.
 *
 * - Every `span` is a range of UTF-16 positions in the text that was handed to the parser. For a statement out of
 *   several it counts from the start of that statement's own text (`ParsedStatement.text`).
 * - Identifiers are resolved here: unquoted ones are upper case, quoted ones are as written, without the quotes.
 *   Topics, subjects and property names of connectors keep their case even unquoted.
 * - Clauses that are absent are `null`, or an empty list where a list can't be written empty.
 * - Parentheses leave no node.
 */
export type Statement =
  | Query
  | CreateSource
  | CreateSourceAs
  | AlterSource
  | DropSource
  | InsertSelect
  | InsertValues
  | CreateType
  | DropType
  | CreateFunction
  | DropFunction
  | CreateConnector
  | DropConnector
  | DescribeConnector
  | ShowConnectors
  | ShowConnectorPlugins
  | ShowTopics
  | ShowSources
  | ShowFunctions
  | ShowQueries
  | ShowProperties
  | ShowTypes
  | ShowVariables
  | DescribeSource
  | DescribeSources
  | DescribeFunction
  | Explain
  | PrintTopic
  | TerminateQuery
  | PauseQuery
  | ResumeQuery
  | SetProperty
  | UnsetProperty
  | AlterSystem
  | DefineVariable
  | UndefineVariable
  | AssertTopic
  | AssertSchema
  | AssertValues
  | AssertTombstone
  | AssertSource
  | RunScript;

export type StatementKind = Statement['kind'];
/** The statement node of one kind, for instance `StatementOf<'createSource'>`. */
export type StatementOf<K extends StatementKind> = Extract<Statement, { kind: K }>;

export type SourceKind = 'stream' | 'table';

/** A name that stands where no node of its own would carry its span: an alias, a column in a list. */
export interface Identifier {
  readonly name: string;
  readonly span: Span;
}

// ---------------------------------------------------------------------------------------------------- queries

/** `SELECT … FROM …`: a statement of its own (pull or push), or the body of CREATE … AS and INSERT INTO. */
export interface Query {
  readonly kind: 'query';
  readonly span: Span;
  /** At least one. */
  readonly select: readonly SelectItem[];
  readonly from: Relation;
  readonly window: WindowExpression | null;
  readonly where: Expression | null;
  /** Empty when there is no GROUP BY; `GROUP BY (a, b)` is the same as `GROUP BY a, b`. */
  readonly groupBy: readonly Expression[];
  /** Empty when there is no PARTITION BY. `PARTITION BY NULL` is one null literal. */
  readonly partitionBy: readonly Expression[];
  readonly having: Expression | null;
  /** `null`: no EMIT clause. At top level that is a pull query; in a persistent query it means `changes`. */
  readonly emit: 'changes' | 'final' | null;
  /** A non-negative safe integer. */
  readonly limit: number | null;
}

export type SelectItem = SelectExpression | SelectAll | SelectFields;

/** `expression [AS alias]` */
export interface SelectExpression {
  readonly kind: 'selectExpression';
  readonly span: Span;
  readonly expression: Expression;
  readonly alias: Identifier | null;
}

/** `*` or `source.*` */
export interface SelectAll {
  readonly kind: 'selectAll';
  readonly span: Span;
  readonly source: Identifier | null;
}

/** `struct->*`: every field of a struct, a column each. */
export interface SelectFields {
  readonly kind: 'selectFields';
  readonly span: Span;
  readonly base: Expression;
}

/** What stands in FROM. Joins are left-deep: the right side of a join is always a single source. */
export type Relation = SourceRelation | JoinRelation;

/** `source [[AS] alias]` */
export interface SourceRelation {
  readonly kind: 'source';
  readonly span: Span;
  readonly name: string;
  readonly nameSpan: Span;
  readonly alias: Identifier | null;
}

export type JoinType = 'inner' | 'left' | 'right' | 'full';

export interface JoinRelation {
  readonly kind: 'join';
  readonly span: Span;
  readonly joinType: JoinType;
  readonly left: Relation;
  readonly right: SourceRelation;
  readonly within: JoinWindow | null;
  readonly on: Expression;
}

/** `WITHIN d` (before and after are both d) or `WITHIN (before, after)`, with `GRACE PERIOD g` or null. */
export interface JoinWindow {
  readonly span: Span;
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly graceMs: number | null;
}

/** Sizes are as written, in milliseconds: whether zero makes sense, or the advance fits, is for the analyzer. */
export type WindowExpression = TumblingWindow | HoppingWindow | SessionWindow;

interface WindowClauses {
  readonly span: Span;
  readonly retentionMs: number | null;
  readonly graceMs: number | null;
}

export interface TumblingWindow extends WindowClauses {
  readonly kind: 'tumbling';
  readonly sizeMs: number;
}

export interface HoppingWindow extends WindowClauses {
  readonly kind: 'hopping';
  readonly sizeMs: number;
  readonly advanceMs: number;
}

export interface SessionWindow extends WindowClauses {
  readonly kind: 'session';
  readonly gapMs: number;
}

// ------------------------------------------------------------------------------------------------ expressions

export type Expression =
  | Literal
  | ColumnReference
  | FieldAccess
  | Subscript
  | FunctionCall
  | Lambda
  | Unary
  | Arithmetic
  | Concatenation
  | AtTimeZone
  | Comparison
  | IsNull
  | Between
  | InList
  | Like
  | Not
  | Logical
  | Case
  | Cast
  | ArrayConstructor
  | MapConstructor
  | StructConstructor;

export type ExpressionKind = Expression['kind'];

export type Literal =
  | NullLiteral
  | BooleanLiteral
  | IntegerLiteral
  | BigintLiteral
  | DecimalLiteral
  | DoubleLiteral
  | StringLiteral;

export interface NullLiteral {
  readonly kind: 'null';
  readonly span: Span;
}

export interface BooleanLiteral {
  readonly kind: 'boolean';
  readonly span: Span;
  readonly value: boolean;
}

/** A whole number of 32 bits. A minus directly before a number is part of the literal. */
export interface IntegerLiteral {
  readonly kind: 'integer';
  readonly span: Span;
  readonly value: number;
}

/** A whole number beyond 32 bits and within 64: a number while it is a safe integer, a bigint beyond. */
export interface BigintLiteral {
  readonly kind: 'bigint';
  readonly span: Span;
  readonly value: number | bigint;
}

/** `1.50`, `-.5` or `DECIMAL '10'`. `text` is `-?` digits, perhaps a point and more digits: no exponent, no plus. */
export interface DecimalLiteral {
  readonly kind: 'decimal';
  readonly span: Span;
  readonly text: string;
}

/** A number with an exponent; finite. */
export interface DoubleLiteral {
  readonly kind: 'double';
  readonly span: Span;
  readonly value: number;
}

export interface StringLiteral {
  readonly kind: 'string';
  readonly span: Span;
  readonly value: string;
}

/** `name` or `source.name`. Inside a lambda body it may also name one of the lambda's parameters. */
export interface ColumnReference {
  readonly kind: 'column';
  readonly span: Span;
  readonly source: string | null;
  readonly name: string;
}

/** `base->field` */
export interface FieldAccess {
  readonly kind: 'fieldAccess';
  readonly span: Span;
  readonly base: Expression;
  readonly field: string;
  readonly fieldSpan: Span;
}

/** `base[index]` of an array or a map. */
export interface Subscript {
  readonly kind: 'subscript';
  readonly span: Span;
  readonly base: Expression;
  readonly index: Expression;
}

/** `name(arguments)`; `name(*)` has `star` and no arguments. Lambdas stand only here. */
export interface FunctionCall {
  readonly kind: 'call';
  readonly span: Span;
  readonly name: string;
  readonly nameSpan: Span;
  readonly arguments: readonly Expression[];
  readonly star: boolean;
}

/** `x => body` or `(x, y) => body`; only as an argument of a function. At least one parameter. */
export interface Lambda {
  readonly kind: 'lambda';
  readonly span: Span;
  readonly parameters: readonly Identifier[];
  readonly body: Expression;
}

export interface Unary {
  readonly kind: 'unary';
  readonly span: Span;
  readonly operator: '+' | '-';
  readonly operand: Expression;
}

export interface Arithmetic {
  readonly kind: 'arithmetic';
  readonly span: Span;
  readonly operator: '+' | '-' | '*' | '/' | '%';
  readonly left: Expression;
  readonly right: Expression;
}

/** `left || right` */
export interface Concatenation {
  readonly kind: 'concatenation';
  readonly span: Span;
  readonly left: Expression;
  readonly right: Expression;
}

/** `operand AT TIME ZONE 'zone'` */
export interface AtTimeZone {
  readonly kind: 'atTimeZone';
  readonly span: Span;
  readonly operand: Expression;
  readonly zone: string;
}

export type ComparisonOperator =
  | '='
  | '<>'
  | '<'
  | '<='
  | '>'
  | '>='
  | 'IS DISTINCT FROM'
  | 'IS NOT DISTINCT FROM';

export interface Comparison {
  readonly kind: 'comparison';
  readonly span: Span;
  readonly operator: ComparisonOperator;
  readonly left: Expression;
  readonly right: Expression;
}

/** `operand IS [NOT] NULL` */
export interface IsNull {
  readonly kind: 'isNull';
  readonly span: Span;
  readonly operand: Expression;
  readonly negated: boolean;
}

/** `operand [NOT] BETWEEN lower AND upper` */
export interface Between {
  readonly kind: 'between';
  readonly span: Span;
  readonly operand: Expression;
  readonly lower: Expression;
  readonly upper: Expression;
  readonly negated: boolean;
}

/** `operand [NOT] IN (items)`; at least one item. */
export interface InList {
  readonly kind: 'in';
  readonly span: Span;
  readonly operand: Expression;
  readonly items: readonly Expression[];
  readonly negated: boolean;
}

/** `operand [NOT] LIKE pattern [ESCAPE 'c']`; `escape` is as written, its length unchecked. */
export interface Like {
  readonly kind: 'like';
  readonly span: Span;
  readonly operand: Expression;
  readonly pattern: Expression;
  readonly escape: string | null;
  readonly negated: boolean;
}

export interface Not {
  readonly kind: 'not';
  readonly span: Span;
  readonly operand: Expression;
}

export interface Logical {
  readonly kind: 'logical';
  readonly span: Span;
  readonly operator: 'AND' | 'OR';
  readonly left: Expression;
  readonly right: Expression;
}

/** `CASE WHEN when THEN result … END`, or with `operand` the form `CASE operand WHEN when …`. */
export interface Case {
  readonly kind: 'case';
  readonly span: Span;
  readonly operand: Expression | null;
  readonly branches: readonly CaseBranch[];
  readonly otherwise: Expression | null;
}

export interface CaseBranch {
  readonly span: Span;
  readonly when: Expression;
  readonly result: Expression;
}

export interface Cast {
  readonly kind: 'cast';
  readonly span: Span;
  readonly operand: Expression;
  readonly type: TypeExpression;
}

/** `ARRAY[items]`; may be empty. */
export interface ArrayConstructor {
  readonly kind: 'array';
  readonly span: Span;
  readonly items: readonly Expression[];
}

/** `MAP(key := value, …)`; may be empty. */
export interface MapConstructor {
  readonly kind: 'map';
  readonly span: Span;
  readonly entries: readonly { readonly key: Expression; readonly value: Expression }[];
}

/** `STRUCT(field := value, …)`; may be empty. */
export interface StructConstructor {
  readonly kind: 'struct';
  readonly span: Span;
  readonly fields: readonly { readonly name: string; readonly nameSpan: Span; readonly value: Expression }[];
}

// ------------------------------------------------------------------------------------------------------ types

export type TypeExpression =
  | PrimitiveTypeExpression
  | DecimalTypeExpression
  | ArrayTypeExpression
  | MapTypeExpression
  | StructTypeExpression
  | NamedTypeExpression;

export type PrimitiveTypeName =
  | 'boolean'
  | 'integer'
  | 'bigint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'date'
  | 'time'
  | 'timestamp';

/** A type without parameters; `type` is the `kind` of the `SqlType` it stands for (INT is `integer`, …). */
export interface PrimitiveTypeExpression {
  readonly kind: 'primitiveType';
  readonly span: Span;
  readonly type: PrimitiveTypeName;
}

/** Whether precision and scale are allowed is unchecked; both are non-negative safe integers. */
export interface DecimalTypeExpression {
  readonly kind: 'decimalType';
  readonly span: Span;
  readonly precision: number;
  readonly scale: number;
}

export interface ArrayTypeExpression {
  readonly kind: 'arrayType';
  readonly span: Span;
  readonly element: TypeExpression;
}

export interface MapTypeExpression {
  readonly kind: 'mapType';
  readonly span: Span;
  readonly key: TypeExpression;
  readonly value: TypeExpression;
}

export interface StructTypeExpression {
  readonly kind: 'structType';
  readonly span: Span;
  /** May be empty. */
  readonly fields: readonly {
    readonly name: string;
    readonly nameSpan: Span;
    readonly type: TypeExpression;
  }[];
}

/** A type that CREATE TYPE may have named; the catalog knows. */
export interface NamedTypeExpression {
  readonly kind: 'namedType';
  readonly span: Span;
  readonly name: string;
}

// ----------------------------------------------------------------------------------------------- declarations

/** One column of CREATE STREAM or CREATE TABLE. */
export interface TableElement {
  readonly span: Span;
  readonly name: string;
  readonly nameSpan: Span;
  readonly type: TypeExpression;
  readonly constraint: ColumnConstraint | null;
}

export type ColumnConstraint =
  | { readonly kind: 'key'; readonly span: Span }
  | { readonly kind: 'primaryKey'; readonly span: Span }
  | { readonly kind: 'headers'; readonly span: Span }
  | { readonly kind: 'header'; readonly span: Span; readonly headerKey: string };

/** `name = literal` in WITH. Names are upper case (of connectors: as written); which exist is unchecked here. */
export interface WithProperty {
  readonly span: Span;
  readonly name: string;
  readonly nameSpan: Span;
  /** Its span is where a bad value is pointed at. */
  readonly value: Literal;
}

/** `CREATE [OR REPLACE] [SOURCE] STREAM|TABLE [IF NOT EXISTS] name [(elements)] [WITH (properties)]` */
export interface CreateSource {
  readonly kind: 'createSource';
  readonly span: Span;
  readonly sourceKind: SourceKind;
  readonly orReplace: boolean;
  /** `CREATE SOURCE STREAM|TABLE`: read-only, and its topic is not ours to write or drop. */
  readonly readOnly: boolean;
  readonly ifNotExists: boolean;
  readonly name: string;
  readonly nameSpan: Span;
  /** Empty when no list was written: the columns are then inferred. */
  readonly elements: readonly TableElement[];
  readonly properties: readonly WithProperty[];
}

/** `CREATE [OR REPLACE] STREAM|TABLE [IF NOT EXISTS] name [WITH (properties)] AS query` */
export interface CreateSourceAs {
  readonly kind: 'createSourceAs';
  readonly span: Span;
  readonly sourceKind: SourceKind;
  readonly orReplace: boolean;
  readonly ifNotExists: boolean;
  readonly name: string;
  readonly nameSpan: Span;
  readonly properties: readonly WithProperty[];
  readonly query: Query;
}

/** `ALTER STREAM|TABLE name ADD [COLUMN] column type, …`; at least one column. */
export interface AlterSource {
  readonly kind: 'alterSource';
  readonly span: Span;
  readonly sourceKind: SourceKind;
  readonly name: string;
  readonly nameSpan: Span;
  /** `constraint` is always null here. */
  readonly columns: readonly TableElement[];
}

/** `DROP STREAM|TABLE [IF EXISTS] name [DELETE TOPIC]` */
export interface DropSource {
  readonly kind: 'dropSource';
  readonly span: Span;
  readonly sourceKind: SourceKind;
  readonly name: string;
  readonly nameSpan: Span;
  readonly ifExists: boolean;
  readonly deleteTopic: boolean;
}

/** `INSERT INTO target [WITH (properties)] query` */
export interface InsertSelect {
  readonly kind: 'insertSelect';
  readonly span: Span;
  readonly target: string;
  readonly targetSpan: Span;
  readonly properties: readonly WithProperty[];
  readonly query: Query;
}

/** `INSERT INTO target [(columns)] VALUES (values)` */
export interface InsertValues {
  readonly kind: 'insertValues';
  readonly span: Span;
  readonly target: string;
  readonly targetSpan: Span;
  /** Empty when no list was written; its length need not be that of `values`. */
  readonly columns: readonly Identifier[];
  /** May be empty. */
  readonly values: readonly Expression[];
}

/** `CREATE TYPE [IF NOT EXISTS] name AS type` */
export interface CreateType {
  readonly kind: 'createType';
  readonly span: Span;
  readonly ifNotExists: boolean;
  readonly name: string;
  readonly nameSpan: Span;
  readonly type: TypeExpression;
}

/** `DROP TYPE [IF EXISTS] name` */
export interface DropType {
  readonly kind: 'dropType';
  readonly span: Span;
  readonly ifExists: boolean;
  readonly name: string;
  readonly nameSpan: Span;
}

/**
 * `CREATE [OR REPLACE] [AGGREGATE] FUNCTION [IF NOT EXISTS] name (parameter type, …) RETURNS type | TABLE (column type, …)
 * [STATE type] LANGUAGE language [STRICT] AS body`
 */
export interface CreateFunction {
  readonly kind: 'createFunction';
  readonly span: Span;
  readonly orReplace: boolean;
  readonly ifNotExists: boolean;
  readonly aggregate: boolean;
  readonly name: string;
  readonly nameSpan: Span;
  readonly parameters: readonly FunctionParameter[];
  readonly returns: FunctionResult;
  /** What an aggregate keeps between rows; `null`: what it returns. That only aggregates have it is unchecked. */
  readonly state: TypeExpression | null;
  /** Upper case; whether there is such a language is unchecked. */
  readonly language: string;
  readonly languageSpan: Span;
  readonly strict: boolean;
  readonly body: string;
  readonly bodySpan: Span;
}

export interface FunctionParameter {
  readonly span: Span;
  /** As written, also unquoted: it is a name of the code. */
  readonly name: string;
  readonly type: TypeExpression;
}

export type FunctionResult =
  | { readonly kind: 'value'; readonly type: TypeExpression }
  /** Rows of these columns. */
  | {
      readonly kind: 'rows';
      readonly columns: readonly {
        readonly name: string;
        readonly nameSpan: Span;
        readonly type: TypeExpression;
      }[];
    };

/** `DROP FUNCTION [IF EXISTS] name` */
export interface DropFunction {
  readonly kind: 'dropFunction';
  readonly span: Span;
  readonly ifExists: boolean;
  readonly name: string;
  readonly nameSpan: Span;
}

/** `CREATE SOURCE|SINK CONNECTOR [IF NOT EXISTS] name WITH (properties)` */
export interface CreateConnector {
  readonly kind: 'createConnector';
  readonly span: Span;
  readonly connectorKind: 'source' | 'sink';
  readonly ifNotExists: boolean;
  readonly name: string;
  readonly nameSpan: Span;
  readonly properties: readonly WithProperty[];
}

/** `DROP CONNECTOR [IF EXISTS] name` */
export interface DropConnector {
  readonly kind: 'dropConnector';
  readonly span: Span;
  readonly ifExists: boolean;
  readonly name: string;
  readonly nameSpan: Span;
}

/** `DESCRIBE CONNECTOR name` */
export interface DescribeConnector {
  readonly kind: 'describeConnector';
  readonly span: Span;
  readonly name: string;
  readonly nameSpan: Span;
}

// ----------------------------------------------------------------------------------- looking around, control

/** `SHOW|LIST [SOURCE|SINK] CONNECTORS` */
export interface ShowConnectors {
  readonly kind: 'showConnectors';
  readonly span: Span;
  readonly scope: 'all' | 'source' | 'sink';
}

export interface ShowConnectorPlugins {
  readonly kind: 'showConnectorPlugins';
  readonly span: Span;
}

/** `SHOW|LIST [ALL] TOPICS [EXTENDED]` */
export interface ShowTopics {
  readonly kind: 'showTopics';
  readonly span: Span;
  readonly all: boolean;
  readonly extended: boolean;
}

/** `SHOW|LIST STREAMS|TABLES [EXTENDED]` */
export interface ShowSources {
  readonly kind: 'showSources';
  readonly span: Span;
  readonly sourceKind: SourceKind;
  readonly extended: boolean;
}

export interface ShowFunctions {
  readonly kind: 'showFunctions';
  readonly span: Span;
}

/** `SHOW|LIST QUERIES [EXTENDED]` */
export interface ShowQueries {
  readonly kind: 'showQueries';
  readonly span: Span;
  readonly extended: boolean;
}

export interface ShowProperties {
  readonly kind: 'showProperties';
  readonly span: Span;
}

export interface ShowTypes {
  readonly kind: 'showTypes';
  readonly span: Span;
}

export interface ShowVariables {
  readonly kind: 'showVariables';
  readonly span: Span;
}

/** `DESCRIBE name [EXTENDED]` */
export interface DescribeSource {
  readonly kind: 'describeSource';
  readonly span: Span;
  readonly name: string;
  readonly nameSpan: Span;
  readonly extended: boolean;
}

/** `DESCRIBE STREAMS|TABLES [EXTENDED]`: a description of each. A source of that name must be quoted. */
export interface DescribeSources {
  readonly kind: 'describeSources';
  readonly span: Span;
  readonly sourceKind: SourceKind;
  readonly extended: boolean;
}

/** `DESCRIBE FUNCTION name` */
export interface DescribeFunction {
  readonly kind: 'describeFunction';
  readonly span: Span;
  readonly name: string;
  readonly nameSpan: Span;
}

/** `EXPLAIN statement` or `EXPLAIN queryId` */
export interface Explain {
  readonly kind: 'explain';
  readonly span: Span;
  readonly target:
    | { readonly kind: 'statement'; readonly statement: Statement }
    | { readonly kind: 'queryId'; readonly queryId: string; readonly span: Span };
}

/** `PRINT topic [FROM BEGINNING] [INTERVAL|SAMPLE n] [LIMIT n]` */
export interface PrintTopic {
  readonly kind: 'printTopic';
  readonly span: Span;
  /** As written, also unquoted: topics are case-sensitive. */
  readonly topic: string;
  readonly topicSpan: Span;
  readonly fromBeginning: boolean;
  /** Every n-th record only. */
  readonly interval: number | null;
  readonly limit: number | null;
}

interface QueryControl {
  readonly span: Span;
  /** `null`: ALL. */
  readonly queryId: string | null;
}

/** `TERMINATE queryId|ALL` */
export interface TerminateQuery extends QueryControl {
  readonly kind: 'terminate';
}

/** `PAUSE queryId|ALL` */
export interface PauseQuery extends QueryControl {
  readonly kind: 'pause';
}

/** `RESUME queryId|ALL` */
export interface ResumeQuery extends QueryControl {
  readonly kind: 'resume';
}

/** `SET 'name' = 'value'` */
export interface SetProperty {
  readonly kind: 'setProperty';
  readonly span: Span;
  readonly name: string;
  readonly nameSpan: Span;
  readonly value: string;
  readonly valueSpan: Span;
}

/** `UNSET 'name'` */
export interface UnsetProperty {
  readonly kind: 'unsetProperty';
  readonly span: Span;
  readonly name: string;
  readonly nameSpan: Span;
}

/** `ALTER SYSTEM 'name' = 'value'` */
export interface AlterSystem {
  readonly kind: 'alterSystem';
  readonly span: Span;
  readonly name: string;
  readonly nameSpan: Span;
  readonly value: string;
  readonly valueSpan: Span;
}

/** `DEFINE name = 'value'`. Names of variables are case-insensitive: upper case here. */
export interface DefineVariable {
  readonly kind: 'defineVariable';
  readonly span: Span;
  readonly name: string;
  /** Without the outer quotes; `'''v'''` is `'v'`, quotes included. */
  readonly value: string;
}

/** `UNDEFINE name` */
export interface UndefineVariable {
  readonly kind: 'undefineVariable';
  readonly span: Span;
  readonly name: string;
}

/** `ASSERT [NOT EXISTS] TOPIC topic [WITH (properties)] [TIMEOUT d]` */
export interface AssertTopic {
  readonly kind: 'assertTopic';
  readonly span: Span;
  readonly exists: boolean;
  /** As written, also unquoted. */
  readonly topic: string;
  readonly topicSpan: Span;
  readonly properties: readonly WithProperty[];
  readonly timeoutMs: number | null;
}

/** `ASSERT [NOT EXISTS] SCHEMA [SUBJECT subject] [ID n] [TIMEOUT d]`; that one of them is given is unchecked. */
export interface AssertSchema {
  readonly kind: 'assertSchema';
  readonly span: Span;
  readonly exists: boolean;
  /** As written, also unquoted. */
  readonly subject: string | null;
  readonly id: number | null;
  readonly timeoutMs: number | null;
}

/** `ASSERT VALUES source (columns) VALUES (values)`: the next record of the source is this one. */
export interface AssertValues {
  readonly kind: 'assertValues';
  readonly span: Span;
  readonly source: string;
  readonly sourceSpan: Span;
  readonly columns: readonly Identifier[];
  readonly values: readonly Expression[];
}

/** `ASSERT NULL VALUES source (columns) KEY (values)`: the next record of the source is a tombstone. */
export interface AssertTombstone {
  readonly kind: 'assertTombstone';
  readonly span: Span;
  readonly source: string;
  readonly sourceSpan: Span;
  readonly columns: readonly Identifier[];
  readonly values: readonly Expression[];
}

/** `ASSERT STREAM|TABLE name [(elements)] [WITH (properties)]`: the source exists and looks like this. */
export interface AssertSource {
  readonly kind: 'assertSource';
  readonly span: Span;
  readonly sourceKind: SourceKind;
  readonly name: string;
  readonly nameSpan: Span;
  readonly elements: readonly TableElement[];
  readonly properties: readonly WithProperty[];
}

/** `RUN SCRIPT 'path'` */
export interface RunScript {
  readonly kind: 'runScript';
  readonly span: Span;
  readonly path: string;
  readonly pathSpan: Span;
}
