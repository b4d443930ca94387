import type { HostAndPort } from './hostAndPort.ts';

/** Where Redis is, how it is reached, and which keys in it are ours. */
export interface RedisServer {
  /** A single Redis, a cluster, or a primary that sentinels know. */
  readonly mode: 'single' | 'cluster' | 'sentinel';
  /** The Redis; some nodes of the cluster; or the sentinels. */
  readonly addresses: readonly HostAndPort[];
  readonly username: string;
  readonly password: string;
  readonly database: number;
  /** Undefined without TLS. */
  readonly tls: TlsFiles | undefined;
  /** By which name the sentinels know the primary, and the password of the sentinels themselves. */
  readonly sentinel: { readonly name: string; readonly password: string | undefined } | undefined;
  /** What all our keys begin with; in a cluster with a hash tag, so that one node has them. */
  readonly prefix: string;
}

/** Paths of PEM files; undefined: what Node uses by default. */
export interface TlsFiles {
  /** The certificate of the authority that signed the server's. */
  readonly ca: string | undefined;
  /** The client's own certificate, and its key. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
}
