import type { Clock } from '../../common/clock.ts';
import { LogError } from '../log.ts';
import { MECHANISM_HINT } from './connection-failure.ts';
import type { Address, Security } from './kafkajs-connections.ts';
import { type Listener, probeListener } from './listener-probe.ts';
import { RetriableError } from './retry.ts';

/** How a connection was tried. */
export interface Tried extends Security {
  /** The brokers to begin with. */
  readonly brokers: readonly Address[];
  readonly clock: Clock;
}

/** These say by themselves what is wrong: nobody is there, or nobody answers. */
const PLAIN_FAILURES = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|timeout|timed out/i;

/**
 * The failure to connect, in words that say what to do where a port wants to be talked to in another way than it was: a
 * broker that does not understand only closes the connection, and one that does not know a login does not say which it
 * knows. Each broker's port is asked what it is, which takes a second or two at most.
 */
export async function explainFailure(error: Error, tried: Tried): Promise<Error> {
  const isSilent = error instanceof RetriableError && !PLAIN_FAILURES.test(error.message);
  const isOtherLogin = error instanceof LogError && error.message.includes(MECHANISM_HINT);
  if (!isSilent && !isOtherLogin) return error;
  const mechanism = tried.sasl?.mechanism.toUpperCase() ?? null;
  for (const { host, port } of tried.brokers) {
    const listener = await probeListener(host, port, tried.tls, tried.clock);
    if (listener === null) continue;
    const mismatch = mismatchOf(listener, tried.tls !== null, mechanism);
    if (mismatch !== null)
      return new LogError(mismatch.kind, `the broker at ${host}:${port} ${mismatch.text}`);
  }
  return error;
}

function mismatchOf(
  { tls, mechanisms }: Listener,
  triedTls: boolean,
  tried: string | null,
): { readonly kind: 'unavailable' | 'unauthorized'; readonly text: string } | null {
  const isLogin = mechanisms === undefined ? tried !== null : mechanisms !== null;
  const is = protocolName(tls, isLogin);
  const was = protocolName(triedTls, tried !== null);
  if (tls !== triedTls)
    return {
      kind: 'unavailable',
      text: `${tls ? 'speaks TLS' : 'speaks no TLS'} at this port: security.protocol must be ${is}, not ${was}`,
    };
  if (mechanisms === undefined) return null;
  if (mechanisms === null)
    return tried === null
      ? null
      : {
          kind: 'unauthorized',
          text: `takes no login at this port: security.protocol must be ${is}, not ${was}`,
        };
  const known = mechanisms.length === 0 ? '' : ` (sasl.mechanism: ${mechanisms.join(', ')})`;
  if (tried === null)
    return {
      kind: 'unauthorized',
      text: `asks for a login at this port: security.protocol must be ${is}, not ${was}${known}`,
    };
  if (mechanisms.length === 0 || mechanisms.includes(tried)) return null;
  return { kind: 'unauthorized', text: `does not know the login ${tried}${known}` };
}

function protocolName(tls: boolean, login: boolean): string {
  return `${login ? 'SASL_' : ''}${tls ? 'SSL' : 'PLAINTEXT'}`;
}
