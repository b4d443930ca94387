import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** The result of a replayed Dockerfile: its last stage, with a folder in place of the file system. */
export interface Image {
  readonly workdir: string;
  readonly env: Record<string, string>;
  readonly user: string;
  readonly cmd: string[];
  readonly healthcheck: string[];
  remove(): Promise<void>;
}

interface Stage {
  readonly root: string;
  workdir: string;
  user: string;
  env: Record<string, string>;
  cmd: string[];
  healthcheck: string[];
}

/**
 * Executes a Dockerfile without Docker: only the instructions that ours uses, with this machine's Node in place of the
 * base image, on the files of `context` that its .dockerignore includes (it excludes everything by `*`, then names what to
 * include by `!`). An unknown instruction is an error.
 */
export async function replayDockerfile(context: string): Promise<Image> {
  const home = await mkdtemp(path.join(tmpdir(), 'dockerfile-'));
  const ignore = (await readFile(path.join(context, '.dockerignore'), 'utf8')).split('\n');
  if (!ignore.includes('*')) throw new Error('expected a .dockerignore that begins with *');
  const included = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;

  async function copy(args: string, to: Stage): Promise<void> {
    const words = args.split(/\s+/);
    const from = words[0]?.startsWith('--from=') ? stages.get(words.shift()?.slice(7) ?? '') : undefined;
    const target = words.pop() ?? '';
    for (const source of words) {
      if (!from && !included.some((path) => `${source}/`.startsWith(`${path}/`)))
        throw new Error(`.dockerignore excludes ${source}`);
      const base = path.join(from?.root ?? context, source);
      const destination = path.resolve(
        to.root + to.workdir,
        target,
        target.endsWith('/') ? path.basename(source) : '',
      );
      await cp(base, destination, { recursive: true, verbatimSymlinks: true });
    }
  }

  for (const [, instruction = '', args = ''] of (await readFile(path.join(context, 'Dockerfile'), 'utf8'))
    .replace(/\\\n/g, ' ')
    .matchAll(/^([A-Z]+)\s+(.+)$/gm)) {
    if (instruction === 'FROM') {
      const name = / AS (\w+)$/.exec(args)?.[1] ?? String(stages.size);
      stage = { root: path.join(home, name), workdir: '/', user: 'root', env: {}, cmd: [], healthcheck: [] };
      stages.set(name, stage);
      await mkdir(stage.root, { recursive: true });
      continue;
    }
    if (!stage) throw new Error(`expected FROM first, but got: ${instruction}`);
    if (instruction === 'WORKDIR') {
      stage.workdir = args;
      await mkdir(stage.root + args, { recursive: true });
    } else if (instruction === 'COPY') await copy(args, stage);
    else if (instruction === 'RUN') {
      const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...stage.env };
      await execute('sh', ['-ec', args], { cwd: stage.root + stage.workdir, env });
    } else if (instruction === 'ENV') {
      for (const pair of args.split(/\s+/)) stage.env[pair.split('=')[0] ?? ''] = pair.split('=')[1] ?? '';
    } else if (instruction === 'USER') stage.user = args;
    else if (instruction === 'CMD') stage.cmd = JSON.parse(args);
    else if (instruction === 'HEALTHCHECK') stage.healthcheck = JSON.parse(args.replace(/^.*?CMD /, ''));
    else if (instruction !== 'EXPOSE') throw new Error(`cannot replay: ${instruction}`);
  }
  if (!stage) throw new Error('expected a FROM');
  const { root, workdir, user, env, cmd, healthcheck } = stage;
  return {
    workdir: root + workdir,
    user,
    env,
    cmd,
    healthcheck,
    remove: () => rm(home, { recursive: true, force: true }),
  };
}
