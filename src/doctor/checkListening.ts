import { once } from 'node:events';
import { createServer } from 'node:net';
import { explainListenError, type Listener, listListeners } from '../config/listeners.ts';
import type { Config } from '../config/loadConfig.ts';
import { addressOf } from '../domain/hostAndPort.ts';
import type { Finding } from './finding.ts';

/** Listens for a moment on each address and port that the server would use. */
export async function checkListening(config: Config): Promise<Finding[]> {
  const findings = await Promise.all(listListeners(config).map(checkListener));
  // All listeners have one host, which is reported once.
  return [...new Map(findings.map((finding) => [`${finding.part}: ${finding.found}`, finding])).values()];
}

async function checkListener(listener: Listener): Promise<Finding> {
  const { setting, host, port } = listener;
  const server = createServer();
  try {
    server.listen({ host, port });
    await once(server, 'listening');
    server.close();
    return { part: setting, state: 'ok', found: `${port === 0 ? 'a free port' : port} is available` };
  } catch (error) {
    return toFinding(error, listener);
  }
}

function toFinding(error: unknown, listener: Listener): Finding {
  const { code, message } = error as NodeJS.ErrnoException;
  const { setting } = listener;
  if (code === 'EADDRINUSE') {
    const advice = `If that is not this server, stop it, or set ${setting} to another port`;
    return { part: setting, state: 'note', found: `${addressOf(listener)} is in use`, advice };
  }
  const problem = explainListenError(error, listener);
  return { part: problem?.setting ?? setting, state: 'fix', found: problem?.text ?? message };
}
