import { isIPv6 } from 'node:net';
import { DataError } from '../../common/error.ts';
import { INTEGER, STRING } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { ScalarFunction, ScalarSignature } from '../function.ts';
import { fixed, parameter, scalar, scalars } from '../signature.ts';

/** A URI in its parts, by RFC 2396 as java.net.URI reads it (which takes less than browsers do); decoded. */
interface Uri {
  readonly scheme: string | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly path: string | null;
  readonly query: string | null;
  readonly fragment: string | null;
}

const PARTS = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#([^#]*))?$/s;
const ILLEGAL = /[\s"<>\\^`{|}\u0000-\u001f\u007f]|%(?![0-9a-fA-F]{2})/; // oxlint-disable-line no-control-regex
const AUTHORITY = /^(?:[^@]*@)?(\[[0-9a-fA-F:.%]+\]|[^:@[\]]*)(?::(\d*))?$/;
const HOST_NAME =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*(?:[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?)\.?$/;
const IP4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** Text with its percent escapes read as UTF-8; what is none becomes U+FFFD. */
function decode(text: string): string {
  return text.replaceAll(/(?:%[0-9a-fA-F]{2})+/g, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

/** `[::1]`, perhaps with a scope after %. */
function isIp6(host: string): boolean {
  return isIPv6(host.slice(1, -1).replace(/%.*$/, ''));
}

function parseUri(text: string): Uri {
  const match = PARTS.exec(text);
  if (match === null || ILLEGAL.test(text) || text === '' || text.startsWith(':'))
    throw new DataError(`${JSON.stringify(text.slice(0, 100))} is not a URL`);
  const [, scheme, authority, path, query, fragment] = match;
  if (scheme !== undefined && !/^[A-Za-z][A-Za-z0-9+.-]*$/.test(scheme))
    throw new DataError(`${JSON.stringify(scheme)} is not the scheme of a URL`);
  // `mailto:a@b` has neither path nor query.
  const opaque = scheme !== undefined && authority === undefined && !path!.startsWith('/');
  if (
    path === '' &&
    query === undefined &&
    (authority === '' || (scheme !== undefined && authority === undefined))
  )
    throw new DataError(`${JSON.stringify(text)} has nothing after the scheme`);
  let host: string | null = null;
  let port: number | null = null;
  const found = authority === undefined ? null : AUTHORITY.exec(authority);
  if (found !== null && (found[1]!.startsWith('[') || HOST_NAME.test(found[1]!) || IP4.test(found[1]!))) {
    host = found[1]!;
    port = found[2] === undefined || found[2] === '' ? null : Number(found[2]);
  }
  if (authority?.includes('[') === true && (host === null || !isIp6(host)))
    throw new DataError(`${JSON.stringify(text.slice(0, 100))} is not a URL`);
  return {
    scheme: scheme ?? null,
    host,
    port,
    path: opaque ? null : decode(path!),
    query: opaque || query === undefined ? null : decode(query),
    fragment: fragment === undefined ? null : decode(fragment),
  };
}

/** Form encoding (application/x-www-form-urlencoded), as java.net.URLEncoder writes it. */
function encodeParameter(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, '?'))
    .replaceAll('%20', '+')
    .replaceAll(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decodeParameter(text: string): string {
  if (/%(?![0-9a-fA-F]{2})/.test(text))
    throw new DataError(`${JSON.stringify(text.slice(0, 100))} has a bad escape`);
  return decode(text.replaceAll('+', ' '));
}

function parameterOf(query: string | null, name: string): string | null {
  if (query === null) return null;
  for (const pair of query.split('&')) {
    const at = pair.indexOf('=');
    if ((at < 0 ? pair : pair.slice(0, at)) === name) return at < 0 ? '' : pair.slice(at + 1);
  }
  return null;
}

const URL_PARAMETER = parameter('url', STRING);

function extract(part: (uri: Uri) => SqlValue, returns: typeof STRING = STRING): ScalarSignature {
  return fixed([URL_PARAMETER], returns, (url: string) => part(parseUri(url)));
}

const SAMPLE = "'http://confluent.io:8080/a%20b?x=1&y#top'";

export const urlFunctions: readonly ScalarFunction[] = scalars('URL', [
  scalar(
    'URL_DECODE_PARAM',
    'Text without the escapes of a URL’s parameters.',
    ["URL_DECODE_PARAM('url%20encoded+text')", "'url encoded text'"],
    'propagate',
    fixed([parameter('input', STRING)], STRING, decodeParameter),
  ),
  scalar(
    'URL_ENCODE_PARAM',
    'Text as it is written in a URL’s parameters; a blank becomes +.',
    ["URL_ENCODE_PARAM('a b&c')", "'a+b%26c'"],
    'propagate',
    fixed([parameter('input', STRING)], STRING, encodeParameter),
  ),
  scalar(
    'URL_EXTRACT_FRAGMENT',
    'What follows # in a URL.',
    [`URL_EXTRACT_FRAGMENT(${SAMPLE})`, "'top'"],
    'propagate',
    extract((uri) => uri.fragment),
  ),
  scalar(
    'URL_EXTRACT_HOST',
    'The host of a URL.',
    [`URL_EXTRACT_HOST(${SAMPLE})`, "'confluent.io'"],
    'propagate',
    extract((uri) => uri.host),
  ),
  scalar(
    'URL_EXTRACT_PARAMETER',
    'The value of a parameter in a URL’s query: empty text if it has none, null if the parameter is missing.',
    [`URL_EXTRACT_PARAMETER(${SAMPLE}, 'x')`, "'1'"],
    'propagate',
    fixed([URL_PARAMETER, parameter('name', STRING)], STRING, (url: string, name: string) =>
      parameterOf(parseUri(url).query, name),
    ),
  ),
  scalar(
    'URL_EXTRACT_PATH',
    'The path of a URL.',
    [`URL_EXTRACT_PATH(${SAMPLE})`, "'/a b'"],
    'propagate',
    extract((uri) => uri.path),
  ),
  scalar(
    'URL_EXTRACT_PORT',
    'The port in a URL; null if it has none.',
    [`URL_EXTRACT_PORT(${SAMPLE})`, '8080'],
    'propagate',
    extract((uri) => uri.port, INTEGER),
  ),
  scalar(
    'URL_EXTRACT_PROTOCOL',
    'The scheme of a URL, such as http.',
    [`URL_EXTRACT_PROTOCOL(${SAMPLE})`, "'http'"],
    'propagate',
    extract((uri) => uri.scheme),
  ),
  scalar(
    'URL_EXTRACT_QUERY',
    'What follows ? in a URL.',
    [`URL_EXTRACT_QUERY(${SAMPLE})`, "'x=1&y'"],
    'propagate',
    extract((uri) => uri.query),
  ),
]);
