import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { concatAST, type DocumentNode, parse } from 'graphql';
import {
  composeSupergraph,
  type Subgraph,
} from '../../../examples/wider-graph/federation/composeSupergraph.ts';
import { readSdl } from '../../../examples/wider-graph/readSdl.ts';
import { findBlocks } from '../../support/examples.ts';

const subgraph = (name: string, typeDefs: DocumentNode): Subgraph => ({
  name,
  url: `http://${name}.example/graphql`,
  typeDefs,
});
const trendingVideos = subgraph('trending-videos', await readSdl('../../schema/subgraph.graphql'));
const reviews = subgraph('reviews', await readSdl('reviews/subgraph.graphql'));
const collections = subgraph('collections', await readSdl('collections/subgraph.graphql'));
/** Another subgraph, with these definitions. */
const other = (sdl: string) =>
  subgraph(
    'other',
    parse(`
      extend schema @link(
        url: "https://specs.apollo.dev/federation/v2.3"
        import: ["@external", "@key", "@provides", "@requires", "@shareable"]
      )
      scalar URL
      ${sdl}`),
  );

describe('the subgraph composes without hints:', () => {
  it.each<[string, readonly Subgraph[]]>([
    ['alone', []],
    ['with one that adds fields to TrendingVideo', [reviews]],
    ['with one that has its own Node, `node`, PageInfo and Creator', [collections]],
    ['with both', [reviews, collections]],
  ])('%s', (_name, others) => {
    const { sdl, hints } = composeSupergraph([trendingVideos, ...others]);
    expect(hints).toEqual([]);
    expect(sdl.match(/^ {2}@join__type\(graph: TRENDING_VIDEOS, key: "(?:itemId|id)"\)$/gm)).toHaveLength(2);
  });
});

describe('the subgraph composes', () => {
  it('with one that has the Creator of docs/wider-graph.md and a field that returns it', async () => {
    const blocks = findBlocks(await readFile('docs/wider-graph.md', 'utf8'));
    const creator = blocks.find(({ text }) => text.startsWith('type Creator @key'))?.text;
    const { hints } = composeSupergraph([
      trendingVideos,
      other(`${creator} type Query { sponsored: [Creator!]! }`),
    ]);
    expect(hints).toEqual([expect.stringMatching(/^\[INCONSISTENT_ENTITY\]: Type "Creator" /)]);
  });

  it('with one whose fields require fields of TrendingVideo', () => {
    const { hints } = composeSupergraph([
      trendingVideos,
      other(`
        type TrendingVideo @key(fields: "itemId") {
          itemId: ID!
          title: String! @external
          language: String @requires(fields: "title")
        }
        type Query { translated: [TrendingVideo]! }`),
    ]);
    expect(hints).toEqual([]);
  });
});

describe('the subgraph does not compose', () => {
  it('when it has a `node` and another subgraph has one too', () => {
    const node = parse('extend type Query { node(id: ID!): Node }');
    const withNode = subgraph('trending-videos', concatAST([trendingVideos.typeDefs, node]));
    expect(() => composeSupergraph([withNode, collections])).toThrow(
      'Non-shareable field "Query.node" is resolved from multiple subgraphs',
    );
  });

  it.each([
    [
      'has an additional field in its PageInfo',
      `type PageInfo @shareable {
        hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String total: Int
      }
      type Query { page: PageInfo }`,
      'cannot find field "PageInfo.total"',
    ],
    [
      'lacks a field in its PageInfo',
      'type PageInfo @shareable { hasNextPage: Boolean! endCursor: String } type Query { page: PageInfo }',
      'cannot find field "PageInfo.hasPreviousPage"',
    ],
    [
      'has a String for the url of its Creator',
      'type Creator @shareable { handle: String! url: String! } type Query { creator: Creator }',
      'Type of field "Creator.url" is incompatible across subgraphs',
    ],
    [
      'has a Node with more fields than id',
      `interface Node { id: ID! at: String } type Thing implements Node { id: ID! at: String }
      type Query { thing: Thing }`,
      'Interface field "Node.at" is declared in subgraph "other" but type "TrendingVideo"',
    ],
    [
      'provides fields of TrendingVideo',
      `type TrendingVideo @key(fields: "itemId") { itemId: ID! title: String! @external }
      type Query { newest: TrendingVideo @provides(fields: "title") }`,
      'Non-shareable field "TrendingVideo.title" is resolved from multiple subgraphs',
    ],
    [
      'has a TrendingVideoConnection, even a shareable one',
      `type TrendingVideo @key(fields: "itemId") { itemId: ID! }
      type TrendingVideoConnection @shareable { nodes: [TrendingVideo!]! }
      type Query { favourites: TrendingVideoConnection }`,
      'Non-shareable field "TrendingVideoConnection.nodes" is resolved from multiple subgraphs',
    ],
  ])('when the other one %s', (_what, sdl, message) => {
    expect(() => composeSupergraph([trendingVideos, other(sdl)])).toThrow(message);
  });

  it.each(['PageInfo', 'Creator'])('when the %s of the other one is not @shareable', (type) => {
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
