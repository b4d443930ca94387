/**
 * The product's types and fields for the peers. Links, dates and countries are plain strings, which favours the
 * peers: a custom scalar takes one more call for each value. The only scalar is the type of an argument, so that
 * all servers accept the same documents.
 */
export const typeDefs = /* GraphQL */ `
  type Query {
    trendingVideos(
      region: CountryCode! = "US"
      period: TrendingPeriod! = LAST_7_DAYS
      orderBy: TrendingOrder! = VIEWS
      first: Int
      after: String
      last: Int
      before: String
    ): TrendingVideoConnection
  }

  scalar CountryCode

  enum TrendingPeriod {
    LAST_7_DAYS
    LAST_30_DAYS
    LAST_120_DAYS
  }

  enum TrendingOrder {
    VIEWS
    LIKES
    COMMENTS
    REPOSTS
  }

  type TrendingVideoConnection {
    edges: [TrendingVideoEdge!]!
    nodes: [TrendingVideo!]!
    pageInfo: PageInfo!
    totalCount: Int!
    fetchedAt: String!
    stale: Boolean!
  }

  type TrendingVideoEdge {
    cursor: String!
    node: TrendingVideo!
    rank: Int!
  }

  interface Node {
    id: ID!
  }

  type TrendingVideo implements Node {
    id: ID!
    itemId: ID!
    itemUrl: String!
    title: String!
    cover: String
    coverExpiresAt: String
    duration: Int!
    region: String
    countryCode: String
    creator: Creator
    stats: VideoStats
  }

  type VideoStats {
    views: Float
    likes: Float
    comments: Float
    shares: Float
    favorites: Float
    publishedAt: String
    fetchedAt: String!
    stale: Boolean!
  }

  type Creator {
    handle: String!
    url: String!
  }

  type PageInfo {
    hasNextPage: Boolean!
    hasPreviousPage: Boolean!
    startCursor: String
    endCursor: String
  }
`;
