import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: 'http://localhost:4000/graphql',
  documents: ['src/**/*.ts', '!src/gql/**'],
  generates: {
    'src/gql/': {
      preset: 'client',
      config: {
        scalars: {
          CountryCode: 'string',
          Date: 'string',
          DateTime: 'string',
          ID: 'string',
          SafeInt: 'number',
          URL: 'string',
          // Only in a running server's schema: gateways use it.
          _Any: 'unknown',
        },
        strictScalars: true,
        enumType: 'string-literal',
        useTypeImports: true,
        importExtension: '.ts',
      },
    },
  },
};

export default config;
