import { SqlError } from '../../common/error.ts';
import type { Span } from '../../common/error.ts';
import { editDistance } from '../../common/edit-distance.ts';
import { ELSEWHERE_WORDS, type ElsewhereWords, NO_SOURCE } from './elsewhere.ts';
import { MAX_NESTING, MAX_TOKENS } from '../../../grammar/limits.ts';
import type { TokenFault } from '../../../grammar/read-tokens.ts';
import type { IParserErrorMessageProvider, IToken, TokenType } from '../../../grammar/token-types.ts';
import {
  BareIdentifier,
  Case,
  Identifier,
  IntegerLiteral,
  KEYWORDS,
  LeftParen,
  NumberLiteral,
  Select,
  Semicolon,
  StringLiteral,
  UnterminatedComment,
  UnterminatedDollarString,
  UnterminatedIdentifier,
  UnterminatedString,
  isReserved,
} from '../../../grammar/tokens.ts';

/** What the parser wanted when it stopped: the tokens that could have come next. */
export interface Expectation {
  tokens: readonly TokenType[];
}

/** Keeps what was expected as data; the sentence is made later, where the whole text is known. */
export function recordExpectation(expectation: Expectation): IParserErrorMessageProvider {
  const firstOf = (paths: readonly TokenType[][]): TokenType[] => paths.flatMap((path) => path.slice(0, 1));
  const record = (tokens: readonly TokenType[]): string => {
    expectation.tokens = [...new Set(tokens)];
    return 'syntax';
  };
  return {
    buildMismatchTokenMessage: ({ expected }) => record([expected]),
    buildNotAllInputParsedMessage: () => record([]),
    buildNoViableAltMessage: ({ expectedPathsPerAlt }) => record(expectedPathsPerAlt.flatMap(firstOf)),
    buildEarlyExitMessage: ({ expectedIterationPaths }) => record(firstOf(expectedIterationPaths)),
  };
}

/** The clauses of a query in the order in which they must stand; found by their first word. */
const CLAUSES: readonly (readonly [word: string, shown: string])[] = [
  ['SELECT', 'SELECT'],
  ['FROM', 'FROM'],
  ['WINDOW', 'WINDOW'],
  ['WHERE', 'WHERE'],
  ['GROUP', 'GROUP BY'],
  ['PARTITION', 'PARTITION BY'],
  ['HAVING', 'HAVING'],
  ['EMIT', 'EMIT CHANGES'],
  ['LIMIT', 'LIMIT'],
];

const FROM_CLAUSE = CLAUSES.findIndex(([word]) => word === 'FROM');

const SHOWN_EXPECTATIONS = 8;

/**
 * The error for a statement that stops making sense at `at` (an index into `tokens`, its length at the end).
 * Spans are absolute; `end` is where the text of the statement ends.
 */
export function syntaxError(
  tokens: readonly IToken[],
  at: number,
  expected: readonly TokenType[],
  end: number,
): SqlError {
  const found = tokens[at];
  const previous = tokens[at - 1];
  const elsewhere = elsewhereAt(tokens, at);
  if (elsewhere !== undefined && elsewhere.token !== found) {
    const { token, hint } = elsewhere;
    return new SqlError('ML_SYNTAX', `${shown(token)} has no meaning here`, { span: spanOf(token), hint });
  }
  const span = found === undefined ? { start: end, end } : spanOf(found);
  const wanted = describe(tokens, at, expected);
  const what = found === undefined ? 'the text ends' : `found ${shown(found)}`;
  const message =
    wanted === '' ? `${what}, which nothing here can continue` : `${what} where ${wanted} is expected`;
  return new SqlError('ML_SYNTAX', message, {
    span,
    hint: elsewhere?.hint ?? hintFor(tokens, at, expected, found, previous),
  });
}

/** The error for what cannot be read as tokens. */
export function tokenError(fault: TokenFault, text: string): SqlError {
  switch (fault.kind) {
    case 'stray': {
      const character = String.fromCodePoint(text.codePointAt(fault.offset)!);
      return new SqlError('ML_SYNTAX', `the character ${character} begins nothing that the language knows`, {
        span: { start: fault.offset, end: fault.offset + character.length },
        hint: strayHint(character, text.slice(fault.offset)),
      });
    }
    case 'unterminated': {
      const [message, hint] = BROKEN.get(fault.token.tokenType)!;
      const start = fault.token.startOffset;
      return new SqlError('ML_SYNTAX', message, { span: { start, end: start + 1 }, hint });
    }
    case 'nesting':
      return new SqlError('ML_LIMIT', `this is nested too deeply: ${MAX_NESTING} levels are read`, {
        span: spanOf(fault.token),
        hint: 'split it: compute parts of it in a stream of their own',
      });
    case 'length':
      return new SqlError('ML_LIMIT', `this statement is too long: ${MAX_TOKENS} words and signs are read`, {
        span: spanOf(fault.token),
        hint: 'write several statements',
      });
  }
}

