import type { Finding } from './finding.ts';

/** Where a connection was to lead. */
export interface Destination {
  /** The variable that names it. */
  readonly variable: string;
  readonly host: string;
  readonly port: number;
}

/** What was found, and what to do about it. */
export type Trouble = Pick<Finding, 'found' | 'advice'>;

/** Node's codes for certificates that nobody known has signed. */
const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF)\w*|CERT_UNTRUSTED)$/;

/** Says in plain words why there is no connection; undefined when the error is none of the known ones. */
export function explainConnection(error: unknown, destination: Destination): Trouble | undefined {
  const { code = '' } = error as { code?: string };
  const { variable, host, port } = destination;
  const there = `${host}:${port}`;
  switch (code) {
    case 'ENOTFOUND':
      return {
        found: `DNS knows no host "${host}"`,
        advice: `Correct the name in ${variable}, or the DNS of this machine`,
      };
    case 'EAI_AGAIN':
      return {
        found: `DNS does not answer for "${host}"`,
        advice: `See whether this machine has a network and a DNS server, and that ${variable} is right`,
      };
    case 'ECONNREFUSED':
      return {
        found: `nobody listens at ${there}`,
        advice: `Start what should be there, or correct host and port in ${variable}`,
      };
    case 'ETIMEDOUT':
      return {
        found: `no connection to ${there} in time`,
        advice: 'See whether a firewall is in the way: it must let this machine out to there',
      };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return { found: `no way leads to ${there}`, advice: 'See to the network of this machine' };
    case 'ECONNRESET':
    case 'EPIPE':
      return {
        found: `${there} ends the connection at once`,
        advice: `See that ${variable} says TLS (https, rediss) exactly where TLS is spoken`,
      };
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return {
        found: `TLS: the certificate of ${there} is out of date (${code})`,
        advice: 'Renew it if it is yours; else see whether the clock of this machine is right',
      };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return {
        found: `TLS: the certificate of ${there} is for another name`,
        advice: `Write the name of the certificate into ${variable}`,
      };
    default:
      return explainTls(code, destination);
  }
}

function explainTls(code: string, { variable, host, port }: Destination): Trouble | undefined {
  if (UNTRUSTED.test(code)) {
    return {
      found: `TLS: the certificate of ${host}:${port} is not to be trusted (${code})`,
      advice: 'If it is signed by an authority of your own, name that one in NODE_EXTRA_CA_CERTS',
    };
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return {
      found: `${host}:${port} does not speak TLS, or not as we do (${code})`,
      advice: `See that ${variable} says TLS (https, rediss) exactly where TLS is spoken`,
    };
  }
  return undefined;
}
