const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'redis:': 6379,
  'rediss:': 6379,
};

/** One end of a connection. */
export interface HostAndPort {
  /** A name or an address; an IPv6 address has no brackets. */
  readonly host: string;
  readonly port: number;
}

/** What a URL connects to. A port that is left out is that of the protocol. */
export function hostAndPort({ protocol, hostname, port }: URL): HostAndPort {
  const host = hostname.replace(/^\[|\]$/g, '');
  return { host, port: port === '' ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port) };
}

/** `host:port` as in a URL. */
export function addressOf({ host, port }: HostAndPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
