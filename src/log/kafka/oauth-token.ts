import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { rootCertificates, type ConnectionOptions } from 'node:tls';
import type { Clock } from '../../common/clock.ts';
import { LogError } from '../log.ts';
import { RetriableError } from './retry.ts';
import type { TokenSource } from './settings/login.ts';

/** As kafkajs takes it. */
export interface Token {
  readonly value: string;
  readonly extensions?: Record<string, string>;
}

const PATIENCE_MS = 10_000;
const ANSWER_BYTES_MAX = 1024 * 1024;
/** Where an endpoint does not say how long a token holds, the next connection asks for another one. */
const REFRESH_AT = 0.8;

/**
 * Tokens for OAUTHBEARER: one is asked for when there is none or four fifths of its time are over, and all who want one
 * meanwhile share it. Throws `LogError` `unauthorized` when the endpoint refuses, `RetriableError` when it does not answer.
 * `tls.ca` is trusted beside the authorities of Node.js.
 */
export function tokenProvider(
  source: TokenSource,
  tls: ConnectionOptions | null,
  clock: Clock,
): () => Promise<Token> {
  let current: Promise<Token> | undefined;
  let goodUntilMs = 0;
  return () => {
    if (current !== undefined && clock.monotonic() < goodUntilMs) return current;
    goodUntilMs = Infinity;
    const begin = clock.monotonic();
    const asked = askForToken(source, tls, clock).then(
      ({ token, lifeMs }) => {
        goodUntilMs = begin + lifeMs * REFRESH_AT;
        return token;
      },
      (error: unknown) => {
        goodUntilMs = 0;
        throw error;
      },
    );
    current = asked;
    return asked;
  };
}

async function askForToken(
  source: TokenSource,
  tls: ConnectionOptions | null,
  clock: Clock,
): Promise<{ token: Token; lifeMs: number }> {
  const { status, text } = await post(source, tls, clock);
  const members = parse(text);
  if (status >= 500 || status === 429)
    throw new RetriableError(`the token endpoint ${source.endpoint} answered ${status}`);
  const { access_token: value, expires_in: seconds, error, error_description: description } = members;
  if (status >= 400 || typeof value !== 'string') {
    const why = [error, description].filter((part) => typeof part === 'string').join(': ');
    throw new LogError(
      'unauthorized',
      `the token endpoint ${source.endpoint} gave no token to ${source.clientId}: ${status} ${why}`.trimEnd(),
    );
  }
  const { extensions } = source;
  return {
    token: { value, ...(Object.keys(extensions).length === 0 ? {} : { extensions: { ...extensions } }) },
    lifeMs: typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : 0,
  };
}

function parse(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** RFC 6749, section 4.4.2, with the client's name in the head (section 2.3.1). */
function post(
  { endpoint, clientId, clientSecret, scope, urlEncode }: TokenSource,
  tls: ConnectionOptions | null,
  clock: Clock,
): Promise<{ status: number; text: string }> {
  const encode = urlEncode ? encodeURIComponent : (part: string): string => part;
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    ...(scope === undefined ? {} : { scope }),
  });
  const ca = tls?.ca === undefined ? {} : { ca: [...rootCertificates, String(tls.ca)] };
  const headers = {
    authorization: `Basic ${Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  };
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new RetriableError(`the token endpoint ${endpoint}: ${why}`));
    const send = /^https:/i.test(endpoint) ? requestHttps : requestHttp;
    const request = send(endpoint, { method: 'POST', headers, ...ca }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > ANSWER_BYTES_MAX) request.destroy(new Error('the answer is too long'));
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    const cancel = clock.setTimer(PATIENCE_MS, () => request.destroy(new Error('no answer')));
    request.once('close', cancel);
    request.once('error', (error) => fail(error.message));
    request.end(body.toString());
  });
}
