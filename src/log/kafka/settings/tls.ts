import { readFileSync } from 'node:fs';
import { type ConnectionOptions, createSecureContext, getCiphers, type SecureVersion } from 'node:tls';
import { messageOf } from '../../../common/error.ts';
import type { GivenSetting } from '../../../common/properties-file.ts';
import { type GivenSettings, SettingError } from './given-settings.ts';

/** What `ssl.*` says. Plain data, of which `nodeTls` makes what Node.js takes. */
export interface Tls {
  readonly ca?: string;
  readonly key?: string;
  readonly cert?: string;
  readonly pfx?: Uint8Array;
  readonly passphrase?: string;
  readonly crl?: string;
  readonly ciphers?: string;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  /** Whether whoever answers is trusted. */
  readonly anyCertificate?: true;
  /** Whether a certificate may be for another name. */
  readonly anyName?: true;
}

type Growing = { -readonly [K in keyof Tls]: Tls[K] };

export function nodeTls({ anyCertificate, anyName, pfx, ...same }: Tls): ConnectionOptions {
  return {
    ...same,
    ...(pfx === undefined ? {} : { pfx: Buffer.from(pfx) }),
    ...(anyCertificate === true ? { rejectUnauthorized: false } : {}),
    ...(anyName === true ? { checkServerIdentity: () => undefined } : {}),
  };
}

const STORES = ['PEM', 'PKCS12', 'JKS'] as const;
type Store = (typeof STORES)[number];

/** Java's names for an entry of a keystore that cannot be read here, and what to type instead. */
const TRUST_HINT =
  'export its certificates as PEM: keytool -exportcert -rfc -alias … -keystore … -file ca.pem, and ssl.truststore.type=PEM';
const KEY_HINT =
  'convert it: keytool -importkeystore -srckeystore … -destkeystore client.p12 -deststoretype PKCS12, and ssl.keystore.type=PKCS12';

/** Reads `ssl.*` and the files that it names. Throws `SettingError`. */
export function readTls(settings: GivenSettings): Tls {
  const tls: Growing = {};
  readTrust(settings, tls);
  readOwnCertificate(settings, tls);
  const revoked = settings.setting('ssl.crl.location');
  if (revoked !== undefined) tls.crl = pemFile(revoked, read(revoked));
  readChecks(settings, tls);
  readVersions(settings, tls);
  readCiphers(settings, tls);
  return tls;
}

function readTrust(settings: GivenSettings, tls: Growing): void {
  const type = settings.oneOf('ssl.truststore.type', STORES);
  const inline = settings.setting('ssl.truststore.certificates ssl.ca.pem');
  const file = settings.setting('ssl.truststore.location ssl.ca.location');
  if (inline !== undefined) tls.ca = pemText(inline);
  else if (file !== undefined && file.value.trim() !== 'probe') {
    const content = read(file);
    const store = file.name === 'ssl.ca.location' ? 'PEM' : (type ?? storeOf(content));
    if (store !== 'PEM') throw new SettingError(file, `is a keystore of Java (${store}): ${TRUST_HINT}`);
    tls.ca = pemFile(file, content);
  }
  if (tls.ca !== undefined) check(inline ?? file!, { ca: tls.ca }, 'has no certificates that can be read');
}

function readOwnCertificate(settings: GivenSettings, tls: Growing): void {
  const type = settings.oneOf('ssl.keystore.type', STORES);
  const store = settings.setting('ssl.keystore.location');
  const key = settings.setting('ssl.keystore.key ssl.key.pem ssl.key.location');
  const chain = settings.setting(
    'ssl.keystore.certificate.chain ssl.certificate.pem ssl.certificate.location',
  );
  const passphrase = settings.secret('ssl.key.password');
  const storePassword = settings.secret('ssl.keystore.password');
  if (store !== undefined) {
    const content = read(store);
    // Java's default is JKS and reads PKCS12 too, so what is not said is seen from the file.
    const kind = type === undefined || type === 'JKS' ? storeOf(content) : type;
    if (kind === 'JKS') throw new SettingError(store, `is a keystore of Java (JKS): ${KEY_HINT}`);
    if (kind === 'PEM') tls.key = tls.cert = pemFile(store, content);
    else tls.pfx = content;
    const opens = kind === 'PEM' ? (passphrase ?? storePassword) : (storePassword ?? passphrase);
    if (opens !== undefined) tls.passphrase = opens;
  } else if (key !== undefined || chain !== undefined) {
    if (key === undefined)
      throw new SettingError(chain!, 'needs its key: ssl.keystore.key or ssl.key.location');
    if (chain === undefined)
      throw new SettingError(
        key,
        'needs its certificate: ssl.keystore.certificate.chain or ssl.certificate.location',
      );
    tls.key = pemOf(key);
    tls.cert = pemOf(chain);
    if (passphrase !== undefined) tls.passphrase = passphrase;
  } else return;
  const { ca: _ca, ...own } = tls;
  check(store ?? key!, own, 'cannot be used as key and certificate');
}

