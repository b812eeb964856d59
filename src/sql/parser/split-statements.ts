/** A statement of a longer text: from its first character to its semicolon, and where it begins in the whole. */
export interface StatementText {
  readonly text: string;
  readonly start: number;
}

/** A semicolon, or what one can stand in without ending anything: comments, strings, names and texts between dollars, closed or not. */
const MARK =
  /;|--[^\n\r]*|\/\*(?:[\s\S]*?\*\/|[\s\S]*)|'[^']*(?:'|$)|`[^`]*(?:`|$)|"[^"]*(?:"|$)|\$([A-Za-z_][A-Za-z0-9_]*)?\$[\s\S]*?(?:\$\1\$|$)/g;
const BLANK = /\s+|--[^\n\r]*|\/\*[\s\S]*?\*\//y;

/** Behind the semicolon that ends what begins at `from`, or -1 when none does. */
function endOfStatement(text: string, from: number): number {
  MARK.lastIndex = from;
  for (let mark = MARK.exec(text); mark !== null; mark = MARK.exec(text)) {
    if (mark[0] === ';') return MARK.lastIndex;
  }
  return -1;
}

/**
 * Cuts a text into statements by its semicolons, without parsing it: semicolons in strings, quoted names and
 * comments do not count. Comments and blanks before a statement belong to none, and empty statements are left out.
 *
 * `rest` is what follows the last semicolon, from its first character that says something; a reader of lines
 * waits for more while it is not empty. An unfinished comment is a rest too.
 */
export function splitStatements(text: string): { complete: readonly StatementText[]; rest: string } {
  const complete: StatementText[] = [];
  const texts = statementTexts(text);
  for (;;) {
    const { value, done } = texts.next();
    if (done === true) return { complete, rest: value };
    complete.push(value);
  }
}

/** As `splitStatements`, one statement at a time, for texts of any length. Returns the rest. */
export function* statementTexts(text: string): Generator<StatementText, string, void> {
  let start = skipBlank(text, 0);
  for (;;) {
    const end = endOfStatement(text, start);
    if (end < 0) return text.slice(start);
    if (end > start + 1) yield { text: text.slice(start, end), start };
    start = skipBlank(text, end);
  }
}

/** The `rest` of `splitStatements` alone. */
export function unfinished(text: string): string {
  let start = 0;
  for (let end = 0; end >= 0; end = endOfStatement(text, start)) start = end;
  return text.slice(skipBlank(text, start));
}

/**
 * Whether the last line of the text goes on with the next, as if there were no line break: it ends with a backslash, as
 * typed lines may. A backslash in a comment or in a text between dollars is part of that.
 */
export function isContinued(text: string): boolean {
  if (!text.endsWith('\\')) return false;
  MARK.lastIndex = 0;
  let last = '';
  let end = 0;
  for (let mark = MARK.exec(text); mark !== null; mark = MARK.exec(text)) {
    last = mark[0];
    end = MARK.lastIndex;
    if (end === text.length) break;
  }
  return end < text.length || !/^(?:--|\/\*|\$)/.test(last);
}

function skipBlank(text: string, from: number): number {
  let at = from;
  for (;;) {
    BLANK.lastIndex = at;
    if (!BLANK.test(text)) return at;
    at = BLANK.lastIndex;
  }
}
