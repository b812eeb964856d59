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

/** What every node has. */
interface Node<Kind extends string> {
  readonly kind: Kind;
  readonly span: Span;
}

/** What a node is about, by name. */
interface Named {
  readonly name: string;
  readonly nameSpan: Span;
}

export type SourceKind = 'stream' | 'table';

/** A name that stands where no node of its own would carry its span: an alias, a column in a list. */
export interface Identifier {
  readonly name: string;
  readonly span: Span;
}

// ---------------------------------------------------------------------------------------------------- queries

/** `SELECT … FROM …`: a statement of its own (pull or push), or the body of CREATE … AS and INSERT INTO. */
export interface Query extends Node<'query'> {
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
export interface SelectExpression extends Node<'selectExpression'> {
  readonly expression: Expression;
  readonly alias: Identifier | null;
}

/** `*` or `source.*` */
export interface SelectAll extends Node<'selectAll'> {
  readonly source: Identifier | null;
}

/** `struct->*`: every field of a struct, a column each. */
export interface SelectFields extends Node<'selectFields'> {
  readonly base: Expression;
}

/** What stands in FROM. Joins are left-deep: the right side of a join is always a single source. */
export type Relation = SourceRelation | JoinRelation;

/** `source [[AS] alias]` */
export interface SourceRelation extends Node<'source'>, Named {
  readonly alias: Identifier | null;
}

export type JoinType = 'inner' | 'left' | 'right' | 'full';

export interface JoinRelation extends Node<'join'> {
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

export interface TumblingWindow extends Node<'tumbling'>, WindowClauses {
  readonly sizeMs: number;
}

export interface HoppingWindow extends Node<'hopping'>, WindowClauses {
  readonly sizeMs: number;
  readonly advanceMs: number;
}

export interface SessionWindow extends Node<'session'>, WindowClauses {
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

export type NullLiteral = Node<'null'>;

export interface BooleanLiteral extends Node<'boolean'> {
  readonly value: boolean;
}

/** A whole number of 32 bits. A minus directly before a number is part of the literal. */
export interface IntegerLiteral extends Node<'integer'> {
  readonly value: number;
}

/** A whole number beyond 32 bits and within 64: a number while it is a safe integer, a bigint beyond. */
export interface BigintLiteral extends Node<'bigint'> {
  readonly value: number | bigint;
}

/** `1.50`, `-.5` or `DECIMAL '10'`. `text` is `-?` digits, perhaps a point and more digits: no exponent, no plus. */
export interface DecimalLiteral extends Node<'decimal'> {
  readonly text: string;
}

/** A number with an exponent; finite. */
export interface DoubleLiteral extends Node<'double'> {
  readonly value: number;
}

export interface StringLiteral extends Node<'string'> {
  readonly value: string;
}

/** `name` or `source.name`. Inside a lambda body it may also name one of the lambda's parameters. */
export interface ColumnReference extends Node<'column'> {
  readonly source: string | null;
  readonly name: string;
}

/** `base->field` */
export interface FieldAccess extends Node<'fieldAccess'> {
  readonly base: Expression;
  readonly field: string;
  readonly fieldSpan: Span;
}

/** `base[index]` of an array or a map. */
export interface Subscript extends Node<'subscript'> {
  readonly base: Expression;
  readonly index: Expression;
}

/** `name(arguments)`; `name(*)` has `star` and no arguments. Lambdas stand only here. */
export interface FunctionCall extends Node<'call'>, Named {
  readonly arguments: readonly Expression[];
  readonly star: boolean;
}

/** `x => body` or `(x, y) => body`; only as an argument of a function. At least one parameter. */
export interface Lambda extends Node<'lambda'> {
  readonly parameters: readonly Identifier[];
  readonly body: Expression;
}

export interface Unary extends Node<'unary'> {
  readonly operator: '+' | '-';
  readonly operand: Expression;
}

export interface Arithmetic extends Node<'arithmetic'> {
  readonly operator: '+' | '-' | '*' | '/' | '%';
  readonly left: Expression;
  readonly right: Expression;
}

/** `left || right` */
export interface Concatenation extends Node<'concatenation'> {
  readonly left: Expression;
  readonly right: Expression;
}

/** `operand AT TIME ZONE 'zone'` */
export interface AtTimeZone extends Node<'atTimeZone'> {
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

export interface Comparison extends Node<'comparison'> {
  readonly operator: ComparisonOperator;
  readonly left: Expression;
  readonly right: Expression;
}

/** `operand IS [NOT] NULL` */
export interface IsNull extends Node<'isNull'> {
  readonly operand: Expression;
  readonly negated: boolean;
}

/** `operand [NOT] BETWEEN lower AND upper` */
export interface Between extends Node<'between'> {
  readonly operand: Expression;
  readonly lower: Expression;
  readonly upper: Expression;
  readonly negated: boolean;
}

/** `operand [NOT] IN (items)`; at least one item. */
export interface InList extends Node<'in'> {
  readonly operand: Expression;
  readonly items: readonly Expression[];
  readonly negated: boolean;
}

/** `operand [NOT] LIKE pattern [ESCAPE 'c']`; `escape` is as written, its length unchecked. */
export interface Like extends Node<'like'> {
  readonly operand: Expression;
  readonly pattern: Expression;
  readonly escape: string | null;
  readonly negated: boolean;
}

export interface Not extends Node<'not'> {
  readonly operand: Expression;
}

export interface Logical extends Node<'logical'> {
  readonly operator: 'AND' | 'OR';
  readonly left: Expression;
  readonly right: Expression;
}

/** `CASE WHEN when THEN result … END`, or with `operand` the form `CASE operand WHEN when …`. */
export interface Case extends Node<'case'> {
  readonly operand: Expression | null;
  readonly branches: readonly CaseBranch[];
  readonly otherwise: Expression | null;
}

export interface CaseBranch {
  readonly span: Span;
  readonly when: Expression;
  readonly result: Expression;
}

export interface Cast extends Node<'cast'> {
  readonly operand: Expression;
  readonly type: TypeExpression;
}

/** `ARRAY[items]`; may be empty. */
export interface ArrayConstructor extends Node<'array'> {
  readonly items: readonly Expression[];
}

/** `MAP(key := value, …)`; may be empty. */
export interface MapConstructor extends Node<'map'> {
  readonly entries: readonly { readonly key: Expression; readonly value: Expression }[];
}

/** `STRUCT(field := value, …)`; may be empty. */
export interface StructConstructor extends Node<'struct'> {
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
export interface PrimitiveTypeExpression extends Node<'primitiveType'> {
  readonly type: PrimitiveTypeName;
}

/** Whether precision and scale are allowed is unchecked; both are non-negative safe integers. */
export interface DecimalTypeExpression extends Node<'decimalType'> {
  readonly precision: number;
  readonly scale: number;
}

export interface ArrayTypeExpression extends Node<'arrayType'> {
  readonly element: TypeExpression;
}

export interface MapTypeExpression extends Node<'mapType'> {
  readonly key: TypeExpression;
  readonly value: TypeExpression;
}

export interface StructTypeExpression extends Node<'structType'> {
  /** May be empty. */
  readonly fields: readonly {
    readonly name: string;
    readonly nameSpan: Span;
    readonly type: TypeExpression;
  }[];
}

/** A type that CREATE TYPE may have named; the catalog knows. */
export interface NamedTypeExpression extends Node<'namedType'> {
  readonly name: string;
}

// ----------------------------------------------------------------------------------------------- declarations

/** One column of CREATE STREAM or CREATE TABLE. */
export interface TableElement extends Named {
  readonly span: Span;
  readonly type: TypeExpression;
  readonly constraint: ColumnConstraint | null;
}

export type ColumnConstraint =
  | Node<'key' | 'primaryKey' | 'headers'>
  | (Node<'header'> & { readonly headerKey: string });

/** `name = literal` in WITH. Names are upper case (of connectors: as written); which exist is unchecked here. */
export interface WithProperty extends Named {
  readonly span: Span;
  /** Its span is where a bad value is pointed at. */
  readonly value: Literal;
}

/** `CREATE [OR REPLACE] [SOURCE] STREAM|TABLE [IF NOT EXISTS] name [(elements)] [WITH (properties)]` */
export interface CreateSource extends Node<'createSource'>, Named {
  readonly sourceKind: SourceKind;
  readonly orReplace: boolean;
  /** `CREATE SOURCE STREAM|TABLE`: read-only, and its topic is not ours to write or drop. */
  readonly readOnly: boolean;
  readonly ifNotExists: boolean;
  /** Empty when no list was written: the columns are then inferred. */
  readonly elements: readonly TableElement[];
  readonly properties: readonly WithProperty[];
}

/** `CREATE [OR REPLACE] STREAM|TABLE [IF NOT EXISTS] name [WITH (properties)] AS query` */
export interface CreateSourceAs extends Node<'createSourceAs'>, Named {
  readonly sourceKind: SourceKind;
  readonly orReplace: boolean;
  readonly ifNotExists: boolean;
  readonly properties: readonly WithProperty[];
  readonly query: Query;
}

/** `ALTER STREAM|TABLE name ADD [COLUMN] column type, …`; at least one column. */
export interface AlterSource extends Node<'alterSource'>, Named {
  readonly sourceKind: SourceKind;
  /** `constraint` is always null here. */
  readonly columns: readonly TableElement[];
}

/** `DROP STREAM|TABLE [IF EXISTS] name [DELETE TOPIC]` */
export interface DropSource extends Node<'dropSource'>, Named {
  readonly sourceKind: SourceKind;
  readonly ifExists: boolean;
  readonly deleteTopic: boolean;
}

/** `INSERT INTO target [WITH (properties)] query` */
export interface InsertSelect extends Node<'insertSelect'> {
  readonly target: string;
  readonly targetSpan: Span;
  readonly properties: readonly WithProperty[];
  readonly query: Query;
}

/** `INSERT INTO target [(columns)] VALUES (values)` */
export interface InsertValues extends Node<'insertValues'> {
  readonly target: string;
  readonly targetSpan: Span;
  /** Empty when no list was written; its length need not be that of `values`. */
  readonly columns: readonly Identifier[];
  /** May be empty. */
  readonly values: readonly Expression[];
}

/** `CREATE TYPE [IF NOT EXISTS] name AS type` */
export interface CreateType extends Node<'createType'>, Named {
  readonly ifNotExists: boolean;
  readonly type: TypeExpression;
}

/** `DROP TYPE [IF EXISTS] name` */
export interface DropType extends Node<'dropType'>, Named {
  readonly ifExists: boolean;
}

/**
 * `CREATE [OR REPLACE] [AGGREGATE] FUNCTION [IF NOT EXISTS] name (parameter type, …) RETURNS type | TABLE (column type, …)
 * [STATE type] LANGUAGE language [STRICT] AS body`
 */
export interface CreateFunction extends Node<'createFunction'>, Named {
  readonly orReplace: boolean;
  readonly ifNotExists: boolean;
  readonly aggregate: boolean;
  readonly parameters: readonly FunctionParameter[];
  readonly returns: FunctionResult;
  /** The type of an aggregate's state; `null`: the type that it returns. Not checked here: that only aggregates have it. */
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
export interface DropFunction extends Node<'dropFunction'>, Named {
  readonly ifExists: boolean;
}

/** `CREATE SOURCE|SINK CONNECTOR [IF NOT EXISTS] name WITH (properties)` */
export interface CreateConnector extends Node<'createConnector'>, Named {
  readonly connectorKind: 'source' | 'sink';
  readonly ifNotExists: boolean;
  readonly properties: readonly WithProperty[];
}

/** `DROP CONNECTOR [IF EXISTS] name` */
export interface DropConnector extends Node<'dropConnector'>, Named {
  readonly ifExists: boolean;
}

/** `DESCRIBE CONNECTOR name` */
export type DescribeConnector = Node<'describeConnector'> & Named;

// ----------------------------------------------------------------------------------- looking around, control

/** `SHOW|LIST [SOURCE|SINK] CONNECTORS` */
export interface ShowConnectors extends Node<'showConnectors'> {
  readonly scope: 'all' | 'source' | 'sink';
}

export type ShowConnectorPlugins = Node<'showConnectorPlugins'>;

/** `SHOW|LIST [ALL] TOPICS [EXTENDED]` */
export interface ShowTopics extends Node<'showTopics'> {
  readonly all: boolean;
  readonly extended: boolean;
}

/** `SHOW|LIST STREAMS|TABLES [EXTENDED]` */
export interface ShowSources extends Node<'showSources'> {
  readonly sourceKind: SourceKind;
  readonly extended: boolean;
}

export type ShowFunctions = Node<'showFunctions'>;

/** `SHOW|LIST QUERIES [EXTENDED]` */
export interface ShowQueries extends Node<'showQueries'> {
  readonly extended: boolean;
}

export type ShowProperties = Node<'showProperties'>;

export type ShowTypes = Node<'showTypes'>;

export type ShowVariables = Node<'showVariables'>;

/** `DESCRIBE name [EXTENDED]` */
export interface DescribeSource extends Node<'describeSource'>, Named {
  readonly extended: boolean;
}

/** `DESCRIBE STREAMS|TABLES [EXTENDED]`: a description of each. A source of that name must be quoted. */
export interface DescribeSources extends Node<'describeSources'> {
  readonly sourceKind: SourceKind;
  readonly extended: boolean;
}

/** `DESCRIBE FUNCTION name` */
export type DescribeFunction = Node<'describeFunction'> & Named;

/** `EXPLAIN statement` or `EXPLAIN queryId` */
export interface Explain extends Node<'explain'> {
  readonly target:
    | { readonly kind: 'statement'; readonly statement: Statement }
    | { readonly kind: 'queryId'; readonly queryId: string; readonly span: Span };
}

/** `PRINT topic [FROM BEGINNING] [INTERVAL|SAMPLE n] [LIMIT n]` */
export interface PrintTopic extends Node<'printTopic'> {
  /** As written, also unquoted: topics are case-sensitive. */
  readonly topic: string;
  readonly topicSpan: Span;
  readonly fromBeginning: boolean;
  /** Every n-th record only. */
  readonly interval: number | null;
  readonly limit: number | null;
}

interface QueryControl {
  /** `null`: ALL. */
  readonly queryId: string | null;
}

/** `TERMINATE queryId|ALL` */
export type TerminateQuery = Node<'terminate'> & QueryControl;

/** `PAUSE queryId|ALL` */
export type PauseQuery = Node<'pause'> & QueryControl;

/** `RESUME queryId|ALL` */
export type ResumeQuery = Node<'resume'> & QueryControl;

interface Assignment extends Named {
  readonly value: string;
  readonly valueSpan: Span;
}

/** `SET 'name' = 'value'` */
export type SetProperty = Node<'setProperty'> & Assignment;

/** `UNSET 'name'` */
export type UnsetProperty = Node<'unsetProperty'> & Named;

/** `ALTER SYSTEM 'name' = 'value'` */
export type AlterSystem = Node<'alterSystem'> & Assignment;

/** `DEFINE name = 'value'`. Names of variables are case-insensitive: upper case here. */
export interface DefineVariable extends Node<'defineVariable'> {
  readonly name: string;
  /** Without the outer quotes; `'''v'''` is `'v'`, quotes included. */
  readonly value: string;
}

/** `UNDEFINE name` */
export interface UndefineVariable extends Node<'undefineVariable'> {
  readonly name: string;
}

/** `ASSERT [NOT EXISTS] TOPIC topic [WITH (properties)] [TIMEOUT d]` */
export interface AssertTopic extends Node<'assertTopic'> {
  readonly exists: boolean;
  /** As written, also unquoted. */
  readonly topic: string;
  readonly topicSpan: Span;
  readonly properties: readonly WithProperty[];
  readonly timeoutMs: number | null;
}

/** `ASSERT [NOT EXISTS] SCHEMA [SUBJECT subject] [ID n] [TIMEOUT d]`; that one of them is given is unchecked. */
export interface AssertSchema extends Node<'assertSchema'> {
  readonly exists: boolean;
  /** As written, also unquoted. */
  readonly subject: string | null;
  readonly id: number | null;
  readonly timeoutMs: number | null;
}

interface AssertedRow {
  readonly source: string;
  readonly sourceSpan: Span;
  readonly columns: readonly Identifier[];
  readonly values: readonly Expression[];
}

/** `ASSERT VALUES source (columns) VALUES (values)`: the next record of the source is this one. */
export type AssertValues = Node<'assertValues'> & AssertedRow;

/** `ASSERT NULL VALUES source (columns) KEY (values)`: the next record of the source is a tombstone. */
export type AssertTombstone = Node<'assertTombstone'> & AssertedRow;

/** `ASSERT STREAM|TABLE name [(elements)] [WITH (properties)]`: the source exists and looks like this. */
export interface AssertSource extends Node<'assertSource'>, Named {
  readonly sourceKind: SourceKind;
  readonly elements: readonly TableElement[];
  readonly properties: readonly WithProperty[];
}

/** `RUN SCRIPT 'path'` */
export interface RunScript extends Node<'runScript'> {
  readonly path: string;
  readonly pathSpan: Span;
}
