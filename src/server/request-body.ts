import { newSession, type Session } from '../engine/session.ts';
import { propertyName } from '../engine/properties.ts';
import { RequestError } from './request-error.ts';

/** What a statement request holds, whichever names it uses. Unknown members are ignored. */
export interface StatementRequest {
  readonly text: string;
  readonly session: Session;
}

/** `ksql` or `sql`, `streamsProperties` or `properties`, `sessionVariables`. Throws `RequestError` 40000. */
export function parseStatementRequest(body: Buffer | string): StatementRequest {
  const members = parseObject(body);
  const text = members['ksql'] ?? members['sql'];
  if (typeof text !== 'string') throw new RequestError(40000, 'the request has no statement text in "ksql" or "sql"');
  const session = newSession();
  for (const [name, value] of Object.entries(objectOf(members['streamsProperties'] ?? members['properties'])))
    if (value !== null && value !== undefined) session.properties.set(propertyName(name), textOf(value));
  for (const [name, value] of Object.entries(objectOf(members['sessionVariables'])))
    session.variables.set(name.toUpperCase(), textOf(value));
  return { text, session };
}

/** A JSON object, or `RequestError` 40000. */
export function parseObject(body: Buffer | string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString());
  } catch {
    throw new RequestError(40000, 'the request body is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new RequestError(40000, 'the request body is not a JSON object');
  return parsed as Record<string, unknown>;
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
