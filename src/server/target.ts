import { RequestError } from './request-error.ts';

/** A request's target: path without scheme and authority, and its query. */
export interface Target {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Some clients send the whole address as the target (RFC 9112 §3.2.2). Throws `RequestError` 40000. */
export function parseTarget(target: string): Target {
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(.*)$/i.exec(target);
  const origin = absolute?.[1] ?? target;
  const local = origin.startsWith('/') ? origin : `/${origin}`;
  try {
    // The path is appended to the authority, so that two leading slashes cannot name another.
    const url = new URL(`http://localhost${local}`);
    return { path: url.pathname, query: url.searchParams };
  } catch {
    throw new RequestError(40000, 'the address of the request cannot be read');
  }
}
