import { Lexer, createToken } from 'chevrotain';
import type { IToken, TokenType } from 'chevrotain';

/**
 * The tokens of the language.
 *
 * The lexer itself knows only shapes: words, quoted names, strings, numbers, signs. A word becomes a keyword
 * afterwards, by one look-up in `KEYWORDS`, so that a hundred keywords cost nothing to scan for and any case
 * will do. Keywords that are not reserved belong to the category `Identifier`: wherever a name may stand, they
 * may stand.
 */

// ------------------------------------------------------------------------------------------------- categories

/** Anything that may stand where a name is wanted. */
export const Identifier = createToken({ name: 'Identifier', pattern: Lexer.NA, label: 'a name' });
export const NumberLiteral = createToken({ name: 'NumberLiteral', pattern: Lexer.NA, label: 'a number' });
export const BooleanLiteral = createToken({
  name: 'BooleanLiteral',
  pattern: Lexer.NA,
  label: 'TRUE or FALSE',
});
export const TimeUnit = createToken({ name: 'TimeUnit', pattern: Lexer.NA, label: 'a unit of time' });
/** `STREAM` or `TABLE` */
export const SourceKindWord = createToken({
  name: 'SourceKindWord',
  pattern: Lexer.NA,
  label: 'STREAM or TABLE',
});
/** `STREAMS` or `TABLES` */
export const SourcesWord = createToken({
  name: 'SourcesWord',
  pattern: Lexer.NA,
  label: 'STREAMS or TABLES',
});
/** Signs between two values: `+ - * / % ||` */
export const ValueOperator = createToken({
  name: 'ValueOperator',
  pattern: Lexer.NA,
  label: 'an operator',
});
/** `+` or `-` */
export const Sign = createToken({ name: 'Sign', pattern: Lexer.NA, label: "'+' or '-'" });
export const ComparisonOperator = createToken({
  name: 'ComparisonOperator',
  pattern: Lexer.NA,
  label: 'a comparison',
});
/** `AND` or `OR` */
export const LogicalOperator = createToken({
  name: 'LogicalOperator',
  pattern: Lexer.NA,
  label: 'AND or OR',
});

// ----------------------------------------------------------------------------------------------------- shapes

/** The result of a pattern that is a function: the text between the two positions, or nothing. */
function upTo(text: string, from: number, end: number): [string] | null {
  return end > from ? [text.slice(from, end)] : null;
}

/** The end of the comment that begins at `from`; 0 when none begins there. */
function commentEnd(text: string, from: number): number {
  const end = text.startsWith('/*', from) ? text.indexOf('*/', from + 2) : -1;
  return end < 0 ? 0 : end + 2;
}

/**
 * The end of the quoted text that begins at `from`, 0 when it has none. No regular expression: one that goes on over doubled quotes
 * keeps a place to come back to for each, and a text of nothing but quotes makes that overflow.
 */
function quotedEnd(text: string, from: number): number {
  const quote = text[from]!;
  for (let at = from + 1; ; at += 2) {
    at = text.indexOf(quote, at);
    if (at < 0) return 0;
    if (text[at + 1] !== quote) return at + 1;
  }
}

export const WhiteSpace = createToken({ name: 'WhiteSpace', pattern: /\s+/, group: Lexer.SKIPPED });
export const LineComment = createToken({
  name: 'LineComment',
  pattern: /--[^\n\r]*/,
  group: Lexer.SKIPPED,
});
export const BlockComment = createToken({
  name: 'BlockComment',
  pattern: (text, from) => upTo(text, from, commentEnd(text, from)),
  start_chars_hint: ['/'],
  line_breaks: true,
  group: Lexer.SKIPPED,
});
export const UnterminatedComment = createToken({ name: 'UnterminatedComment', pattern: /\/\*[\s\S]*/ });

