import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { TlsFiles } from '../../../domain/redisServer.ts';

/** A file for TLS that cannot be used. */
export class TlsFileError extends Error {
  override readonly name = 'TlsFileError';

  /** The setting that names the file. */
  readonly setting: string;

  constructor(file: keyof TlsFiles, message: string) {
    super(message);
    this.setting = `REDIS_TLS_${file.toUpperCase()}`;
  }
}

/**
 * Reads the files. They are small, and read only to connect: a renewed certificate is used from the next connection on.
 *
 * @throws {TlsFileError} When one cannot be read, or is not a PEM file of its kind.
 */
export function readTlsFiles(files: TlsFiles): SecureContextOptions {
  const [ca, cert, key] = (['ca', 'cert', 'key'] as const).map((file) => readTlsFile(file, files[file]));
  if (ca) check('ca', files, () => new X509Certificate(ca));
  if (cert) check('cert', files, () => new X509Certificate(cert));
  if (key) check('key', files, () => createSecureContext({ cert, key }));
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

function readTlsFile(file: keyof TlsFiles, path: string | undefined): Buffer | undefined {
  try {
    return path === undefined ? undefined : readFileSync(path);
  } catch (error) {
    throw new TlsFileError(file, `${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Node's own message may contain a part of the file. */
function check(file: keyof TlsFiles, { [file]: path }: TlsFiles, use: () => unknown): void {
  try {
    use();
  } catch (error) {
    const { code } = error as { code?: string };
    throw new TlsFileError(file, `${path} ${toFault(file, code)}`);
  }
}

function toFault(file: keyof TlsFiles, code = ''): string {
  if (file !== 'key') return 'is not a certificate in PEM format';
  if (code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') return 'is not the key of that certificate';
  return 'is not a private key in PEM format without a passphrase';
}
