import { isIPv6 } from 'node:net';
import { RequestError } from './request-error.ts';

/** The parts of a request's head that say who sends it, as they came over the connection. */
export interface RequestHead {
  /** `1.1`. */
  readonly httpVersion: string;
  /** The request target as sent: a path, or with scheme and authority (RFC 9112 §3.2.2). */
  readonly target: string;
  /** Names and values in turn, nothing merged or left out: of a header that is there twice both are seen. */
  readonly rawHeaders: readonly string[];
  /** This end of the connection; undefined when it is closed already. */
  readonly localAddress: string | undefined;
}

export interface AccessRules {
  /** Serialized origins (RFC 6454 §6.2) whose pages may use the server. */
  readonly allowedOrigins: readonly string[];
  /** Names or addresses, without port, that clients may reach a server on a loopback address by. */
  readonly allowedHosts: readonly string[];
  /** The host that the server was told to listen on: clients may use that name too. */
  readonly listensOn: string;
}

interface Authority {
  /** Lower case, without a trailing dot; addresses in their shortest form, IPv6 in brackets. */
  readonly host: string;
  /** As sent; empty means the scheme's own. */
  readonly port: string;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443', ws: '80', wss: '443' };

/**
 * Keeps web pages out that are not meant to be here. A browser runs any page's code on this machine, and lets it send
 * requests to a server on this machine; what gives such a request away is its `Origin`, which pages cannot forge, or,
 * where the page's own name was made to lead here (DNS rebinding), its `Host`. Clients other than browsers send no
 * Origin and are not concerned.
 */
export class AccessPolicy {
  readonly #origins = new Set<string>();
  readonly #hosts = new Set<string>();

  /** Throws `Error` for a rule that can never match. */
  constructor({ allowedOrigins, allowedHosts, listensOn }: AccessRules) {
    const own = parseAuthority(bracketed(listensOn));
    if (own !== null) this.#hosts.add(own.host);
    for (const origin of allowedOrigins) {
      const canonical = canonicalOrigin(origin);
      if (canonical === null)
        throw new Error(
          `an origin is a scheme, a host and a port, like https://example.com, not '${origin}'`,
        );
      this.#origins.add(canonical);
    }
    for (const host of allowedHosts) {
      const authority = parseAuthority(bracketed(host));
      if (authority === null || authority.port !== '')
        throw new Error(`a host is a name or an address without a port, like example.com, not '${host}'`);
      this.#hosts.add(authority.host);
    }
  }

  /** Whether pages of any other origin are let in: answers then depend on the request's Origin. */
  get allowsOrigins(): boolean {
    return this.#origins.size > 0;
  }

  /**
   * Returns the allowed origin that the request is from, which wants to be named in the answer; null when it is from
   * this server's own pages or from no page. Throws `RequestError`: 40300 for a page that is kept out, 40000 for a Host that
   * RFC 9112 §3.2 does not allow.
   */
  admit(head: RequestHead): string | null {
    const authority = this.#admitHost(head);
    const origins = valuesOf(head, 'origin');
    const crossSite = valuesOf(head, 'sec-fetch-site').some((value) => /\bcross-site\b/i.test(value));
    if (origins.length === 0) {
      if (crossSite) throw new RequestError(40300, 'pages of other sites may not use this server');
      return null;
    }
    const origin = origins.length === 1 ? canonicalOrigin(origins[0]!) : null;
    if (origin !== null && this.#origins.has(origin)) return origins[0]!;
    if (origin !== null && origin === ownOrigin(authority) && !crossSite) return null;
    throw new RequestError(
      40300,
      `pages of the origin ${quoted(origins.join(', '))} may not use this server; --allow-origin lets one in`,
    );
  }

  /** The name by which the client calls this server; null where it gives none. */
  #admitHost(head: RequestHead): Authority | null {
    const hosts = valuesOf(head, 'host');
    if (hosts.length > 1) throw new RequestError(40000, 'the request has more than one Host');
    if (hosts.length === 0 && head.httpVersion !== '1.0')
      throw new RequestError(40000, 'the request has no Host');
    // Both count: a proxy may have looked at either.
    const named = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(head.target);
    let authority: Authority | null = null;
    for (const text of [...hosts, ...(named === null ? [] : [named[1]!])]) {
      authority = parseAuthority(text);
      if (authority === null) throw new RequestError(40000, `the request's Host ${quoted(text)} is none`);
      const { host } = authority;
      if (isLoopbackAddress(head.localAddress) && !isLoopbackName(host) && !this.#hosts.has(host))
        throw new RequestError(
          40300,
          `this server is not to be reached as ${quoted(host)}; --allow-host lets it be`,
        );
    }
    return authority;
  }
}

function valuesOf({ rawHeaders }: RequestHead, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]!.toLowerCase() === name) values.push(rawHeaders[i + 1]!.trim());
  return values;
}

/** IPv6 addresses are written without brackets where no port can follow. */
function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

/** `uri-host [ ":" port ]`, with no userinfo; null for anything else. */
function parseAuthority(text: string): Authority | null {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(?::(\d*))?$/i.exec(text);
  if (match === null) return null;
  try {
    // Addresses have many forms.
    const { hostname } = new URL(`http://${match[1]!}`);
    return { host: hostname.replace(/\.$/, ''), port: match[2] ?? '' };
  } catch {
    return null;
  }
}

/** Null for what is no origin that a page of a server has: `null`, lists, paths. */
function canonicalOrigin(text: string): string | null {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(text);
  const authority = match === null ? null : parseAuthority(match[2]!);
  return authority === null ? null : originOf(match![1]!.toLowerCase(), authority);
}

function originOf(scheme: string, { host, port }: Authority): string {
  return `${scheme}://${host}:${port === '' ? (DEFAULT_PORTS[scheme] ?? '') : Number(port)}`;
}

function ownOrigin(authority: Authority | null): string | null {
  return authority === null ? null : originOf('http', authority);
}

/** IPv4 or IPv6, or an IPv4 address as an IPv6 socket shows it. */
export function isLoopbackAddress(address: string | undefined): boolean {
  return address === undefined || address === '::1' || /^(::ffff:)?127\./i.test(address);
}

/** Names that are this machine's on every machine (RFC 6761 §6.3), and addresses that lead nowhere else. */
function isLoopbackName(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    /^127\.\d+\.\d+\.\d+$/.test(host) ||
    /^\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\]$/.test(host)
  );
}

/** Text from a stranger in quotes, cut to a line. */
function quoted(text: string): string {
  return `'${text.length > 100 ? `${text.slice(0, 100)}…` : text}'`;
}
