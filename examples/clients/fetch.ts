// Plain fetch: the responses to a valid, a partly failing and an invalid query, with each media type.
import type { ErrorExtensions, ResponseExtensions } from '../../schema/extensions.ts';

const url = process.argv[2] ?? 'http://localhost:4000/graphql';

interface Result {
  readonly data?: Record<string, Chart | null>;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: ErrorExtensions;
  }[];
  readonly extensions: ResponseExtensions;
}

interface Chart {
  readonly edges: readonly { readonly rank: number; readonly node: Video }[];
}

interface Video {
  readonly title: string;
  /** Undefined where it was not selected; null where KeyAPI does not know the video, or its numbers are unavailable. */
  readonly stats?: { readonly views: number | null } | null;
}

async function ask(query: string, accept: string): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query }),
  });
  console.log(`  HTTP ${response.status}, ${response.headers.get('content-type')}`);
  // Only the body says whether there is data: the status can be 200 without any.
  print((await response.json()) as Result);
}

function print({ data = {}, errors = [], extensions }: Result): void {
  for (const [name, chart] of Object.entries(data)) {
    if (chart === null) console.log(`    ${name} is null`);
    for (const { rank, node } of chart?.edges ?? [])
      console.log(`    ${name} ${rank}. ${node.title}${toViews(node)}`);
  }
  for (const { message, path = [], extensions } of errors) {
    console.log(`    ${extensions.code}${path.length > 0 ? ` at ${path.join('.')}` : ''}: ${message}`);
    console.log(`    retryable: ${extensions.retryable}`);
    // One error for all videos of the list: `path` is that of the first of them.
    if (extensions.videos) console.log(`    videos without numbers: ${extensions.videos}`);
  }
  const { credits, pages } = extensions.upstream;
  console.log(`    ${credits} credits; pages fetched: ${pages.fetched}, cached: ${pages.cached}`);
}

function toViews({ stats }: Video): string {
  return stats === undefined ? '' : `, views: ${stats?.views?.toLocaleString('en') ?? 'unknown'}`;
}

const queries = [
  '{ trendingVideos(first: 3) { edges { rank node { title } } } }',
  // Numbers are bought because they are selected. Where they are unavailable, the videos are there all the same.
  '{ trendingVideos(first: 3) { edges { rank node { title stats { views } } } } }',
  // One field fails: it is null and has an error with its path. The other one has its data.
  '{ us: trendingVideos(last: 1) { edges { rank node { title } } } zz: trendingVideos(region: "ZZ") { totalCount } }',
  '{ trendingVideos { views } }',
];
for (const query of queries) {
  console.log(query);
  await ask(query, 'application/graphql-response+json');
  await ask(query, 'application/json');
}
