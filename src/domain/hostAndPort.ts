const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'redis:': 6379,
  'rediss:': 6379,
};

/** What a URL connects to: an IPv6 address has no brackets, and a port that is left out is that of the protocol. */
export function hostAndPort({ protocol, hostname, port }: URL): {
  readonly host: string;
  readonly port: number;
} {
  const host = hostname.replace(/^\[|\]$/g, '');
  return { host, port: port === '' ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port) };
}
