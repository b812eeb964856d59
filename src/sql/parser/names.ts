import { KEYWORDS } from '../../../grammar/tokens.ts';
import { printIdentifier, quoteIdentifier } from '../../types/print-type.ts';

/** How names and strings are written and read back. */

/** The name an identifier stands for: upper case, or as written between quotes. */
export function resolveIdentifier(image: string): string {
  return isQuoted(image) ? unquote(image) : image.toUpperCase();
}

/** The name as written, without quotes: for topics and subjects, which are case-sensitive. */
export function writtenIdentifier(image: string): string {
  return isQuoted(image) ? unquote(image) : image;
}

/** The content of a quoted token; a doubled quote inside stands for one. */
export function unquote(image: string): string {
  const quote = image[0]!;
  return image.slice(1, -1).replaceAll(quote + quote, quote);
}

/** The content of a text between `$$` or `$tag$`. */
export function undollar(image: string): string {
  const mark = image.indexOf('$', 1) + 1;
  return image.slice(mark, -mark);
}

/** `content` between quotes, as one token. */
export function quote(content: string, mark: string): string {
  return mark + content.replaceAll(mark, mark + mark) + mark;
}

/** `name` as SQL that resolves to it again wherever it stands: some keywords are names in most places only. */
export function printName(name: string): string {
  return KEYWORDS.has(name) ? quoteIdentifier(name) : printIdentifier(name);
}

function isQuoted(image: string): boolean {
  return image[0] === '`' || image[0] === '"';
}
