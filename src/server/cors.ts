import type { ServerResponse } from 'node:http';

/** How long a browser may remember what a preflight was answered. */
const PREFLIGHT_SECONDS = 600;

/** Lets the page of `origin` read the answer (Fetch Standard, CORS protocol). */
export function allowReading(response: ServerResponse, origin: string): void {
  response.setHeader('access-control-allow-origin', origin);
}

/** Answers the request that a browser sends before a page's own (preflight), for allowed origins, without looking further. */
export function answerPreflight(
  response: ServerResponse,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): void {
  const wanted = headers['access-control-request-headers'];
  response.setHeader('access-control-allow-methods', 'GET, POST');
  if (typeof wanted === 'string') response.setHeader('access-control-allow-headers', wanted);
  if (headers['access-control-request-private-network'] === 'true')
    response.setHeader('access-control-allow-private-network', 'true');
  response.setHeader('access-control-max-age', PREFLIGHT_SECONDS);
  response.writeHead(204).end();
}