function readChecks(settings: GivenSettings, tls: Growing): void {
  const names = settings.setting('ssl.endpoint.identification.algorithm', true);
  const algorithm = names?.value.trim().toLowerCase();
  if (algorithm === '' || algorithm === 'none') tls.anyName = true;
  else if (algorithm !== undefined && algorithm !== 'https')
    throw new SettingError(names!, `must be https, none or empty, not '${names!.value}'`);
  if (settings.truth('enable.ssl.certificate.verification') === false) tls.anyCertificate = true;
}

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

function readVersions(settings: GivenSettings, tls: Growing): void {
  const given = settings.setting('ssl.enabled.protocols') ?? settings.setting('ssl.protocol');
  // `ssl.protocol` is the newest that is spoken, `TLS` whichever is: older ones are spoken too.
  settings.setting('ssl.protocol');
  if (given === undefined || given.value.trim() === 'TLS') return;
  const versions = given.value.split(',').map((each) => VERSIONS.find((version) => version === each.trim()));
  if (versions.includes(undefined))
    throw new SettingError(given, `must be ${VERSIONS.join(', ')} or both, not '${given.value.trim()}'`);
  const sorted = VERSIONS.filter((version) => versions.includes(version));
  if (given.name === 'ssl.enabled.protocols') tls.minVersion = sorted[0]!;
  tls.maxVersion = sorted.at(-1)!;
}

function readCiphers(settings: GivenSettings, tls: Growing): void {
  const given = settings.setting('ssl.cipher.suites');
  if (given === undefined) return;
  const known = new Set(getCiphers().map((cipher) => cipher.toUpperCase()));
  const names = given.value.split(/[,:]/).map((name) => name.trim());
  const ciphers = names.map((name) => (known.has(name.toUpperCase()) ? name : opensslName(name)));
  const unknown = names.find((_, i) => !known.has(ciphers[i]!.toUpperCase()));
  if (unknown !== undefined) throw new SettingError(given, `has ${unknown}, which is not known here`);
  tls.ciphers = ciphers.join(':');
}

/** Java's names are those of the standard: `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` is `ECDHE-RSA-AES128-GCM-SHA256`. */
function opensslName(name: string): string {
  return name
    .replace(/^TLS_(?:RSA_WITH_)?/, '')
    .replace('_WITH_', '_')
    .replace(/_(AES|CAMELLIA)_(\d+)/, '_$1$2')
    .replace(/^(AES|CAMELLIA)_(\d+)/, '$1$2')
    .replace('_CBC_', '_')
    .replace('CHACHA20_POLY1305_SHA256', 'CHACHA20_POLY1305')
    .replaceAll('_', '-');
}

/** From a file's first bytes: JKS has a number of its own, and all that is in DER begins a sequence. */
function storeOf(content: Buffer): Store {
  if (content.length >= 4 && [0xfeedfeed, 0xcececece].includes(content.readUInt32BE(0))) return 'JKS';
  return content[0] === 0x30 ? 'PKCS12' : 'PEM';
}

function pemOf(given: GivenSetting): string {
  return given.name.endsWith('.location') ? pemFile(given, read(given)) : pemText(given);
}

function pemFile(given: GivenSetting, content: Buffer): string {
  const text = content.toString('utf8');
  if (text.includes('-----BEGIN ')) return text;
  throw new SettingError(given, `is no PEM: ${given.value.trim()} has no line -----BEGIN …-----`);
}

/** In a file of properties a PEM often stands on one line, with blanks or nothing where its lines ended. */
function pemText(given: GivenSetting): string {
  const blocks = [...given.value.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----/gs)];
  if (blocks.length === 0)
    throw new SettingError(given, 'is no PEM: it has no -----BEGIN …----- and -----END …-----');
  return blocks
    .map(([block, label, body]) => (body!.includes(':') ? block : wrapped(label!, body!)))
    .join('\n');
}

function wrapped(label: string, body: string): string {
  const lines = body.replaceAll(/\s+/g, '').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function read(given: GivenSetting): Buffer {
  const path = given.value.trim();
  try {
    return readFileSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new SettingError(
      given,
      `names ${path}, which ${code === 'ENOENT' ? 'does not exist' : `cannot be read: ${message}`}`,
    );
  }
}

/** Node.js looks at them when it connects: a mistake is told now, beside the setting. */
function check(given: GivenSetting, options: Tls, what: string): void {
  try {
    createSecureContext(nodeTls(options));
  } catch (error) {
    const message = messageOf(error);
    const locked =
      /bad decrypt|mac verify|bad password|interrupted or cancelled|passphrase|wrong password/i.test(message);
    throw new SettingError(given, `${what}: ${locked ? 'the password is missing or wrong' : message}`);
  }
}
