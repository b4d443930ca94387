import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Creates a certificate for a host name or an address, signed by itself. Needs `openssl`. */
export function makeCertificate(host: string): Certificate {
  const folder = mkdtempSync(path.join(tmpdir(), 'certificate-'));
  const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  const name = `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`;
  const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=${name}`];
  const files = ['-keyout', key, '-out', cert];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...files, ...subject];
  try {
    execFileSync('openssl', args, { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Makes this process trust a certificate, as NODE_EXTRA_CA_CERTS does at its start, until the returned function is called. */
export function trust({ cert }: Certificate): () => void {
  const { createSecureContext } = tls;
  tls.createSecureContext = (options) => {
    const context = createSecureContext(options);
    context.context.addCACert(cert);
    return context;
  };
  return () => {
    tls.createSecureContext = createSecureContext;
  };
}
