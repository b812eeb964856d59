import { errorResponse } from './request-error.ts';
import { type HttpRequest, type HttpResponse, json, type Route, type RouteContext } from './route.ts';

/** Finds the route and answers; whatever a route throws becomes an error answer. */
export async function dispatch(
  routes: readonly Route[],
  request: HttpRequest,
  context: RouteContext,
): Promise<HttpResponse> {
  let pathKnown = false;
  for (const route of routes) {
    const parameters = matchPath(route.path, request.path);
    if (parameters === null) continue;
    pathKnown = true;
    if (route.method !== request.method) continue;
    try {
      return await route.handle(request, context, parameters);
    } catch (error) {
      return errorResponse(error);
    }
  }
  const status = pathKnown ? 405 : 404;
  const message = pathKnown ? `${request.method} is not allowed here` : `there is nothing at ${request.path}`;
  return json({ '@type': 'generic_error', error_code: status * 100, message }, status);
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
