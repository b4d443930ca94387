import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { CHART } from './client-preset/src/documents.ts';
import type { ErrorExtensions, ResponseExtensions } from './extensions.ts';

interface GraphqlResponse<TData> {
  readonly data?: TData | null;
  readonly errors?: readonly { readonly message: string; readonly extensions: ErrorExtensions }[];
  readonly extensions: ResponseExtensions;
}

async function post<TData, TVariables>(
  document: TypedDocumentNode<TData, TVariables>,
  variables: TVariables,
): Promise<GraphqlResponse<TData>> {
  const response = await fetch('http://localhost:4000/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: print(document), variables }),
  });
  return (await response.json()) as GraphqlResponse<TData>;
}

const { data, errors = [], extensions } = await post(CHART, { region: 'US', first: 2 });
for (const { rank, node } of data?.trendingVideos?.edges ?? []) {
  console.log(`${rank}. ${node.title}, views: ${node.stats?.views?.toLocaleString('en')}`);
}
for (const error of errors) console.log(error.extensions.code, error.message);
const { credits, pages, stats } = extensions.upstream;
console.log(`${credits} credits, pages fetched: ${pages.fetched}, numbers fetched: ${stats?.fetched}`);
