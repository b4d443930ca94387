import { SETTINGS, type Setting } from './settings.ts';

/** A setting with its name. */
interface NamedSetting extends Setting {
  readonly name: string;
}

/** Renders `docs/configuration.md`: the settings in a table for each group. */
export function toConfigurationMarkdown(): string {
  const sections = groupSettings().map(({ group, settings }) => {
    const rows = settings.map((setting) => `| ${toCells(setting).join(' | ')} |`);
    return [
      `## ${group}`,
      '',
      '| variable | default | expected | meaning |',
      '| --- | --- | --- | --- |',
      ...rows,
    ].join('\n');
  });
  return `${INTRODUCTION}\n${sections.join('\n\n')}\n`;
}

/** Renders `.env.example`: the settings with their defaults, below their descriptions. */
export function toEnvExample(): string {
  const sections = groupSettings().map(({ group, settings }) =>
    [`# --- ${group} ---`, ...settings.filter(isForFile).map(toEnvLines)].join('\n\n'),
  );
  return `${ENV_INTRODUCTION}\n${sections.join('\n\n')}\n`;
}

const INTRODUCTION = `# Configuration

<!-- Generated from src/config/settings.ts by npm run docs. -->

All settings come from environment variables. The server validates them when it starts: it logs all problems at once, with the
invalid values unless they are secret, and exits with code 1. An empty variable counts as unset. A variable whose name is almost that
of a setting, such as \`CACHE_TTL_SECOND\`, is a problem too. \`npm run doctor\` checks the settings, and the files and services that
they refer to.

The server, the doctor and the emulator also read a file \`.env\` in the folder in which they are started;
[\`.env.example\`](../.env.example) is a template. Environment variables take precedence over the file, even if they are empty; the
image sets \`NODE_ENV\`, \`HOST\` and \`PORT\`. In the file, each value must be on one line, and a value that contains \`#\` needs quotes.
In the environment, quotes are a part of the value, and the server refuses them: a shell removes quotes, \`docker run --env-file\` does
not. The file may contain only settings: \`NODE_OPTIONS\`, \`NODE_EXTRA_CA_CERTS\` and \`OTEL_...\` have no effect there. It may be a
regular file of up to 1 MB, or a pipe.
`;

const ENV_INTRODUCTION = `# Every setting with its default. Generated from src/config/settings.ts by npm run docs.
# Copy this file to .env in the folder in which the server is started, and remove the # before each setting that you change.
# Environment variables take precedence over the file. An empty variable counts as unset.
`;

const WIDTH = 120;

function groupSettings(): { readonly group: string; readonly settings: readonly NamedSetting[] }[] {
  const settings = Object.entries<Setting>(SETTINGS).map(([name, setting]) => ({ name, ...setting }));
  const groups = [...new Set(settings.map(({ group }) => group))];
  return groups.map((group) => ({ group, settings: settings.filter((setting) => setting.group === group) }));
}

/** The image sets `NODE_ENV`: an empty value in a file of variables would turn production off. */
function isForFile({ name }: NamedSetting): boolean {
  return name !== 'NODE_ENV';
}

function toCells({ name, type, default: fallback, unset = '', description }: NamedSetting): string[] {
  return [`\`${name}\``, fallback === undefined ? unset : `\`${fallback}\``, type.expected, description];
}

function toEnvLines({ name, type, default: fallback = '', unset, description }: NamedSetting): string {
  const whenUnset = unset === undefined ? '' : ` Unset: ${unset}.`;
  const comment = `${description} Expected: ${type.expected}.${whenUnset}`.replaceAll('`', '');
  return [...wrap(comment).map((line) => `# ${line}`), `#${name}=${fallback}`].join('\n');
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && `# ${line} ${word}`.length > WIDTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
