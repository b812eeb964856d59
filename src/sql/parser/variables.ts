import { SqlError } from '../../common/error.ts';
import type { IToken, TokenType } from '../../../grammar/token-types.ts';
import {
  BareIdentifier,
  DecimalLiteral,
  False,
  FloatLiteral,
  IntegerLiteral,
  QuotedIdentifier,
  StringLiteral,
  True,
  Variable,
  retype,
} from '../../../grammar/tokens.ts';
import { quote, unquote } from './names.ts';

/**
 * Variables: `${name}` alone stands for one name or one literal, and inside quotes for its text.
 *
 * Substitution works on tokens, never on text: whatever a value holds, it stays the one token it stands for, so
 * it can't end a string, begin a comment or add a clause. Names are case-insensitive. What is not defined stays
 * as it is inside quotes, and is an error alone. `$${name}` inside quotes is the text `${name}`, defined or not.
 */

const REFERENCE = /(\$?)\$\{[ \t]*([A-Za-z_][A-Za-z0-9_@]*)[ \t]*\}/g;

/** The tokens that a value alone may be, the most special first. */
const SHAPES: readonly (readonly [RegExp, TokenType])[] = [
  [/^true$/i, True],
  [/^false$/i, False],
  [/^[A-Za-z_][A-Za-z0-9_@]*$/, BareIdentifier],
  [/^(?:`[^`]*(?:``[^`]*)*`|"[^"]*(?:""[^"]*)*")$/, QuotedIdentifier],
  [/^'[^']*(?:''[^']*)*'$/, StringLiteral],
  [/^-?\d+$/, IntegerLiteral],
  [/^-?(?:\d+\.\d*|\.\d+)$/, DecimalLiteral],
  [/^-?(?:\d+(?:\.\d*)?|\.\d+)[eE][+-]?\d+$/, FloatLiteral],
];

/** Values by upper-case name. */
export type Variables = ReadonlyMap<string, string>;

/** How much longer than it is written a text with its variables may be: values may be made of values, each twice. */
export const GROWTH_MAX = 1 << 22;

/** How many characters variables may still add to a text. */
export interface Growth {
  left: number;
}

/** A token that variables have changed, and how it is written so that it is read as this token again. */
export interface ChangedToken {
  readonly token: IToken;
  readonly written: string;
}

/** Whether the token came of a `${name}` that stood alone. */
export function isSubstituted(token: IToken): boolean {
  return token.payload === SUBSTITUTED;
}

const SUBSTITUTED = 'substituted';

/**
 * Replaces the variables in `tokens`, in place; positions stay those of the text as written.
 * Returns the tokens that changed. Throws SqlError for a lone variable that is undefined or no single token, and when
 * the text grows beyond what is left of `growth`.
 */
export function substituteVariables(
  tokens: readonly IToken[],
  variables: Variables,
  growth: Growth = { left: GROWTH_MAX },
): ChangedToken[] {
  const changed: ChangedToken[] = [];
  const grow = (token: IToken, characters: number): void => {
    growth.left -= Math.max(0, characters);
    if (growth.left >= 0) return;
    const span = { start: token.startOffset, end: token.endOffset! + 1 };
    throw new SqlError('ML_LIMIT', `variables make this more than ${GROWTH_MAX} characters longer`, { span });
  };
  for (const token of tokens) {
    if (token.tokenType === Variable) {
      const name = token.image.slice(2, -1).trim();
      const span = { start: token.startOffset, end: token.startOffset + token.image.length };
      const value = variables.get(name.toUpperCase());
      if (value === undefined) {
        const hint = `set it first: DEFINE ${name} = '…';`;
        throw new SqlError('ML_NAME_UNKNOWN', `variable ${name} is not defined`, { span, hint });
      }
      const shape = SHAPES.find(([pattern]) => pattern.test(value));
      if (shape === undefined) {
        throw new SqlError('ML_SYNTAX', `the value of variable ${name} is neither a name nor a literal`, {
          span,
          hint: `a name that is not plain goes between backticks, text into quotes: DEFINE ${name} = '''text''';`,
        });
      }
      grow(token, value.length - token.image.length);
      token.image = value;
      token.payload = SUBSTITUTED;
      retype(token, shape[1]);
      changed.push({
        token,
        written: shape[1] === StringLiteral || shape[1] === QuotedIdentifier ? escaped(value) : value,
      });
    } else if (token.tokenType === StringLiteral || token.tokenType === QuotedIdentifier) {
      if (!token.image.includes('${')) continue;
      const content = unquote(token.image);
      const replaced = content.replaceAll(REFERENCE, (whole, escape: string, name: string) => {
        if (escape !== '') return whole.slice(1);
        const value = variables.get(name.toUpperCase()) ?? whole;
        grow(token, value.length - whole.length);
        return value;
      });
      if (replaced === content) continue;
      token.image = quote(replaced, token.image[0]!);
      changed.push({ token, written: escaped(token.image) });
    }
  }
  return changed;
}

/** The quoted token with its `${name}`s as text. */
function escaped(image: string): string {
  return image.replaceAll(REFERENCE, (whole) => `$${whole}`);
}

/** The text with `changed` tokens written out; `start` and `end` bound it in the text the tokens came from. */
export function spliceTokens(
  text: string,
  start: number,
  end: number,
  changed: readonly ChangedToken[],
): string {
  let spliced = '';
  let from = start;
  for (const { token, written } of changed) {
    spliced += text.slice(from, token.startOffset);
    // A value must not grow together with its neighbours: `-${n}` with -5 would begin a comment.
    if (/[\w@'"`-]$/.test(spliced)) spliced += ' ';
    spliced += written;
    from = token.endOffset! + 1;
    if (/^[\w@'"`-]/.test(text.slice(from, from + 1))) spliced += ' ';
  }
  return spliced + text.slice(from, end);
}
