import { toHash } from './manifest.ts';

/** Documents that clients may name by their hash. */
export interface TrustedDocuments {
  readonly texts: ReadonlyMap<string, string>;
  /** Nothing else is carried out. */
  readonly only: boolean;
}

/** A request's parameters, of whatever types they came in. */
type Parameters = Readonly<Record<string, unknown>>;

/** What a request says, wherever it says it. */
export interface Sent {
  readonly body: unknown;
  /** The query string, with its question mark. */
  readonly search: string;
}

/** The names of the operations in them, about: as their texts have them. */
export function operationNames(trusted: TrustedDocuments | undefined): string[] {
  const texts = [...(trusted?.texts.values() ?? [])];
  return texts.flatMap((text) =>
    [...text.matchAll(/\bquery\s+([_A-Za-z]\w*)/g)].map(([, name = '']) => name),
  );
}

/** Whether a request brings the text of a document. */
export function bringsDocument({ body, search }: Sent): boolean {
  return [body, parametersOf(search)].some((parameters) => hasDocument(Object(parameters)));
}

/** Whether a request names its document by a hash that is no text, over some of which Apollo Server would stumble. */
export function hasOddHash({ body, search }: Sent): boolean {
  return [body, search && parametersOf(search)].some((parameters) => {
    const hash = hashOf((Object(parameters) as Parameters).extensions);
    return hash !== undefined && typeof hash !== 'string';
  });
}

/** The request, with the text of a trusted document in the place of its hash. */
export function fillInDocument({ body, search }: Sent, { texts }: TrustedDocuments): Sent {
  const parameters = parametersOf(search);
  const named = withDocument(parameters, texts);
  return {
    body: isParameters(body) ? withDocument(body, texts) : body,
    search: named === parameters ? search : searchOf(named),
  };
}

/**
 * A request that names its document by hash alone, as one that has its text. It is named by the `documentId` of the
 * GraphQL over HTTP specification, or as automatic persisted queries name theirs. An unknown `documentId` is passed on as an
 * unknown persisted query, so that Apollo Server answers PersistedQueryNotFound, which clients understand.
 */
function withDocument(parameters: Parameters, texts: TrustedDocuments['texts']): Parameters {
  const { documentId, extensions, ...others } = parameters;
  const id = documentId ?? hashOf(extensions);
  if (typeof id !== 'string' || hasDocument(parameters)) return parameters;
  const sha256Hash = toHash(id);
  const query = texts.get(sha256Hash);
  if (query !== undefined) return { ...others, query };
  return documentId === undefined
    ? parameters
    : { ...others, extensions: { persistedQuery: { version: 1, sha256Hash } } };
}

function hasDocument({ query }: Parameters): boolean {
  return query !== undefined && query !== null && query !== '';
}

function hashOf(extensions: unknown): unknown {
  const { persistedQuery } = Object(extensions) as Parameters;
  return (Object(persistedQuery) as Parameters).sha256Hash;
}

function isParameters(body: unknown): body is Parameters {
  return typeof body === 'object' && body !== null && !Array.isArray(body);
}

function parametersOf(search: string): Parameters {
  const { extensions, ...others } = Object.fromEntries(new URLSearchParams(search));
  if (extensions === undefined) return others;
  try {
    return { ...others, extensions: JSON.parse(extensions) };
  } catch {
    return { ...others, extensions };
  }
}

function searchOf(parameters: Parameters): string {
  const texts = Object.entries(parameters).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return `?${new URLSearchParams(texts)}`;
}
