import path from 'node:path';
import { CORES, onCore } from './cores.ts';
import { ROOT } from './paths.ts';
import { endProcess, startProcess } from './processes.ts';

/** The emulator, in place of KeyAPI. */
export interface Upstream {
  readonly url: string;
  /** Its requests so far, and their cost. */
  stats(): Promise<{ readonly requests: number; readonly credits: number }>;
  close(): Promise<void>;
}

/** Runs `use` with the emulator, each of whose responses takes `latencyMs`, and stops it. */
export async function withUpstream<T>(
  latencyMs: number,
  use: (upstream: Upstream) => Promise<T>,
): Promise<T> {
  const upstream = await startUpstream(latencyMs);
  try {
    return await use(upstream);
  } finally {
    await upstream.close();
  }
}

async function startUpstream(latencyMs: number): Promise<Upstream> {
  const program = path.join(ROOT, 'dist/bin/emulator.js');
  const command = [process.execPath, program, '--port', '0', '--latency-ms', String(latencyMs)];
  const child = await startProcess(onCore(CORES.upstream, command), {});
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const match = /KEYAPI_BASE_URL=(http:[^,\s]+)/.exec(output);
      if (match?.[1]) resolve(match[1]);
    });
    child.once('exit', () => reject(new Error('The emulator exited before it was ready.')));
  });
  return {
    url,
    stats: async () => (await (await fetch(`${url}/stats`)).json()) as { requests: number; credits: number },
    close: () => endProcess(child),
  };
}
