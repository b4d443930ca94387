/* eslint-disable */
/* prettier-ignore */

export type introspection_types = {
    'Boolean': unknown;
    'ChartSnapshot': { kind: 'OBJECT'; name: 'ChartSnapshot'; fields: { 'knownRanks': { name: 'knownRanks'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null; }; } }; 'takenAt': { name: 'takenAt'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null; }; } }; }; };
    'CountryCode': unknown;
    'Creator': { kind: 'OBJECT'; name: 'Creator'; fields: { 'handle': { name: 'handle'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null; }; } }; 'url': { name: 'url'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'URL'; ofType: null; }; } }; }; };
    'Date': unknown;
    'DateTime': unknown;
    'ID': unknown;
    'Int': unknown;
    'Node': { kind: 'INTERFACE'; name: 'Node'; fields: { 'id': { name: 'id'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null; }; } }; }; possibleTypes: 'TrendingVideo'; };
    'PageInfo': { kind: 'OBJECT'; name: 'PageInfo'; fields: { 'endCursor': { name: 'endCursor'; type: { kind: 'SCALAR'; name: 'String'; ofType: null; } }; 'hasNextPage': { name: 'hasNextPage'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null; }; } }; 'hasPreviousPage': { name: 'hasPreviousPage'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null; }; } }; 'startCursor': { name: 'startCursor'; type: { kind: 'SCALAR'; name: 'String'; ofType: null; } }; }; };
    'Query': { kind: 'OBJECT'; name: 'Query'; fields: { '_entities': { name: '_entities'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'LIST'; name: never; ofType: { kind: 'UNION'; name: '_Entity'; ofType: null; }; }; } }; '_service': { name: '_service'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: '_Service'; ofType: null; }; } }; 'node': { name: 'node'; type: { kind: 'INTERFACE'; name: 'Node'; ofType: null; } }; 'nodes': { name: 'nodes'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'LIST'; name: never; ofType: { kind: 'INTERFACE'; name: 'Node'; ofType: null; }; }; } }; 'trendingVideo': { name: 'trendingVideo'; type: { kind: 'OBJECT'; name: 'TrendingVideo'; ofType: null; } }; 'trendingVideos': { name: 'trendingVideos'; type: { kind: 'OBJECT'; name: 'TrendingVideoConnection'; ofType: null; } }; 'trendingVideosByItemId': { name: 'trendingVideosByItemId'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'LIST'; name: never; ofType: { kind: 'OBJECT'; name: 'TrendingVideo'; ofType: null; }; }; } }; }; };
    'RankMovement': { name: 'RankMovement'; enumValues: 'UP' | 'DOWN' | 'SAME' | 'NEW'; };
    'RankPoint': { kind: 'OBJECT'; name: 'RankPoint'; fields: { 'date': { name: 'date'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Date'; ofType: null; }; } }; 'rank': { name: 'rank'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null; }; } }; }; };
    'SafeInt': unknown;
    'String': unknown;
    'TrendingOrder': { name: 'TrendingOrder'; enumValues: 'VIEWS' | 'LIKES' | 'COMMENTS' | 'REPOSTS'; };
    'TrendingPeriod': { name: 'TrendingPeriod'; enumValues: 'LAST_7_DAYS' | 'LAST_30_DAYS' | 'LAST_120_DAYS'; };
    'TrendingVideo': { kind: 'OBJECT'; name: 'TrendingVideo'; fields: { 'countryCode': { name: 'countryCode'; type: { kind: 'SCALAR'; name: 'CountryCode'; ofType: null; } }; 'cover': { name: 'cover'; type: { kind: 'SCALAR'; name: 'URL'; ofType: null; } }; 'coverExpiresAt': { name: 'coverExpiresAt'; type: { kind: 'SCALAR'; name: 'DateTime'; ofType: null; } }; 'creator': { name: 'creator'; type: { kind: 'OBJECT'; name: 'Creator'; ofType: null; } }; 'duration': { name: 'duration'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null; }; } }; 'id': { name: 'id'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null; }; } }; 'itemId': { name: 'itemId'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null; }; } }; 'itemUrl': { name: 'itemUrl'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'URL'; ofType: null; }; } }; 'region': { name: 'region'; type: { kind: 'SCALAR'; name: 'String'; ofType: null; } }; 'stats': { name: 'stats'; type: { kind: 'OBJECT'; name: 'VideoStats'; ofType: null; } }; 'title': { name: 'title'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null; }; } }; }; };
    'TrendingVideoConnection': { kind: 'OBJECT'; name: 'TrendingVideoConnection'; fields: { 'comparedWith': { name: 'comparedWith'; type: { kind: 'OBJECT'; name: 'ChartSnapshot'; ofType: null; } }; 'edges': { name: 'edges'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'LIST'; name: never; ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'TrendingVideoEdge'; ofType: null; }; }; }; } }; 'fetchedAt': { name: 'fetchedAt'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null; }; } }; 'nodes': { name: 'nodes'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'LIST'; name: never; ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'TrendingVideo'; ofType: null; }; }; }; } }; 'pageInfo': { name: 'pageInfo'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'PageInfo'; ofType: null; }; } }; 'stale': { name: 'stale'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null; }; } }; 'totalCount': { name: 'totalCount'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null; }; } }; }; };
    'TrendingVideoEdge': { kind: 'OBJECT'; name: 'TrendingVideoEdge'; fields: { 'cursor': { name: 'cursor'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null; }; } }; 'history': { name: 'history'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'LIST'; name: never; ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'RankPoint'; ofType: null; }; }; }; } }; 'movement': { name: 'movement'; type: { kind: 'ENUM'; name: 'RankMovement'; ofType: null; } }; 'node': { name: 'node'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'TrendingVideo'; ofType: null; }; } }; 'previousRank': { name: 'previousRank'; type: { kind: 'SCALAR'; name: 'Int'; ofType: null; } }; 'rank': { name: 'rank'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null; }; } }; }; };
    'URL': unknown;
    'VideoStats': { kind: 'OBJECT'; name: 'VideoStats'; fields: { 'comments': { name: 'comments'; type: { kind: 'SCALAR'; name: 'SafeInt'; ofType: null; } }; 'favorites': { name: 'favorites'; type: { kind: 'SCALAR'; name: 'SafeInt'; ofType: null; } }; 'fetchedAt': { name: 'fetchedAt'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null; }; } }; 'likes': { name: 'likes'; type: { kind: 'SCALAR'; name: 'SafeInt'; ofType: null; } }; 'publishedAt': { name: 'publishedAt'; type: { kind: 'SCALAR'; name: 'DateTime'; ofType: null; } }; 'shares': { name: 'shares'; type: { kind: 'SCALAR'; name: 'SafeInt'; ofType: null; } }; 'stale': { name: 'stale'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null; }; } }; 'views': { name: 'views'; type: { kind: 'SCALAR'; name: 'SafeInt'; ofType: null; } }; }; };
    '_Any': unknown;
    '_Entity': { kind: 'UNION'; name: '_Entity'; fields: {}; possibleTypes: 'TrendingVideo'; };
    '_Service': { kind: 'OBJECT'; name: '_Service'; fields: { 'sdl': { name: 'sdl'; type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null; }; } }; }; };
};

/** An IntrospectionQuery representation of your schema.
 *
 * @remarks
 * This is an introspection of your schema saved as a file by GraphQLSP.
 * It will automatically be used by `gql.tada` to infer the types of your GraphQL documents.
 * If you need to reuse this data or update your `scalars`, update `tadaOutputLocation` to
 * instead save to a .ts instead of a .d.ts file.
 */
export type introspection = {
  name: never;
  query: 'Query';
  mutation: never;
  subscription: never;
  types: introspection_types;
};

import * as gqlTada from 'gql.tada';

declare module 'gql.tada' {
  interface setupSchema {
    introspection: introspection
  }
}