function strayHint(character: string, rest: string): string {
  if (/[“”‘’]/.test(character)) return "use straight quotes: ' around text, ` around names";
  if (rest.startsWith('::')) return 'a type is given by CAST(value AS type)';
  if (/^[:@?]/.test(rest)) return "a value from outside is a variable: DEFINE name = 'text', then ${name}";
  if (/^\\\s*\n/.test(rest)) return 'a statement may span lines: remove it';
  if (character === '#') return 'a comment begins with --';
  if (character === '~') return 'LIKE, or REGEXP_EXTRACT(pattern, text) IS NOT NULL';
  if (character === '^') return 'POWER(number, exponent)';
  return 'quote it: text between single quotes, names between backticks';
}

const BROKEN: ReadonlyMap<TokenType, readonly [message: string, hint: string]> = new Map([
  [
    UnterminatedString,
    ['the text that begins here has no closing quote', "close it with '; a quote inside is written twice"],
  ],
  [
    UnterminatedIdentifier,
    ['the name that begins here has no closing quote', 'close it with the same quote'],
  ],
  [
    UnterminatedDollarString,
    ['the text that begins here has no end', 'close it with the same dollars that it begins with'],
  ],
  [UnterminatedComment, ['the comment that begins here has no end', 'close it with */']],
]);

export function spanOf(token: IToken): Span {
  return { start: token.startOffset, end: token.endOffset! + 1 };
}

function shown(token: IToken): string {
  const image = token.image.length > 40 ? `${token.image.slice(0, 37)}…` : token.image;
  return image.startsWith("'") ? image : `'${image}'`;
}

function describe(tokens: readonly IToken[], at: number, expected: readonly TokenType[]): string {
  if (at === 0 && expected.includes(Select)) return 'a statement';
  if (expected.includes(Select) && expected.length > 5) return 'a statement or a query id';
  const rest = new Set(expected);
  // Everything an expression or literal may begin with goes into those two words.
  if (rest.has(NumberLiteral) && rest.has(LeftParen) && rest.has(Case)) return 'an expression';
  if (rest.has(NumberLiteral) && rest.has(StringLiteral)) return 'a literal';
  const words: string[] = [];
  for (const type of rest) words.push(type.LABEL ?? type.name);
  if (rest.has(Semicolon)) words.unshift(...clausesLeft(tokens, at));
  const unique = [...new Set(words)];
  if (unique.length > SHOWN_EXPECTATIONS) unique.splice(SHOWN_EXPECTATIONS, unique.length, '…');
  const last = unique.pop() ?? '';
  return unique.length === 0 ? last : `${unique.join(', ')} or ${last}`;
}

/** The index in CLAUSES of the last clause that has begun before `at`, or -1 outside a query. */
function lastClause(tokens: readonly IToken[], at: number): number {
  let last = -1;
  let depth = 0;
  for (let index = 0; index < at; index++) {
    const { image, tokenType } = tokens[index]!;
    if (image === '(') depth++;
    else if (image === ')') depth--;
    else if (depth === 0 && KEYWORDS.has(tokenType.name)) {
      const next = tokens[index + 1]?.tokenType.name;
      if (tokenType.name === 'PARTITION' && next !== 'BY') continue;
      const clause = CLAUSES.findIndex(([word]) => word === tokenType.name);
      if (clause >= 0 && (last >= 0 || clause === 0)) last = clause;
    }
  }
  return last;
}

function clausesLeft(tokens: readonly IToken[], at: number): string[] {
  const last = lastClause(tokens, at);
  return last < 1 ? [] : CLAUSES.slice(last + 1).map(([, clause]) => clause);
}

function hintFor(
  tokens: readonly IToken[],
  at: number,
  expected: readonly TokenType[],
  found: IToken | undefined,
  previous: IToken | undefined,
): string | undefined {
  if (found === undefined) return expected.includes(Semicolon) ? 'end every statement with ;' : undefined;
  if (found.tokenType === Semicolon && expected.some(({ name }) => name === 'FROM')) return NO_SOURCE.hint;
  const word = found.tokenType.name;
  const last = lastClause(tokens, at);
  const clause = CLAUSES.findIndex(([first]) => first === word);
  if (clause > 0 && last > clause && expected.includes(Semicolon)) {
    return `${CLAUSES[clause]![1]} belongs before ${CLAUSES[last]![1]}`;
  }
  if (isReserved(found.tokenType) && nameIsWanted(tokens, at, expected)) {
    return `${word} is a reserved word; to use it as a name, quote it: \`${found.image}\``;
  }
  if (expected.includes(StringLiteral) && found.image.startsWith('"')) {
    return 'text goes between single quotes: \' and not "';
  }
  if (expected.length === 1 && expected[0] === IntegerLiteral) return 'write a whole number here';
  const punctuation = punctuationHint(tokens, at, expected, found, previous);
  if (punctuation !== undefined) return punctuation;
  const near = nearestKeyword(found, expected, at) ?? nearestKeyword(previous, expected, at - 1);
  return near === undefined ? undefined : `did you mean ${near}?`;
}

