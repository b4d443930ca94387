import { addressOf } from '../domain/hostAndPort.ts';
import { ConfigError, type ConfigProblem } from './configError.ts';
import type { Config } from './loadConfig.ts';
import { describeValue } from './secrets.ts';
import { SETTINGS } from './settings.ts';

/** Where a server listens. */
export interface Listener {
  /** The setting of its port. */
  readonly setting: string;
  readonly host: string;
  readonly port: number;
}

/** All listeners of the program. */
export function listListeners({
  host,
  port,
  metrics,
}: Pick<Config, 'host' | 'port' | 'metrics'>): Listener[] {
  const main = { setting: 'PORT', host, port };
  return metrics?.port === undefined ? [main] : [main, { setting: 'METRICS_PORT', host, port: metrics.port }];
}

/** What to change so that the server can listen; undefined for an unknown error. */
export function explainListenError(error: unknown, listener: Listener): ConfigProblem | undefined {
  const { code = '' } = error as NodeJS.ErrnoException;
  const { setting, host, port } = listener;
  switch (code) {
    case 'EADDRINUSE':
      return {
        setting,
        text: `${addressOf(listener)} is in use: stop the program that listens there, or set ${setting} to another port`,
      };
    case 'EACCES':
      return {
        setting,
        text: `this user may not listen on ${addressOf(listener)}: set ${setting} to ${port < 1024 ? '1024 or more' : 'another port'}`,
      };
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EINVAL':
      return hostProblem('expected an address of this machine', host);
    default:
      if (!/^(ENOTFOUND|EAI_)/.test(code)) return undefined;
      return hostProblem('expected an address, or a name that DNS can resolve', host);
  }
}

/** The error of listening as one of the settings, if changing them helps; else the error itself. */
export function toListenError(error: unknown, config: Parameters<typeof listListeners>[0]): unknown {
  const listeners = listListeners(config);
  const { port } = error as { port?: number };
  const failed = listeners.find((listener) => listener.port === port) ?? listeners[0];
  const problem = failed && explainListenError(error, failed);
  return problem ? new ConfigError([problem]) : error;
}

function hostProblem(expected: string, host: string): ConfigProblem {
  return { setting: 'HOST', text: `${expected}${describeValue(SETTINGS.HOST, host)}` };
}
