import { expect, it } from '@jest/globals';
import { GraphQLError } from 'graphql';
import { loadConfig } from '../../../src/config/loadConfig.ts';
import { createFormatError } from '../../../src/graphql/execution/formatError.ts';

const { documentLimits: limits } = loadConfig({});

it('hides an unexpected error from clients, and reports it to onUnexpected', () => {
  const unexpected: unknown[] = [];
  const formatError = createFormatError({
    hints: true,
    limits,
    onUnexpected: (error) => void unexpected.push(error),
  });
  const bug = new TypeError('cannot read secret of undefined');
  const formatted = {
    message: bug.message,
    path: ['trendingVideos'],
    locations: [{ line: 1, column: 1 }],
    extensions: { code: 'INTERNAL_SERVER_ERROR', stacktrace: ['at secret'] },
  };
  expect(
    formatError(formatted, new GraphQLError(bug.message, { path: ['trendingVideos'], originalError: bug })),
  ).toEqual({
    message: 'Internal server error',
    path: ['trendingVideos'],
    locations: [{ line: 1, column: 1 }],
    extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: false },
  });
  expect(unexpected).toEqual([bug]);
});

it('removes hints about the schema from messages when hints are off, and leaves other long messages alone', () => {
  const format = (message: string, hints: boolean): string =>
    createFormatError({ hints, limits, onUnexpected: () => undefined })(
      { message, extensions: { code: 'BAD_USER_INPUT' } },
      new GraphQLError(message),
    ).message;
  const hint = 'Value "VIEW" does not exist in "TrendingOrder" enum. Did you mean the enum value "VIEWS"?';
  expect(format(hint, true)).toBe(hint);
  expect(format(hint, false)).toBe('Value "VIEW" does not exist in "TrendingOrder" enum.');
  const long = `${'Did you mean '.repeat(80_000)}!`;
  expect(format(long, false)).toBe(long);
});
