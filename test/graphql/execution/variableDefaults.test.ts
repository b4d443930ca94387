import { expect, it } from '@jest/globals';
import { getOperationAST, parse } from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import { requiredDefaults } from '../../../src/graphql/execution/variableDefaults.ts';
import { createSchema } from '../../../src/graphql/schema/createSchema.ts';

const DOCUMENT = parse(
  `query ($region: CountryCode! = "GB", $orderBy: TrendingOrder! = LIKES, $first: Int! = 0, $last: Int = 3, $after: String) {
    trendingVideos(region: $region, orderBy: $orderBy, first: $first, last: $last, after: $after) { __typename }
  }`,
);

it('finds the defaults that compiled code needs to be called with', async () => {
  const operation = getOperationAST(DOCUMENT);
  const compiled = compileQuery(createSchema(), DOCUMENT);
  if (!isCompiledQuery(compiled) || !operation) throw new Error('it cannot be compiled');
  const defaults = requiredDefaults(operation);
  expect(defaults).toEqual({ region: 'GB', orderBy: 'LIKES', first: 0 });
  expect(await compiled.query({}, {}, {})).toMatchObject({ errors: expect.any(Array) });
  expect(await compiled.query({}, {}, defaults)).toEqual({
    data: { trendingVideos: { __typename: 'TrendingVideoConnection' } },
  });
});

it('leaves out a default whose digits a number would lose', () => {
  const operation = getOperationAST(
    parse(
      'query ($id: ID! = 7933310081972815260, $ids: [ID!]! = [1, 7933310081972815260], $other: ID! = 7) { __typename }',
    ),
  );
  expect(operation && requiredDefaults(operation)).toEqual({ other: 7 });
});
