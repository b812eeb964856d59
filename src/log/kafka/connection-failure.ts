import { LogError } from '../log.ts';
import { RetriableError } from './retry.ts';

/** What Node.js calls the ways in which a broker's certificate is not to be trusted, and what to do. */
const CERTIFICATES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has expired: the broker needs a new one',
  CERT_NOT_YET_VALID: 'is not valid yet: compare the clocks of both machines',
  CERT_REVOKED: 'was revoked: the broker needs a new one',
};
const UNTRUSTED = 'is not trusted: name the authority that signed it in ssl.truststore.location (PEM)';

/** Codes of the errors that a certificate without a known authority gives. */
const UNTRUSTED_CODES =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(?:_LOCALLY)?)|CERT_UNTRUSTED)$/;

/** Alerts by which a broker turns a client away for its certificate, or for having none (RFC 8446, section 6.2). */
const CLIENT_CERTIFICATE =
  /ALERT_(?:CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(?:UNKNOWN|EXPIRED|REVOKED)|UNKNOWN_CA|ACCESS_DENIED|NO_CERTIFICATE)/;

export const MECHANISM_HINT = 'sasl.mechanism must be one that it has';

/** kafkajs calls everything that goes wrong during a login a failed login; these are broken connections. */
const BROKEN =
  /Closed connection|Connection closed|Connection error|Connection timeout|Not connected|timed out/;

/**
 * What a connection's failure is to us: a `LogError` when another try cannot help (the broker said no, or one side does
 * not trust the other), a `RetriableError` when it may.
 */
export function connectionFailure(error: Error): Error {
  if (error instanceof RetriableError || error instanceof LogError) return error;
  const { code, broker, type } = error as { code?: unknown; broker?: unknown; type?: unknown };
  const at = typeof broker === 'string' ? `the broker at ${broker}` : 'the broker';
  if (error.name === 'KafkaJSSASLAuthenticationError') return loginFailure(error.message);
  if (type === 'UNSUPPORTED_SASL_MECHANISM')
    return new LogError('unauthorized', `${at} does not know this login: ${MECHANISM_HINT}`);
  if (type === 'ILLEGAL_SASL_STATE')
    return new LogError(
      'unauthorized',
      `${at} takes no login at this port: security.protocol must be PLAINTEXT or SSL, or the port another`,
    );
  if (typeof code === 'string') {
    const failure = tlsFailure(code, error.message, at);
    if (failure !== null) return failure;
  }
  // Neither a broken connection nor a time-out, but a response of another shape than asked for: trying again is no use.
  if (error instanceof RangeError || error instanceof TypeError) return error;
  return new RetriableError(error.message);
}

function loginFailure(message: string): Error {
  if (BROKEN.test(message)) return new RetriableError(message);
  if (message.endsWith('mechanism is not supported by the server'))
    return new LogError('unauthorized', `${message}: ${MECHANISM_HINT}`);
  return new LogError(
    'unauthorized',
    `the broker refused the login: ${message} (sasl.username and sasl.password, or sasl.jaas.config)`,
  );
}

function tlsFailure(code: string, message: string, at: string): LogError | null {
  const known = CERTIFICATES[code] ?? (UNTRUSTED_CODES.test(code) ? UNTRUSTED : undefined);
  const detail = message.replace(/^Connection error: /, '');
  if (known !== undefined)
    return new LogError('unavailable', `the certificate of ${at} ${known} (${detail})`);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return new LogError(
      'unavailable',
      `the certificate of ${at} is for another name: call it by one that the certificate has, ` +
        `or leave the comparison out with an empty ssl.endpoint.identification.algorithm (${detail})`,
    );
  if (!code.startsWith('ERR_SSL_')) return null;
  if (CLIENT_CERTIFICATE.test(code))
    return new LogError(
      'unauthorized',
      `${at} asks for a client certificate that it trusts: ssl.keystore.location, or ssl.certificate.location ` +
        `and ssl.key.location (${detail})`,
    );
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE/.test(code))
    return new LogError(
      'unavailable',
      `${at} speaks no version of TLS that ssl.enabled.protocols allows (${detail})`,
    );
  if (/HANDSHAKE_FAILURE|NO_SHARED_CIPHER|INSUFFICIENT_SECURITY/.test(code))
    return new LogError(
      'unavailable',
      `${at} and this side have no cipher suite in common, or it asks for a client certificate: ` +
        `ssl.cipher.suites, ssl.keystore.location (${detail})`,
    );
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNEXPECTED_MESSAGE/.test(code))
    return new LogError(
      'unavailable',
      `${at} does not speak TLS at this port: security.protocol must be PLAINTEXT or SASL_PLAINTEXT, or the port another`,
    );
  return null;
}
