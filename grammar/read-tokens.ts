import type { IToken } from 'chevrotain';
import { MAX_NESTING, MAX_TOKENS } from './limits.ts';
import {
  LeftBracket,
  LeftParen,
  RightBracket,
  RightParen,
  Semicolon,
  UnterminatedComment,
  UnterminatedDollarString,
  UnterminatedIdentifier,
  UnterminatedString,
  tokenize,
} from './tokens.ts';

/** Why no more tokens can be read. */
export type TokenFault =
  /** A character that begins no token. */
  | { readonly kind: 'stray'; readonly offset: number }
  /** Goes on to the end of the text because its own end is missing. */
  | { readonly kind: 'unterminated'; readonly token: IToken }
  /** The token is one too many for its statement. */
  | { readonly kind: 'nesting' | 'length'; readonly token: IToken };

/** How much of a text is lexed at once, in UTF-16 units. */
const PIECE = 1 << 16;

/** More than the parentheses that can stand around and in an expression without being part of it. */
const PARENTHESES_MAX = MAX_NESTING + 8;

const UNTERMINATED: ReadonlySet<IToken['tokenType']> = new Set([
  UnterminatedString,
  UnterminatedIdentifier,
  UnterminatedDollarString,
  UnterminatedComment,
]);

const NOTHING = /[;\s]+/y;

/**
 * The tokens of a text, a statement at a time. The text is lexed in pieces as they are asked for, and no further than to
 * the first fault: tokens take ten times the room of what they stand for, and a text of megabytes is often refused for
 * its beginning.
 */
export class TokenReader {
  readonly #text: string;
  /** Lexed and not yet taken, in order. */
  #tokens: IToken[] = [];
  #taken = 0;
  #stray: number | null = null;
  /** The start of the next piece. */
  #from = 0;
  #size = PIECE;

  constructor(text: string) {
    this.#text = text;
  }

  /**
   * The tokens up to and with the next semicolon, or to the end of the text; null behind it. When one of them is at
   * fault, that is given to `refuse`.
   */
  statement(refuse: (fault: TokenFault) => never): IToken[] | null {
    const own: IToken[] = [];
    let open = 0;
    for (;;) {
      const token = this.#next(refuse, own.length === 0);
      if (token === null) return own.length === 0 ? null : own;
      own.push(token);
      const { tokenType } = token;
      if (tokenType === Semicolon) return own;
      if (tokenType === LeftParen || tokenType === LeftBracket) open++;
      else if (tokenType === RightParen || tokenType === RightBracket) open--;
      else if (UNTERMINATED.has(tokenType)) refuse({ kind: 'unterminated', token });
      if (open > PARENTHESES_MAX) refuse({ kind: 'nesting', token });
      if (own.length > MAX_TOKENS) refuse({ kind: 'length', token });
    }
  }

  /** `between`: between statements, where more semicolons say nothing. */
  #next(refuse: (fault: TokenFault) => never, between: boolean): IToken | null {
    while (this.#taken === this.#tokens.length && this.#stray === null) {
      if (between) {
        NOTHING.lastIndex = this.#from;
        if (NOTHING.test(this.#text)) this.#from = NOTHING.lastIndex;
      }
      if (this.#from === this.#text.length) return null;
      this.#lexPiece();
    }
    const token = this.#tokens[this.#taken];
    if (this.#stray !== null && (token === undefined || token.startOffset > this.#stray))
      return refuse({ kind: 'stray', offset: this.#stray });
    this.#taken++;
    return token!;
  }

  #lexPiece(): void {
    const from = this.#from;
    const to = Math.min(this.#text.length, from + this.#size);
    const { tokens, errors } = tokenize(this.#text.slice(from, to));
    // A token that touches the end of a piece may go on behind it: it is read again with the next one.
    if (to < this.#text.length) tokens.pop();
    for (const token of tokens) {
      token.startOffset += from;
      token.endOffset! += from;
    }
    this.#tokens = tokens;
    this.#taken = 0;
    this.#from = to === this.#text.length ? to : (tokens.at(-1)?.endOffset ?? from - 1) + 1;
    const stray = errors[0];
    if (stray !== undefined && stray.offset + from < this.#from) this.#stray = stray.offset + from;
    // One token, comment or blank that is longer than a piece.
    this.#size = this.#from === from ? this.#size * 2 : PIECE;
  }
}
