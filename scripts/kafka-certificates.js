/** Certificates for the TLS listeners of a test broker, made with openssl at its start. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * @typedef {object} Certificates PEM files.
 * @property {string} ca the authority that signed all of the others
 * @property {string} server the broker's key and certificate in one file, for 127.0.0.1 and localhost
 * @property {string} cert the client's certificate, of the name CN=client
 * @property {string} key the client's key (PKCS #8)
 * @property {string} encryptedKey the client's key again, encrypted with `keyPassword`
 * @property {string} keyPassword
 * @property {string} strangerCa an authority that signed nothing here
 */

/** @returns {Promise<Certificates>} */
export async function makeCertificates(directory) {
  const at = (name) => join(directory, name);
  const days = ['-days', '30'];
  const newKey = (file) => ['-newkey', 'rsa:2048', '-nodes', '-keyout', at(file)];
  const authority = (name) =>
    run('openssl', [
      'req',
      '-x509',
      ...newKey(`${name}.key`),
      '-out',
      at(`${name}.pem`),
      ...days,
      '-subj',
      `/CN=${name}`,
    ]);
  const signed = async (name, extensions) => {
    await run('openssl', [
      'req',
      ...newKey(`${name}.key`),
      '-out',
      at(`${name}.csr`),
      '-subj',
      `/CN=${name}`,
    ]);
    await writeFile(at(`${name}.ext`), extensions);
    const ca = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'];
    await run('openssl', [
      'x509',
      '-req',
      '-in',
      at(`${name}.csr`),
      ...ca,
      '-out',
      at(`${name}.pem`),
      ...days,
      '-extfile',
      at(`${name}.ext`),
    ]);
  };
  await Promise.all([authority('ca'), authority('stranger')]);
  await signed('server', 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  await signed('client', 'extendedKeyUsage=clientAuth\n');
  const server = at('server-with-key.pem');
  await writeFile(
    server,
    (await readFile(at('server.key'), 'utf8')) + (await readFile(at('server.pem'), 'utf8')),
  );
  const keyPassword = 'key-password';
  const encryptedKey = at('client-encrypted.key');
  await run('openssl', [
    'pkcs8',
    '-topk8',
    '-in',
    at('client.key'),
    '-out',
    encryptedKey,
    '-passout',
    `pass:${keyPassword}`,
  ]);
  return {
    ca: at('ca.pem'),
    server,
    cert: at('client.pem'),
    key: at('client.key'),
    encryptedKey,
    keyPassword,
    strangerCa: at('stranger.pem'),
  };
}
