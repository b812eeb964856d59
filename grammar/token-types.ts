/** The types of the parser library that readers of the grammar need. */
export type { CstNode, CstNodeLocation, IParserErrorMessageProvider, IToken, TokenType } from 'chevrotain';
