import { errorResponse, RequestError } from './request-error.ts';
import type { HttpRequest, HttpResponse, Route, RouteContext } from './route.ts';

/** Finds the route and answers; whatever a route throws becomes an error answer. */
export async function dispatch(
  routes: readonly Route[],
  request: HttpRequest,
  context: RouteContext,
): Promise<HttpResponse> {
  const { method, path } = request;
  const allowed = new Set<string>();
  for (const route of routes) {
    const parameters = matchPath(route.path, path);
    if (parameters === null) continue;
    if (route.method !== method) {
      allowed.add(route.method);
      continue;
    }
    try {
      return await route.handle(request, context, parameters);
    } catch (error) {
      return errorResponse(error);
    }
  }
  if (allowed.size === 0) return errorResponse(new RequestError(40400, `there is nothing at ${path}`));
  const refusal = errorResponse(new RequestError(40500, `${method} is not allowed here`));
  return { ...refusal, headers: { ...refusal.headers, allow: [...allowed].join(', ') } };
}

function matchPath(pattern: string, path: string): readonly string[] | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const parameters: string[] = [];
  for (const [i, segment] of wanted.entries()) {
    if (!segment.startsWith(':')) {
      if (segment !== given[i]) return null;
      continue;
    }
    try {
      parameters.push(decodeURIComponent(given[i]!));
    } catch {
      return null;
    }
  }
  return parameters;
}
