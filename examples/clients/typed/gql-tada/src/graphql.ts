import { initGraphQLTada } from 'gql.tada';
import type { introspection } from './graphql-env.d.ts';

export const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: {
    CountryCode: string;
    Date: string;
    DateTime: string;
    SafeInt: number;
    URL: string;
  };
}>();
