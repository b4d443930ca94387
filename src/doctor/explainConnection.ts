import type { Finding } from './finding.ts';

/** The other end of a connection. */
export interface Destination {
  /** The setting that names it. */
  readonly variable: string;
  readonly host: string;
  readonly port: number;
}

/** What is wrong, and what to do about it. */
export type Trouble = Pick<Finding, 'found' | 'advice'>;

/** Node's codes for certificates that no known authority has signed. */
const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF)\w*|CERT_UNTRUSTED)$/;

/** Explains why there is no connection; undefined for an unknown error. */
export function explainConnection(error: unknown, destination: Destination): Trouble | undefined {
  const { code = '' } = error as { code?: string };
  const { variable, host, port } = destination;
  const there = `${host}:${port}`;
  switch (code) {
    case 'ENOTFOUND':
      return {
        found: `DNS does not know the host "${host}"`,
        advice: `Correct the host in ${variable}, or the DNS of this machine`,
      };
    case 'EAI_AGAIN':
      return {
        found: `DNS does not respond for "${host}"`,
        advice: `Check that this machine has a network and a DNS server, and that ${variable} is correct`,
      };
    case 'ECONNREFUSED':
      return {
        found: `nothing listens on ${there}`,
        advice: `Start the service, or correct host and port in ${variable}`,
      };
    case 'ETIMEDOUT':
      return {
        found: `no connection to ${there} in time`,
        advice: `Check whether a firewall blocks connections from this machine to ${there}`,
      };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return { found: `there is no route to ${there}`, advice: 'Check the network of this machine' };
    case 'ECONNRESET':
    case 'EPIPE':
      return {
        found: `${there} closes the connection at once`,
        advice: `Check whether ${variable} should use TLS or not`,
      };
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return {
        found: `TLS: the certificate of ${there} has expired or is not valid yet (${code})`,
        advice: 'Renew it if it is yours; else check the clock of this machine',
      };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return {
        found: `TLS: the certificate of ${there} is for another name`,
        advice: `Use the name of the certificate in ${variable}`,
      };
    default:
      return explainTls(code, destination);
  }
}

function explainTls(code: string, { variable, host, port }: Destination): Trouble | undefined {
  if (UNTRUSTED.test(code)) {
    return {
      found: `TLS: the certificate of ${host}:${port} is not trusted (${code})`,
      advice: 'If your own authority signed it, set NODE_EXTRA_CA_CERTS to the certificate of that authority',
    };
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return {
      found: `${host}:${port} does not support TLS, or no version that Node does (${code})`,
      advice: `Check whether ${variable} should use TLS or not`,
    };
  }
  return undefined;
}
