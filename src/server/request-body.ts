import { SqlError } from '../common/error.ts';
import { newSession, type Session } from '../engine/session.ts';
import { checkProperty } from '../engine/check-property.ts';
import { RequestError } from './request-error.ts';

/** Properties, and variables, of a request. */
const MEMBERS_MAX = 1000;

/** The content of a statement request, under whichever names. Unknown members are ignored. */
export interface StatementRequest {
  readonly text: string;
  readonly session: Session;
  /** Asks for removals from a table in the forms that leave them out by default, as ksqlDB does. */
  readonly tombstones: boolean;
}

/** `ksql` or `sql`, `streamsProperties` or `properties`, `sessionVariables`, `tombstones`. Throws `RequestError` 40000. */
export function parseStatementRequest(body: Buffer | string): StatementRequest {
  const members = parseObject(body);
  const text = members['ksql'] ?? members['sql'];
  if (typeof text !== 'string')
    throw new RequestError(40000, 'the request has no statement text in "ksql" or "sql"');
  const session = newSession();
  for (const [name, value] of entriesOf(members['streamsProperties'] ?? members['properties']))
    if (value !== null && value !== undefined) setProperty(session, name, textOf(value));
  for (const [name, value] of entriesOf(members['sessionVariables']))
    session.variables.set(name.toUpperCase(), textOf(value));
  return { text, session, tombstones: members['tombstones'] === true };
}

function setProperty(session: Session, given: string, text: string): void {
  try {
    const { name, value } = checkProperty(given, text, 'request');
    session.properties.set(name, value);
  } catch (error) {
    if (error instanceof SqlError) throw new RequestError(40000, error.message);
    throw error;
  }
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

/** The members of an object, which no client has thousands of; none of anything else. */
function entriesOf(value: unknown): [name: string, value: unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const entries = Object.entries(value);
  if (entries.length > MEMBERS_MAX)
    throw new RequestError(
      40000,
      `the request has ${entries.length} properties or variables: ${MEMBERS_MAX} are taken`,
    );
  return entries;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
