import type { EnvironmentFile } from '../config/environment.ts';
import { listFileSettings } from '../config/fileSettings.ts';
import type { Finding } from './finding.ts';

const PART = '.env';
/** Node and the OpenTelemetry SDK read them from the environment alone. */
const READ_BY_OTHERS = /^(NODE_OPTIONS|NODE_EXTRA_CA_CERTS|OTEL_[A-Z_]+)$/;

/** Says which file was read, and what in it has no effect. */
export function describeFile(file: EnvironmentFile): Finding[] {
  const { used, hidden } = listFileSettings(file);
  const count = used.length + hidden.length;
  const found = `${file.path} has ${count === 1 ? '1 setting' : `${count || 'no'} settings`}`;
  const findings: Finding[] = [{ part: PART, state: 'ok', found }];
  if (hidden.length > 0) {
    findings.push({
      part: PART,
      state: 'note',
      found: `not used, because the environment has them too: ${hidden.join(', ')}`,
      advice: 'Unset them in the environment: there, even an empty variable takes precedence over the file',
    });
  }
  const others = Object.keys(file.variables).filter((name) => READ_BY_OTHERS.test(name));
  if (others.length > 0) {
    findings.push({
      part: PART,
      state: 'note',
      found: `no effect in a file: ${others.join(', ')}`,
      advice: 'Set them in the environment: only settings are read from the file',
    });
  }
  return findings;
}
