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

All settings come from environment variables and are validated at the start: the server logs all problems at once, with the values
that came unless they are secret, and exits with 1. A variable that is set to nothing counts as unset. A name that is almost that of
a setting is a problem too (\`CACHE_TTL_SECOND\`). \`npm run doctor\` checks the settings and everything that they name.

Server, doctor and emulator also read the file \`.env\` of the folder that they are started in;
[\`.env.example\`](../.env.example) is a template. A variable of the environment takes precedence, even an empty one: the image
sets \`NODE_ENV\`, \`HOST\` and \`PORT\`. In the file every value is on one line, and one with a \`#\` needs quotes. In the
environment quotes are a part of the value, and refused: a shell removes them, \`docker run --env-file\` does not. Only settings are
read from the file: \`NODE_OPTIONS\`, \`NODE_EXTRA_CA_CERTS\` and \`OTEL_...\` have no effect there. It may be a pipe, else it is a
regular file of up to 1 MB.
`;

const ENV_INTRODUCTION = `# Every setting with its default. Generated from src/config/settings.ts by npm run docs.
# Copy it to .env, in the folder that the server is started in, and remove the # before what you change.
# The environment takes precedence. A variable that is set to nothing counts as unset.
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
