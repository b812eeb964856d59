import { DataError } from '../../common/error.ts';

/**
 * Java's regular expressions in RE2's syntax. What only a backtracking engine can do (look-around, back references,
 * possessive quantifiers, atomic groups, `\Z`, `\G`, `\X`), and intersections of classes, are left as they are or refused:
 * RE2 has no such thing. Throws `DataError`.
 */
export function toRe2(pattern: string): string {
  // Whether a dot matches line ends depends on a flag that may be set anywhere.
  const dotAll = /\(\?[a-zA-Z]*s[a-zA-Z]*(?:-[a-zA-Z]*)?[:)]/.test(pattern);
  let result = '';
  let at = 0;
  while (at < pattern.length) {
    const character = pattern[at]!;
    if (character === '\\') {
      const { text, next } = escape(pattern, at, false);
      result += text;
      at = next;
    } else if (character === '[') {
      const { text, next } = characterClass(pattern, at);
      result += text;
      at = next;
    } else {
      result += character === '.' && !dotAll ? ANY : character;
      at++;
    }
  }
  return result;
}

const ANY = '[^\\n\\r\\x{85}\\x{2028}\\x{2029}]';
const HORIZONTAL = '\\t \\x{a0}\\x{1680}\\x{180e}\\x{2000}-\\x{200a}\\x{202f}\\x{205f}\\x{3000}';
const VERTICAL = '\\n\\x{b}\\f\\r\\x{85}\\x{2028}\\x{2029}';

/** Sets of characters by Java's letter, as what stands within a class. */
const SETS: Readonly<Record<string, string>> = {
  h: HORIZONTAL,
  v: VERTICAL,
  s: '\\t\\n\\x{b}\\f\\r ',
};

/** Java's names of classes in RE2's; the POSIX ones are ASCII only. */
const PROPERTIES: Readonly<Record<string, string>> = {
  Lower: '[:lower:]',
  Upper: '[:upper:]',
  ASCII: '[:ascii:]',
  Alpha: '[:alpha:]',
  Digit: '[:digit:]',
  Alnum: '[:alnum:]',
  Punct: '[:punct:]',
  Graph: '[:graph:]',
  Print: '[:print:]',
  Blank: '[:blank:]',
  Cntrl: '[:cntrl:]',
  XDigit: '[:xdigit:]',
  Space: '[:space:]',
  javaLowerCase: '\\p{Ll}',
  javaUpperCase: '\\p{Lu}',
  javaWhitespace: '\\t-\\r\\x{1c}-\\x{1f}\\p{Z}',
  IsAlphabetic: '\\p{L}\\p{Nl}',
  IsLetter: '\\p{L}',
  IsDigit: '\\p{Nd}',
  IsLowercase: '\\p{Ll}',
  IsUppercase: '\\p{Lu}',
  IsPunctuation: '\\p{P}',
  IsWhite_Space: '\\t-\\r\\x{85}\\p{Z}',
};

interface Piece {
  readonly text: string;
  readonly next: number;
}

/** What stands within a class, as a class of its own unless it is within one. */
function setOf(inner: string, negated: boolean, inClass: boolean, next: number): Piece {
  if (!inClass) return { text: `[${negated ? '^' : ''}${inner}]`, next };
  if (!negated) return { text: inner, next };
  const posix = /^\[:(\w+):\]$/.exec(inner);
  if (posix !== null) return { text: `[:^${posix[1]}:]`, next };
  const property = /^\\p(\{\w+\})$/.exec(inner);
  if (property !== null) return { text: `\\P${property[1]}`, next };
  throw new DataError('a regular expression has a negated set within a class, which cannot be used');
}

function escape(pattern: string, at: number, inClass: boolean): Piece {
  const letter = pattern[at + 1];
  const plain = { text: pattern.slice(at, at + 2), next: at + 2 };
  if (letter === undefined) return plain;
  if (letter === 'Q') {
    const end = pattern.indexOf('\\E', at + 2);
    const quoted = pattern.slice(at + 2, end < 0 ? pattern.length : end);
    return {
      text: quoted.replaceAll(/[^A-Za-z0-9_\s\u0080-\uffff]/g, '\\$&'),
      next: end < 0 ? pattern.length : end + 2,
    };
  }
  const set = SETS[letter.toLowerCase()];
  if (set !== undefined) return setOf(set, letter !== letter.toLowerCase(), inClass, at + 2);
  const rest = pattern.slice(at, at + 80);
  const property = /^\\([pP])(?:\{([^}]*)\}|([A-Z]))/.exec(rest);
  if (property !== null) {
    const [whole, p, name = property[3]!] = property;
    const known = Object.hasOwn(PROPERTIES, name) ? PROPERTIES[name]! : `\\p{${name.replace(/^Is/, '')}}`;
    return setOf(known, p === 'P', inClass, at + whole.length);
  }
  if (letter === 'R' && !inClass) return { text: `(?:\\r\\n|[${VERTICAL}])`, next: at + 2 };
  if (letter === 'e') return { text: '\\x{1b}', next: at + 2 };
  const code =
    /^\\u([0-9a-fA-F]{4})/.exec(rest) ?? /^\\0([0-3]?[0-7]{1,2})/.exec(rest) ?? /^\\c([@-_])/.exec(rest);
  if (code === null) return plain;
  const value =
    letter === 'u'
      ? Number.parseInt(code[1]!, 16)
      : letter === '0'
        ? Number.parseInt(code[1]!, 8)
        : code[1]!.charCodeAt(0) ^ 64;
  return { text: `\\x{${value.toString(16)}}`, next: at + code[0].length };
}

/** A class; one within it joins it. */
function characterClass(pattern: string, start: number): Piece {
  let at = start + 1;
  let text = '[';
  if (pattern[at] === '^') {
    text += '^';
    at++;
  }
  // A bracket that closes at once means itself.
  for (let first = true; at < pattern.length; first = false) {
    const character = pattern[at]!;
    if (character === ']' && !first) return { text: `${text}]`, next: at + 1 };
    if (character === '&' && pattern[at + 1] === '&')
      throw new DataError('a regular expression has an intersection of classes, which cannot be used');
    if (character === '\\') {
      const piece = escape(pattern, at, true);
      text += piece.text;
      at = piece.next;
    } else if (character === '[' && pattern[at + 1] === ':') {
      const end = pattern.indexOf(':]', at);
      if (end < 0) break;
      text += pattern.slice(at, end + 2);
      at = end + 2;
    } else if (character === '[') {
      const inner = characterClass(pattern, at);
      if (inner.text.startsWith('[^'))
        throw new DataError('a regular expression has a negated class within a class, which cannot be used');
      text += inner.text.slice(1, -1);
      at = inner.next;
    } else {
      text += character;
      at++;
    }
  }
  return { text: text + pattern.slice(at), next: pattern.length };
}
