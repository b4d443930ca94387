import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

/** The paths of a certificate and its key, as PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** An authority that signs certificates. */
export interface Authority {
  /** Its own certificate. */
  readonly ca: string;
  /** For 127.0.0.1 and localhost, or only for these names, as in `subjectAltName`. */
  sign(name: string, names?: string): CertificateFiles;
}

/** Creates an authority with `openssl`; its files are in this folder, and their names begin with `name`. */
export function createAuthority(folder: string, name: string): Authority {
  const run = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const newKey = ['-newkey', 'rsa:2048', '-nodes'];
  const own = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
  run('req', '-x509', ...newKey, '-days', '2', ...own, '-subj', `/CN=${name}`);

  function sign(subject: string, names = 'IP:127.0.0.1,DNS:localhost'): CertificateFiles {
    const file = `${name}-${subject}`;
    writeFileSync(path.join(folder, 'extensions'), `subjectAltName=${names}`);
    run('req', ...newKey, '-keyout', `${file}.key`, '-out', `${file}.csr`, '-subj', `/CN=${subject}`);
    const signed = ['-in', `${file}.csr`, '-out', `${file}.pem`, '-extfile', 'extensions', '-days', '2'];
    run('x509', '-req', ...signed, '-CA', `${name}.pem`, '-CAkey', `${name}.key`, '-CAcreateserial');
    return { cert: path.join(folder, `${file}.pem`), key: path.join(folder, `${file}.key`) };
  }

  return { ca: path.join(folder, `${name}.pem`), sign };
}
