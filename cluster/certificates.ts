import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';

const daysValid = '365';

export interface CertificateRequest {
  /** File name without ending: `<name>.crt` and `<name>.key` are written. */
  readonly name: string;
  readonly subject: string;
  /** Subject alternative names in OpenSSL's notation, such as `IP:127.0.0.1`. */
  readonly hosts?: readonly string[];
}

/** Makes a certificate authority: `<name>.crt`, and `<name>.key` readable by its owner only. */
export async function makeAuthority(folder: string, name: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await openssl(folder, [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', daysValid],
    ...['-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`],
  ]);
}

/** Makes a key and a certificate for server and client use, signed by an authority of the same folder. */
export async function makeCertificate(folder: string, authority: string, request: CertificateRequest): Promise<void> {
  const { name, subject, hosts = [] } = request;
  const extensions = join(folder, `${name}.ext`);
  writeFileSync(
    extensions,
    [
      'keyUsage=critical,digitalSignature',
      'extendedKeyUsage=serverAuth,clientAuth',
      ...(hosts.length > 0 ? [`subjectAltName=${hosts.join(',')}`] : []),
    ].join('\n'),
  );
  await openssl(folder, [
    ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.csr`],
  ]);
  await openssl(folder, [
    ...['x509', '-req', '-in', `${name}.csr`, '-CA', `${authority}.crt`, '-CAkey', `${authority}.key`],
    ...['-CAcreateserial', '-days', daysValid, '-extfile', extensions, '-out', `${name}.crt`],
  ]);
}

/** Makes the key pair that ServiceAccount tokens are signed and checked with. */
export async function makeTokenKeys(folder: string): Promise<void> {
  await openssl(folder, ['genrsa', '-out', 'service-account.key', '2048']);
  await openssl(folder, ['rsa', '-in', 'service-account.key', '-pubout', '-out', 'service-account.pub']);
}

async function openssl(folder: string, args: readonly string[]): Promise<void> {
  await run('openssl', args, { cwd: folder, timeoutMs: 20_000 });
}
