import { DataError } from '../../common/error.ts';
import { INTEGER, STRING } from '../../types/sql-type.ts';
import type { ScalarFunction } from '../function.ts';
import { fixed, parameter, scalars } from '../signature.ts';

type Text = string | null;

const JAVA_ESCAPE = /\\(?:u+\+?([0-9a-fA-F]{4})|([0-3][0-7]{2}|[0-7]{1,2})|([\s\S]?))/g;
const CONTROLS: Readonly<Record<string, string>> = { b: '\b', n: '\n', t: '\t', f: '\f', r: '\r' };

/** The text that Java's escapes stand for; null unless it begins with one of four hexadecimal digits. */
function unescape(text: string): Text {
  if (text.length < 6 || !text.startsWith('\\u')) return null;
  return text.replaceAll(JAVA_ESCAPE, (_escape, hex?: string, octal?: string, other = '') => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    if (other === 'u')
      throw new DataError(`${JSON.stringify(text.slice(0, 40))} has an escape without four digits`);
    return CONTROLS[other] ?? other;
  });
}

export const chrFunctions: readonly ScalarFunction[] = scalars('STRING', [
  {
    name: 'CHR',
    description:
      'The character of a Unicode code point, or of Java escapes such as \\u004b; null if there is none.',
    examples: [
      ['CHR(75)', "'K'"],
      ["CHR('\\u004b')", "'K'"],
    ],
    nulls: 'propagate',
    signatures: [
      fixed([parameter('codepoint', INTEGER)], STRING, (code: number) =>
        code < 0 || code > 0x10ffff ? null : String.fromCodePoint(code),
      ),
      fixed([parameter('escapes', STRING)], STRING, unescape),
    ],
  },
]);
