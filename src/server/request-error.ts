import { type ErrorCode, excerpt, renderSqlError, SqlError } from '../common/error.ts';
import { LogError } from '../log/log.ts';
import { type HttpResponse, json } from './route.ts';

/** ksqlDB's error codes: the HTTP status is the code without its last two digits. */
export type WireCode =
  | 40000
  | 40001
  | 40002
  | 40003
  | 40300
  | 40400
  | 40500
  | 40800
  | 41300
  | 41700
  | 43100
  | 50000
  | 50300
  | 50303;

/** A request that cannot be served, in the words of the wire. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: WireCode;
  /** The statement that failed, and what the ones before it gave. */
  readonly statement: { readonly text: string; readonly entities: readonly unknown[] } | undefined;

  constructor(code: WireCode, message: string, statement?: { text: string; entities: readonly unknown[] }) {
    super(message);
    this.code = code;
    this.statement = statement;
  }
}

/** How much of the statement an answer repeats: a text of megabytes is not sent back. */
const STATEMENT_MAX = 16_384;

/** The mistakes that are more than a bad statement. */
const WIRE_CODES: Partial<Record<ErrorCode, WireCode>> = {
  ML_ASSERT: 41700,
  ML_LIMIT: 40003,
  ML_LOG: 50300,
  ML_WAITING: 50300,
};

/** The code on the wire of an error in a statement. */
export function wireCodeOf(code: ErrorCode): WireCode {
  return WIRE_CODES[code] ?? 40001;
}

/** What went wrong with a statement, as the wire says it: message with line, column and caret. */
export function statementError(error: unknown, text: string, entities: readonly unknown[]): RequestError {
  if (error instanceof RequestError) return error;
  if (error instanceof SqlError) {
    return new RequestError(wireCodeOf(error.code), renderSqlError(error, text), { text, entities });
  }
  if (error instanceof LogError) return new RequestError(50000, error.message, { text, entities });
  return new RequestError(50000, error instanceof Error ? error.message : String(error), { text, entities });
}

/** `@type` comes first: clients look at the first bytes. */
export function errorBody(error: unknown): { '@type': string; error_code: number; message: string } {
  if (!(error instanceof RequestError))
    return {
      '@type': 'generic_error',
      error_code: 50000,
      message: error instanceof Error ? error.message : String(error),
    };
  const { code: error_code, message, statement } = error;
  if (statement === undefined) return { '@type': 'generic_error', error_code, message };
  const { text, entities } = statement;
  const statementText = excerpt(text, STATEMENT_MAX);
  const body = { '@type': 'statement_error', error_code, message, statementText, entities };
  return body;
}

export function errorResponse(error: unknown): HttpResponse {
  const body = errorBody(error);
  const response = json(body, Math.floor(body.error_code / 100));
  if (body.error_code !== 50300) return response;
  return { ...response, headers: { ...response.headers, 'retry-after': '1' } };
}