/** Commas, parentheses and quotes where other dialects have them, or one too many. */
function punctuationHint(
  tokens: readonly IToken[],
  at: number,
  expected: readonly TokenType[],
  found: IToken,
  previous: IToken | undefined,
): string | undefined {
  const before = previous?.image.toUpperCase();
  const first = tokens[0]!.image.toUpperCase();
  if (found.image === '(' && (before === 'FROM' || before === 'JOIN'))
    return 'there are no subqueries; give the inner query a name with CREATE STREAM or TABLE … AS SELECT';
  if (found.image === ',' && expected.includes(Semicolon)) {
    if (first === 'INSERT' && before === ')') return 'write an INSERT for each row';
    if (lastClause(tokens, at) === FROM_CLAUSE) return 'write JOIN … ON between two sources';
  }
  if (found.image === '=' && before === '=') return 'equality is a single =';
  if (before === ',' && (found.image === ')' || found.tokenType.name === 'FROM'))
    return 'remove the comma before it';
  const onlyText = expected.length > 0 && expected.every((type) => type === StringLiteral);
  if (onlyText && found.tokenType === BareIdentifier) return 'put it between single quotes';
  return undefined;
}

interface WordPattern extends ElsewhereWords {
  readonly parts: readonly string[];
  /** Which of the parts is pointed at. */
  readonly marked: number;
  readonly first: boolean;
  readonly anywhere: boolean;
}

const PATTERNS: readonly WordPattern[] = ELSEWHERE_WORDS.map((each) => {
  const all = each.words.split(' ');
  const parts = all.filter((part) => part !== '^' && part !== '…');
  const marked = parts.findIndex((part) => part.startsWith('['));
  return {
    ...each,
    parts: parts.map((part) => part.replace(/^\[(.+)\]$/, '$1')),
    marked: marked < 0 ? parts.length - 1 : marked,
    first: all[0] === '^',
    anywhere: all[0] === '…',
  };
}).toSorted((a, b) => b.parts.length - a.parts.length);

/** The word of another database that is at the mistake, or ends right before it, and what to write in its place. */
function elsewhereAt(tokens: readonly IToken[], at: number): { token: IToken; hint: string } | undefined {
  for (const { parts, marked, first, anywhere, hint } of PATTERNS) {
    const from = first || anywhere ? 0 : Math.max(0, at - parts.length);
    for (let start = from; start <= (first ? 0 : at); start++) {
      const isNear = start + parts.length >= at || anywhere;
      if (isNear && parts.every((part, i) => isPart(part, tokens[start + i])))
        return { token: tokens[start + marked]!, hint };
    }
  }
  return undefined;
}

function isPart(part: string, token: IToken | undefined): boolean {
  return token !== undefined && (part === '*' || token.image.toUpperCase() === part);
}

/** Whether the reserved word at `at` was probably meant as a name. */
function nameIsWanted(tokens: readonly IToken[], at: number, expected: readonly TokenType[]): boolean {
  if (expected.length === 1) return expected[0] === Identifier;
  if (!expected.includes(Identifier)) return false;
  if (!expected.includes(NumberLiteral)) return true;
  const next = tokens[at + 1]?.image.toUpperCase() ?? '';
  return [',', '.', ')', '=', '<', '>', '->', '[', '+', '-', '*', '/', 'AS', 'FROM', ';'].includes(next);
}

/** The keyword that a misspelled word is closest to; among the expected ones first, then among all. */
function nearestKeyword(
  token: IToken | undefined,
  expected: readonly TokenType[],
  at: number,
): string | undefined {
  if (token === undefined || token.tokenType !== BareIdentifier) return undefined;
  const word = token.image.toUpperCase();
  // A label has the words of a token that may be written in more ways than one.
  const wanted = expected
    .flatMap((type) => [type.name, ...(type.LABEL ?? '').split(' or ')])
    .filter((name) => KEYWORDS.has(name));
  const clauses = CLAUSES.map(([first]) => first);
  const structural = [
    ...clauses,
    'AS',
    'JOIN',
    'INNER',
    'LEFT',
    'RIGHT',
    'WITHIN',
    'WITH',
    'VALUES',
    'BY',
    'AND',
  ];
  const others = at === 0 ? [] : [...structural, 'BETWEEN', 'LIKE', 'STREAM', 'TABLE', 'CHANGES', 'TUMBLING'];
  for (const candidates of [wanted, others]) {
    let best: string | undefined;
    let bestDistance = word.length < 4 ? 2 : 3;
    for (const candidate of candidates) {
      const distance = editDistance(word, candidate, bestDistance);
      if (distance < bestDistance && distance <= Math.max(word.length, candidate.length) / 3) {
        best = candidate;
        bestDistance = distance;
      }
    }
    if (best !== undefined) return best;
  }
  return undefined;
}
