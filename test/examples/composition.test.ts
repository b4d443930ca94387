import { describe, expect, it } from '@jest/globals';
import { concatAST, type DocumentNode, parse } from 'graphql';
import { composeSupergraph, type Subgraph } from '../../examples/wider-graph/federation/composeSupergraph.ts';
import { readSdl } from '../../examples/wider-graph/readSdl.ts';

const subgraph = (name: string, typeDefs: DocumentNode): Subgraph => ({
  name,
  url: `http://${name}.example/graphql`,
  typeDefs,
});
const trendingVideos = subgraph('trending-videos', await readSdl('../../schema/subgraph.graphql'));
const reviews = subgraph('reviews', await readSdl('reviews/subgraph.graphql'));
const collections = subgraph('collections', await readSdl('collections/subgraph.graphql'));

describe('the subgraph composes, without a remark,', () => {
  it.each<[string, readonly Subgraph[]]>([
    ['alone', []],
    ['with one that adds fields to TrendingVideo', [reviews]],
    ['with one that has a Node, a `node`, a PageInfo and a Creator of its own', [collections]],
    ['with both', [reviews, collections]],
  ])('%s', (_name, others) => {
    const { sdl, hints } = composeSupergraph([trendingVideos, ...others]);
    expect(hints).toEqual([]);
    expect(sdl.match(/^ {2}@join__type\(graph: TRENDING_VIDEOS, key: "(?:itemId|id)"\)$/gm)).toHaveLength(2);
  });
});

describe('the subgraph does not compose', () => {
  it('when it has a `node` beside that of another', () => {
    const node = parse('extend type Query { node(id: ID!): Node }');
    const withNode = subgraph('trending-videos', concatAST([trendingVideos.typeDefs, node]));
    expect(() => composeSupergraph([withNode, collections])).toThrow(
      'Non-shareable field "Query.node" is resolved from multiple subgraphs',
    );
  });

  it.each(['PageInfo', 'Creator'])('when the other one says nothing of sharing its %s', (type) => {
    const typeDefs = structuredClone(collections.typeDefs);
    const unshared = {
      ...typeDefs,
      definitions: typeDefs.definitions.map((definition) =>
        definition.kind === 'ObjectTypeDefinition' && definition.name.value === type
          ? { ...definition, directives: [] }
          : definition,
      ),
    };
    expect(() => composeSupergraph([trendingVideos, subgraph('collections', unshared)])).toThrow(
      `Non-shareable field "${type}.`,
    );
  });
});
