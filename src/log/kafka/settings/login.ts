import type { GivenSetting } from '../../../common/properties-file.ts';
import { type GivenSettings, SettingError } from './given-settings.ts';
import { type JaasEntry, parseJaas } from './jaas.ts';

/** Where tokens for OAUTHBEARER come from: OAuth 2.0's client credentials (RFC 6749, section 4.4). */
export interface TokenSource {
  readonly endpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string | undefined;
  /** SASL extensions (KIP-342), sent beside the token. */
  readonly extensions: Readonly<Record<string, string>>;
  /** Whether id and secret are encoded before they become the header, as the RFC has it and many endpoints do not. */
  readonly urlEncode: boolean;
}

/** How a connection says who it is (SASL). */
export type Login =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: string;
      readonly password: string;
    }
  | { readonly mechanism: 'OAUTHBEARER'; readonly tokens: TokenSource };

const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const;
const MODULES: Readonly<Record<string, readonly Login['mechanism'][]>> = {
  PlainLoginModule: ['PLAIN'],
  ScramLoginModule: ['SCRAM-SHA-256', 'SCRAM-SHA-512'],
  OAuthBearerLoginModule: ['OAUTHBEARER'],
};

/** Throws `SettingError`. `protocol`: the `security.protocol` that wants a login. */
export function readLogin(settings: GivenSettings, protocol: GivenSetting): Login {
  const jaas = settings.setting('sasl.jaas.config');
  const entry = jaas === undefined ? undefined : parseJaas(jaas);
  const mechanism = mechanismOf(settings, protocol, jaas, entry);
  if (mechanism === 'OAUTHBEARER') return { mechanism, tokens: readTokenSource(settings, protocol, entry) };
  const username = entry?.options.get('username') ?? settings.secret('sasl.username');
  const password = entry?.options.get('password') ?? settings.secret('sasl.password');
  if (username === undefined || password === undefined)
    throw new SettingError(
      protocol,
      `is ${protocol.value.trim()}, so a login is needed: sasl.username and sasl.password, or sasl.jaas.config`,
    );
  if (entry?.options.get('tokenauth') === 'true')
    throw new SettingError(jaas!, 'asks for a delegation token (tokenauth): only passwords are known here');
  return { mechanism, username, password };
}

function mechanismOf(
  settings: GivenSettings,
  protocol: GivenSetting,
  jaas: GivenSetting | undefined,
  entry: JaasEntry | undefined,
): Login['mechanism'] {
  const allowed = entry === undefined ? MECHANISMS : MODULES[entry.module];
  if (allowed === undefined)
    throw new SettingError(
      jaas!,
      `names ${entry!.module}, which is not known here: there are ${Object.keys(MODULES).join(', ')}`,
    );
  const given = settings.setting('sasl.mechanism sasl.mechanisms');
  if (given === undefined) {
    if (allowed.length === 1) return allowed[0]!;
    throw new SettingError(
      protocol,
      `is ${protocol.value.trim()}, so sasl.mechanism is needed: ${allowed.join(', ')}`,
    );
  }
  const upper = given.value.trim().toUpperCase();
  const mechanism = MECHANISMS.find((each) => each === upper);
  if (mechanism === undefined)
    throw new SettingError(
      given,
      upper === 'GSSAPI'
        ? `is GSSAPI (Kerberos), which is not known here: there are ${MECHANISMS.join(', ')}`
        : `must be ${MECHANISMS.join(', ')}, not '${given.value.trim()}'`,
    );
  if (!allowed.includes(mechanism))
    throw new SettingError(given, `is ${mechanism}, and sasl.jaas.config is for ${allowed.join(' or ')}`);
  return mechanism;
}

function readTokenSource(
  settings: GivenSettings,
  protocol: GivenSetting,
  entry: JaasEntry | undefined,
): TokenSource {
  const options = entry?.options ?? new Map<string, string>();
  const needed = (value: string | undefined, what: string): string => {
    if (value !== undefined) return value;
    throw new SettingError(protocol, `is ${protocol.value.trim()} by OAUTHBEARER, so ${what} is needed`);
  };
  const given = settings.setting('sasl.oauthbearer.token.endpoint.url');
  const endpoint = needed(given?.value.trim(), 'sasl.oauthbearer.token.endpoint.url');
  if (!URL.canParse(endpoint) || !/^https?:/i.test(endpoint))
    throw new SettingError(given!, `must be a URL with http or https, not '${endpoint}'`);
  return {
    endpoint,
    clientId: needed(
      options.get('clientId') ??
        settings.text('sasl.oauthbearer.client.credentials.client.id sasl.oauthbearer.client.id'),
      'sasl.oauthbearer.client.credentials.client.id (or clientId in sasl.jaas.config)',
    ),
    clientSecret: needed(
      options.get('clientSecret') ??
        settings.secret('sasl.oauthbearer.client.credentials.client.secret sasl.oauthbearer.client.secret'),
      'sasl.oauthbearer.client.credentials.client.secret (or clientSecret in sasl.jaas.config)',
    ),
    scope: options.get('scope') ?? settings.text('sasl.oauthbearer.scope'),
    extensions: extensionsOf(settings, options),
    urlEncode: settings.truth('sasl.oauthbearer.header.urlencode') ?? false,
  };
}

/** `extension_NAME` of Java's JAAS options, or librdkafka's `name=value,name=value`. */
function extensionsOf(settings: GivenSettings, options: ReadonlyMap<string, string>): Record<string, string> {
  const extensions: Record<string, string> = {};
  for (const [name, value] of options)
    if (name.startsWith('extension_')) extensions[name.slice('extension_'.length)] = value;
  for (const pair of settings.text('sasl.oauthbearer.extensions')?.split(',') ?? []) {
    const at = pair.indexOf('=');
    if (at > 0) extensions[pair.slice(0, at).trim()] = pair.slice(at + 1);
  }
  return extensions;
}
