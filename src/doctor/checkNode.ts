import type { Finding } from './finding.ts';

/** The oldest Node that the program runs on, as in package.json. */
export const OLDEST_NODE = '20.19.0';

/** Checks the version of Node, such as `20.19.0`. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE.split('.').map(Number);
  const isNewEnough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  if (isNewEnough) return { part: 'Node', state: 'ok', found: version };
  const advice = `Install Node ${OLDEST_NODE} or newer`;
  return { part: 'Node', state: 'fix', found: `${version} is too old`, advice };
}
