import { describe, expect, it } from '@jest/globals';
import { type OperationDefinitionNode, parse, validate } from 'graphql';
import { worstCaseCredits } from '../../../src/graphql/limits/operationCost.ts';
import { createSchema } from '../../../src/graphql/schema/createSchema.ts';

const schema = createSchema();
const NODES = '{ nodes { itemId } }';

function creditsOf(text: string, variables: Record<string, unknown> = {}): number {
  const document = parse(text);
  expect(validate(schema, document)).toEqual([]);
  const [operation] = document.definitions.filter(
    (node): node is OperationDefinitionNode => node.kind === 'OperationDefinition',
  );
  if (!operation) throw new Error('expected an operation');
  return worstCaseCredits({ schema, document, operation, variables });
}

describe('worstCaseCredits', () => {
  it.each([
    ['', 2],
    ['(first: 1)', 2],
    ['(first: 20)', 2],
    ['(first: 21)', 4],
    ['(first: 100)', 10],
    ['(first: 20, after: "x")', 4],
    ['(first: 100, after: "x", before: "y")', 12],
    ['(after: "")', 2],
    ['(after: null, first: null)', 2],
    ['(last: 1)', 6],
    ['(last: 20)', 6],
    ['(last: 100)', 14],
    ['(last: 20, before: "x")', 4],
    ['(last: 20, after: "x")', 6],
    ['(first: 60, last: 10)', 6],
    ['(first: 10, last: 60)', 2],
    ['(first: 0)', 0],
    ['(first: 0, after: "x")', 2],
    // The field refuses these when it is executed, before anything is spent.
    ['(first: 101)', 0],
    ['(last: 2000000)', 0],
    ['(first: -5)', 0],
  ])('counts the pages of a window: trendingVideos%s could cost %i', (args, credits) => {
    expect(creditsOf(`{ trendingVideos${args} ${NODES} }`)).toBe(credits);
  });

  it.each([
    ['{ __typename }', 0],
    ['{ pageInfo { __typename } }', 0],
    ['{ totalCount }', 2],
    ['{ stale fetchedAt }', 2],
    ['{ pageInfo { hasNextPage } }', 2],
    ['{ pageInfo { endCursor } }', 12],
    ['{ edges { rank } }', 12],
    ['{ edges @skip(if: true) { rank } }', 0],
  ])('follows the selection: %s could cost %i', (selection, credits) => {
    expect(creditsOf(`{ trendingVideos(first: 100, after: "x") ${selection} }`)).toBe(credits);
  });

  it('counts at most one page for facts, even for those of an empty window', () => {
    expect(creditsOf('{ trendingVideos(first: 0) { totalCount nodes { itemId } } }')).toBe(2);
    expect(creditsOf('{ trendingVideos(last: 100) { totalCount } }')).toBe(2);
  });

  it('adds up aliases as if they shared no pages, and counts a repeated field once', () => {
    expect(creditsOf(`{ a: trendingVideos ${NODES} b: trendingVideos ${NODES} }`)).toBe(4);
    expect(creditsOf(`{ trendingVideos { totalCount } trendingVideos ${NODES} }`)).toBe(2);
  });

  it('includes fragments, named and inline, at any depth', () => {
    const text = `
      query { ...A ... on Query { b: trendingVideos(first: 40) { ...C } } }
      fragment A on Query { ...B a: trendingVideos(first: 20) { ...C } }
      fragment B on Query { c: trendingVideos(first: 60) { ... { ...C } } }
      fragment C on TrendingVideoConnection { nodes { itemId } }`;
    expect(creditsOf(text)).toBe(2 + 4 + 6);
  });

  it('applies variables, their defaults, and @skip and @include', () => {
    const text = `query ($first: Int = 40, $skip: Boolean!) {
      a: trendingVideos(first: $first) ${NODES}
      b: trendingVideos(first: 100) @skip(if: $skip) ${NODES}
      c: trendingVideos(first: 60) @include(if: $skip) ${NODES}
    }`;
    expect(creditsOf(text, { skip: true })).toBe(4 + 6);
    expect(creditsOf(text, { skip: false, first: 100 })).toBe(10 + 10);
  });

  it('counts nothing for an operation that cannot be executed', () => {
    const text = `query ($first: Int!) { trendingVideos(first: $first) ${NODES} }`;
    expect(creditsOf(text, {})).toBe(0);
    expect(creditsOf(text, { first: 'many' })).toBe(0);
  });

  it.each([
    ['trendingVideos(first: 0)', 0],
    ['trendingVideos(first: 10)', 2 + 1],
    ['trendingVideos(first: 11)', 2 + 2],
    ['trendingVideos', 2 + 2],
    ['trendingVideos(first: 100, after: "x")', 12 + 10],
    ['trendingVideos(last: 100)', 14 + 10],
    ['trendingVideos(first: 60, last: 5)', 6 + 1],
    ['trendingVideos(first: 5, last: 60)', 2 + 1],
    ['trendingVideos(first: 101)', 0],
  ])(
    'adds a credit for every 10 videos begun of a window with numbers: %s could cost %i',
    (field, credits) => {
      expect(creditsOf(`{ ${field} { nodes { stats { views } } } }`)).toBe(credits);
      expect(
        creditsOf(
          `{ ${field} { edges { node { ...V } } } } fragment V on TrendingVideo { s: stats { likes } }`,
        ),
      ).toBe(credits);
    },
  );

  it.each([
    ['trendingVideo(itemId: "1")', 1],
    ['trendingVideosByItemId(itemIds: $ids)', 2],
    ['node(id: "x")', 1],
    ['nodes(ids: $ids)', 2],
  ])('adds a credit for every 10 ids begun with numbers: %s could cost %i', (field, credits) => {
    const variables = { ids: Array.from({ length: 11 }, String) };
    const declared = field.includes('$ids') ? 'query ($ids: [ID!]!) ' : '';
    const select = (selection: string): number =>
      creditsOf(`${declared}{ ${field} { ... on TrendingVideo { ${selection} } } }`, variables);
    expect(select('stats { views }')).toBe(credits);
    expect(select('itemId')).toBe(0);
    expect(select('stats { __typename }')).toBe(0);
    expect(select('stats @skip(if: true) { views }')).toBe(0);
  });

  it('counts no numbers where only the facts of a window are selected', () => {
    const fragment = 'fragment S on TrendingVideo { stats { views } }';
    expect(creditsOf(`{ trendingVideos { totalCount nodes @skip(if: true) { ...S } } } ${fragment}`)).toBe(2);
  });

  it('counts nothing for introspection', () => {
    expect(creditsOf('{ __schema { types { name } } __typename }')).toBe(0);
  });

  it('stays fast, however fragments are nested', () => {
    const fragments = Array.from(
      { length: 25 },
      (_, index) => `fragment F${index} on Query { ...F${index + 1} ...F${index + 1} }`,
    );
    const text = `{ ...F0 } ${fragments.join('\n')} fragment F25 on Query { trendingVideos ${NODES} }`;
    expect(creditsOf(text)).toBe(2);
  });
});
