const query = '{ trendingVideos(first: 2) { fetchedAt nodes { title } } }';
const url = `http://localhost:4000/graphql?${new URLSearchParams({ query })}`;

let etag: string | null = null;

/** The result; undefined if it is the same as that of the last call. */
export async function poll(): Promise<unknown> {
  const headers = new Headers({ 'apollo-require-preflight': 'true' });
  if (etag) headers.set('if-none-match', etag);
  const response = await fetch(url, { headers });
  console.log(`HTTP ${response.status}`);
  if (response.status === 304) return undefined;
  etag = response.headers.get('etag');
  return await response.json();
}

await poll();
await poll();