/** `'` is written twice inside; there are no backslash escapes. */
export const StringLiteral = createToken({
  name: 'StringLiteral',
  pattern: (text, from) => upTo(text, from, text[from] === "'" ? quotedEnd(text, from) : 0),
  start_chars_hint: ["'"],
  line_breaks: true,
  label: 'a string',
});
export const UnterminatedString = createToken({ name: 'UnterminatedString', pattern: /'[\s\S]*/ });

/**
 * A text as it stands, for code: `$$ … $$`, or `$tag$ … $tag$` where the text has two dollars itself. Variables in it
 * are not replaced.
 */
export const DollarString = createToken({
  name: 'DollarString',
  pattern: /\$([A-Za-z_][A-Za-z0-9_]*)?\$[\s\S]*?\$\1\$/,
  start_chars_hint: ['$'],
  line_breaks: true,
  label: 'a text between $$',
});
export const UnterminatedDollarString = createToken({
  name: 'UnterminatedDollarString',
  pattern: /\$(?:[A-Za-z_][A-Za-z0-9_]*)?\$[\s\S]*/,
});

export const BareIdentifier = createToken({
  name: 'BareIdentifier',
  pattern: /[A-Za-z_][A-Za-z0-9_@]*/,
  categories: [Identifier],
});
/** A name that begins with digits: `7days`. */
export const DigitIdentifier = createToken({
  name: 'DigitIdentifier',
  pattern: /\d+[A-Za-z_@][A-Za-z0-9_@]*/,
  categories: [Identifier],
});
/** Keeps its case; the quote is written twice inside. */
export const QuotedIdentifier = createToken({
  name: 'QuotedIdentifier',
  pattern: (text, from) =>
    upTo(text, from, text[from] === '`' || text[from] === '"' ? quotedEnd(text, from) : 0),
  start_chars_hint: ['`', '"'],
  line_breaks: true,
  categories: [Identifier],
});
export const UnterminatedIdentifier = createToken({ name: 'UnterminatedIdentifier', pattern: /[`"][\s\S]*/ });

/** `${name}`; replaced by a name or a literal before the grammar sees it. */
export const Variable = createToken({
  name: 'Variable',
  pattern: /\$\{[ \t]*[A-Za-z_][A-Za-z0-9_@]*[ \t]*\}/,
  label: 'a variable',
});

export const FloatLiteral = createToken({
  name: 'FloatLiteral',
  pattern: /(?:\d+(?:\.\d*)?|\.\d+)[eE][+-]?\d+(?![A-Za-z0-9_@])/,
  categories: [NumberLiteral],
});
export const DecimalLiteral = createToken({
  name: 'DecimalLiteral',
  pattern: /\d+\.\d*|\.\d+(?![A-Za-z0-9_@])/,
  categories: [NumberLiteral],
});
export const IntegerLiteral = createToken({
  name: 'IntegerLiteral',
  pattern: /\d+/,
  categories: [NumberLiteral],
  label: 'a whole number',
});

function sign(name: string, text: string, categories: TokenType[] = []): TokenType {
  return createToken({ name, pattern: text, categories, label: `'${text}'` });
}

export const Semicolon = sign('Semicolon', ';');
export const Comma = sign('Comma', ',');
export const Dot = sign('Dot', '.');
export const LeftParen = sign('LeftParen', '(');
export const RightParen = sign('RightParen', ')');
export const LeftBracket = sign('LeftBracket', '[');
export const RightBracket = sign('RightBracket', ']');
export const Arrow = sign('Arrow', '->');
export const FatArrow = sign('FatArrow', '=>');
export const Assign = sign('Assign', ':=');
export const Equal = sign('Equal', '=', [ComparisonOperator]);
export const NotEqual = createToken({
  name: 'NotEqual',
  pattern: /<>|!=/,
  categories: [ComparisonOperator],
  label: "'<>'",
});
export const LessOrEqual = sign('LessOrEqual', '<=', [ComparisonOperator]);
export const GreaterOrEqual = sign('GreaterOrEqual', '>=', [ComparisonOperator]);
export const Less = sign('Less', '<', [ComparisonOperator]);
export const Greater = sign('Greater', '>', [ComparisonOperator]);
export const Concat = sign('Concat', '||', [ValueOperator]);
export const Plus = sign('Plus', '+', [ValueOperator, Sign]);
export const Minus = sign('Minus', '-', [ValueOperator, Sign]);
export const Star = sign('Star', '*', [ValueOperator]);
export const Slash = sign('Slash', '/', [ValueOperator]);
export const Percent = sign('Percent', '%', [ValueOperator]);

// --------------------------------------------------------------------------------------------------- keywords

/** Upper-case word -> its token type. */
export const KEYWORDS = new Map<string, TokenType>();

function reserved(word: string, ...categories: TokenType[]): TokenType {
  const type = createToken({ name: word, pattern: Lexer.NA, categories, label: word });
  KEYWORDS.set(word, type);
  return type;
}

function keyword(word: string, ...categories: TokenType[]): TokenType {
  return reserved(word, Identifier, ...categories);
}

/** Whether `type` is a keyword that can't be used as a name unless it is quoted. */
export function isReserved(type: TokenType): boolean {
  return KEYWORDS.get(type.name) === type && type.CATEGORIES?.includes(Identifier) !== true;
}

// Reserved: the skeleton of queries and expressions, without which a name could not be told from a clause.
export const Select = reserved('SELECT');
export const From = reserved('FROM');
export const As = reserved('AS');
export const All = reserved('ALL');
export const Distinct = reserved('DISTINCT');
export const Where = reserved('WHERE');
export const Within = reserved('WITHIN');
export const Window = reserved('WINDOW');
export const Group = reserved('GROUP');
export const By = reserved('BY');
export const Having = reserved('HAVING');
export const Limit = reserved('LIMIT');
export const Join = reserved('JOIN');
export const Inner = reserved('INNER');
export const Left = reserved('LEFT');
export const Right = reserved('RIGHT');
export const Full = reserved('FULL');
export const Outer = reserved('OUTER');
export const On = reserved('ON');
export const With = reserved('WITH');
export const Values = reserved('VALUES');
export const And = reserved('AND', LogicalOperator);
export const Or = reserved('OR', LogicalOperator);
export const Not = reserved('NOT');
export const Exists = reserved('EXISTS');
export const In = reserved('IN');
export const Between = reserved('BETWEEN');
export const Like = reserved('LIKE');
export const Is = reserved('IS');
export const At = reserved('AT');
export const Null = reserved('NULL');
export const True = reserved('TRUE', BooleanLiteral);
export const False = reserved('FALSE', BooleanLiteral);
export const Case = reserved('CASE');
export const When = reserved('WHEN');
export const Then = reserved('THEN');
export const Else = reserved('ELSE');
export const End = reserved('END');
export const Cast = reserved('CAST');
export const Create = reserved('CREATE');
export const Insert = reserved('INSERT');
export const Into = reserved('INTO');
export const Drop = reserved('DROP');
export const Delete = reserved('DELETE');
export const Describe = reserved('DESCRIBE');
export const Stream = reserved('STREAM', SourceKindWord);
export const Table = reserved('TABLE', SourceKindWord);

// Not reserved: words that mean something only where they stand.
export const Escape = keyword('ESCAPE');
export const Time = keyword('TIME');
export const Zone = keyword('ZONE');
export const ArrayWord = keyword('ARRAY');
export const MapWord = keyword('MAP');
export const StructWord = keyword('STRUCT');
export const Partition = keyword('PARTITION');
export const Emit = keyword('EMIT');
export const Changes = keyword('CHANGES');
export const Final = keyword('FINAL');
export const Tumbling = keyword('TUMBLING');
export const Hopping = keyword('HOPPING');
export const Session = keyword('SESSION');
export const Size = keyword('SIZE');
export const Advance = keyword('ADVANCE');
export const Retention = keyword('RETENTION');
export const Grace = keyword('GRACE');
export const Period = keyword('PERIOD');
export const Replace = keyword('REPLACE');
export const Source = keyword('SOURCE');
export const Sink = keyword('SINK');
export const If = keyword('IF');
export const Key = keyword('KEY');
export const Primary = keyword('PRIMARY');
export const Headers = keyword('HEADERS');
export const Header = keyword('HEADER');
export const Type = keyword('TYPE');
export const Connector = keyword('CONNECTOR');
export const Plugins = keyword('PLUGINS');
export const Topic = keyword('TOPIC');
export const Alter = keyword('ALTER');
export const Add = keyword('ADD');
export const Column = keyword('COLUMN');
export const System = keyword('SYSTEM');
export const Show = keyword('SHOW');
export const List = keyword('LIST');
export const Topics = keyword('TOPICS');
export const Streams = keyword('STREAMS', SourcesWord);
export const Tables = keyword('TABLES', SourcesWord);
export const Functions = keyword('FUNCTIONS');
export const FunctionWord = keyword('FUNCTION');
export const Connectors = keyword('CONNECTORS');
export const Queries = keyword('QUERIES');
export const Properties = keyword('PROPERTIES');
export const Types = keyword('TYPES');
export const Variables = keyword('VARIABLES');
export const Extended = keyword('EXTENDED');
export const Explain = keyword('EXPLAIN');
export const Print = keyword('PRINT');
export const Beginning = keyword('BEGINNING');
export const Interval = keyword('INTERVAL');
export const Sample = keyword('SAMPLE');
export const Terminate = keyword('TERMINATE');
export const Pause = keyword('PAUSE');
export const Resume = keyword('RESUME');
export const SetWord = keyword('SET');
export const Unset = keyword('UNSET');
export const Define = keyword('DEFINE');
export const Undefine = keyword('UNDEFINE');
export const Assert = keyword('ASSERT');
export const Schema = keyword('SCHEMA');
export const Subject = keyword('SUBJECT');
export const Id = keyword('ID');
export const Timeout = keyword('TIMEOUT');
export const Run = keyword('RUN');
export const Script = keyword('SCRIPT');
export const Aggregate = keyword('AGGREGATE');
export const Returns = keyword('RETURNS');
export const State = keyword('STATE');
export const Language = keyword('LANGUAGE');
export const Strict = keyword('STRICT');

for (const unit of ['DAY', 'HOUR', 'MINUTE', 'SECOND', 'MILLISECOND']) {
  keyword(unit, TimeUnit);
  keyword(`${unit}S`, TimeUnit);
}

const CATEGORIES = [
  Identifier,
  NumberLiteral,
  BooleanLiteral,
  TimeUnit,
  SourceKindWord,
  SourcesWord,
  ValueOperator,
  Sign,
  ComparisonOperator,
  LogicalOperator,
];

/** The tokens that the lexer scans for, in order: the first that matches wins. */
const SHAPES = [
  WhiteSpace,
  LineComment,
  BlockComment,
  UnterminatedComment,
  BareIdentifier,
  StringLiteral,
  UnterminatedString,
  QuotedIdentifier,
  UnterminatedIdentifier,
  Variable,
  DollarString,
  UnterminatedDollarString,
  FloatLiteral,
  DecimalLiteral,
  DigitIdentifier,
  IntegerLiteral,
  Semicolon,
  Comma,
  Dot,
  LeftParen,
  RightParen,
  LeftBracket,
  RightBracket,
  Arrow,
  FatArrow,
  Assign,
  NotEqual,
  LessOrEqual,
  GreaterOrEqual,
  Less,
  Greater,
  Equal,
  Concat,
  Plus,
  Minus,
  Star,
  Slash,
  Percent,
];

export const ALL_TOKENS: TokenType[] = [...CATEGORIES, ...SHAPES, ...KEYWORDS.values()];

export interface LexedText {
  /** Without white space and comments; each has `startOffset` and an inclusive `endOffset`. */
  readonly tokens: IToken[];
  /** Characters that begin no token. */
  readonly errors: readonly { readonly offset: number; readonly length: number }[];
}

let lexer: Lexer | undefined;

/** Lexes a whole text. */
export function tokenize(text: string): LexedText {
  lexer ??= createLexer(false);
  const { tokens, errors } = lexer.tokenize(text);
  for (const token of tokens) {
    token.endOffset = token.startOffset + token.image.length - 1;
    if (token.tokenType === BareIdentifier) {
      const type = KEYWORDS.get(token.image.toUpperCase());
      if (type !== undefined) retype(token, type);
    }
  }
  return { tokens, errors };
}

/** Makes `token` one of another type. */
export function retype(token: IToken, type: TokenType): void {
  token.tokenType = type;
  token.tokenTypeIdx = type.tokenTypeIdx!;
}

export function createLexer(validate: boolean): Lexer {
  return new Lexer(ALL_TOKENS, {
    positionTracking: 'onlyOffset',
    ensureOptimizations: true,
    skipValidations: !validate,
  });
}
