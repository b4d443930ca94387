import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../../../src/config/loadConfig.ts';
import { BOUNDS } from '../../../../src/data/redis/scripts/script.ts';
import { MAX_TURN_MS } from '../../../../src/data/redis/sharedLimits.ts';
import { toCallPause } from '../../../../src/data/upstream/callPause.ts';
import { FAILURE_SECONDS } from '../../../../src/data/upstream/circuit.ts';
import { WINDOW_MS } from '../../../../src/data/upstream/rateLimit.ts';
import { ApiError, ERROR_CODES, type ErrorCode } from '../../../../src/domain/errors.ts';
import { pageEndpoint } from '../../../../src/domain/page.ts';
import { statsEndpoint } from '../../../../src/domain/videoStats.ts';
import { parseRetryAfter } from '../../../../src/keyapi/retryAfter.ts';

const FOLDER = 'src/data/redis/scripts';

describe('the scripts', () => {
  it('name their keys and arguments in their first lines, and use only the names', async () => {
    const files = (await readdir(FOLDER, { recursive: true })).filter((file) => file.endsWith('.lua'));
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) {
      const lines = (await readFile(path.join(FOLDER, file), 'utf8')).split('\n');
      const positional = lines.filter((line) => /\b(KEYS|ARGV)\b/.test(line));
      expect(positional.filter((line) => !/^local [\w, ]+ = /.test(line))).toEqual([]);
    }
  });
});

describe('the bounds of the scripts', () => {
  it('let the circuit be open for as long as anything asks for', () => {
    const retryAfterSeconds = parseRetryAfter('999999', 0);
    const codes = Object.keys(ERROR_CODES) as ErrorCode[];
    const upstream = { status: 200, code: 0, requestId: null };
    const errors = codes.map((code) => new ApiError(code, { retryAfterSeconds, upstream }));
    const pauses = [pageEndpoint, statsEndpoint].flatMap((endpoint) =>
      errors.map((error) => toCallPause(error, endpoint)?.maxSeconds ?? 0),
    );
    expect(Math.max(...pauses)).toBeGreaterThan(60);
    const longestMs = Math.max(...pauses, FAILURE_SECONDS) * 1000;
    expect(BOUNDS.MAX_PAUSE_MS).toBeGreaterThanOrEqual(longestMs);
  });

  it('let the longest call count from its reservation until its window has passed', () => {
    const longestMs = 600_000;
    const load = (ms: number) => () => loadConfig({ KEYAPI_TIMEOUT_MS: String(ms) });
    expect(load(longestMs)).not.toThrow();
    expect(load(longestMs + 1)).toThrow();
    const afterwardsMs = Math.max(WINDOW_MS, BOUNDS.PROBE_MARGIN_MS);
    expect(BOUNDS.MAX_CALL_MS).toBeGreaterThan(MAX_TURN_MS + longestMs + afterwardsMs);
  });
});
