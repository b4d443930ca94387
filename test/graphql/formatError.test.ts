import { expect, it } from '@jest/globals';
import { GraphQLError } from 'graphql';
import { createFormatError } from '../../src/graphql/formatError.ts';

it('tells a client nothing of an error that nobody foresaw, and hands it to the log', () => {
  const unexpected: unknown[] = [];
  const formatError = createFormatError({
    hints: true,
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
