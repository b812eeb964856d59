/** What readers of the grammar need of the parser library's types. */
export type { CstNode, CstNodeLocation, IParserErrorMessageProvider, IToken, TokenType } from 'chevrotain';
