import { ConfigError, toLine } from '../../src/config/configError.ts';
import { loadConfig } from '../../src/config/loadConfig.ts';

/** What is printed about these environment variables. */
export function problems(variables: Record<string, string>): readonly string[] {
  try {
    loadConfig(variables);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(toLine);
    throw error;
  }
}
