/** A statement of a longer text: from its first character to its semicolon, and where it begins in the whole. */
export interface StatementText {
  readonly text: string;
  readonly start: number;
}

/** Comments, strings, quoted names and texts between dollars, closed or not, and white space: what no semicolon in it can end. */
const OPAQUE =
  /\s+|--[^\n\r]*|\/\*(?:[\s\S]*?\*\/|[\s\S]*)|'[^']*(?:'|$)|`[^`]*(?:`|$)|"[^"]*(?:"|$)|\$([A-Za-z_][A-Za-z0-9_]*)?\$[\s\S]*?(?:\$\1\$|$)/y;
const BLANK = /\s+|--[^\n\r]*|\/\*[\s\S]*?\*\//y;

/**
 * Cuts a text into statements by its semicolons, without parsing it: semicolons in strings, quoted names and
 * comments do not count. Comments and blanks before a statement belong to none, and empty statements are left out.
 *
 * `rest` is what follows the last semicolon, from its first character that says something; a reader of lines
 * waits for more while it is not empty. An unfinished comment is a rest too.
 */
export function splitStatements(text: string): { complete: readonly StatementText[]; rest: string } {
  const complete: StatementText[] = [];
  let start = skipBlank(text, 0);
  let at = start;
  while (at < text.length) {
    if (text[at] === ';') {
      if (at > start) complete.push({ text: text.slice(start, at + 1), start });
      start = skipBlank(text, at + 1);
      at = start;
      continue;
    }
    OPAQUE.lastIndex = at;
    at = OPAQUE.test(text) ? OPAQUE.lastIndex : at + 1;
  }
  return { complete, rest: text.slice(start) };
}

function skipBlank(text: string, from: number): number {
  let at = from;
  for (;;) {
    BLANK.lastIndex = at;
    if (!BLANK.test(text)) return at;
    at = BLANK.lastIndex;
  }
}
