import { graphql } from './gql/gql.ts';

export const CHART = graphql(`
  query Chart($region: CountryCode!, $first: Int!) {
    trendingVideos(region: $region, first: $first) {
      fetchedAt
      edges {
        rank
        movement
        history(days: 1) { date rank }
        node { id itemUrl title countryCode stats { views publishedAt } }
      }
    }
  }
`);
