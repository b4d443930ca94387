import { isJsonObject } from '../../domain/json.ts';
import type { OperationRequest } from '../../graphql/execution/operationResult.ts';
import { toHash } from './manifest.ts';

/** Documents that clients may name by hash. */
export interface TrustedDocuments {
  /** By hash. */
  readonly texts: ReadonlyMap<string, string>;
  /** True when no other document is executed. */
  readonly only: boolean;
}

/** The parameters of a request, of any type. */
type Parameters = Readonly<Record<string, unknown>>;

/** The parts of a request that may have its parameters. */
type RequestParts = Pick<OperationRequest, 'body' | 'search'>;

/** The names of their operations, as far as a regular expression finds them. */
export function operationNames(trusted: TrustedDocuments | undefined): string[] {
  const texts = [...(trusted?.texts.values() ?? [])];
  return texts.flatMap((text) =>
    [...text.matchAll(/\bquery\s+([_A-Za-z]\w*)/g)].map(([, name = '']) => name),
  );
}

/** True when a request contains the text of a document. */
export function hasDocumentText({ body, search }: RequestParts): boolean {
  return [body, parametersOf(search)].some((parameters) => hasDocument(Object(parameters)));
}

/** True when a request names its document by a hash that is not a string: Apollo Server fails on some of those. */
export function hasMalformedHash({ body, search }: RequestParts): boolean {
  return [body, search && parametersOf(search)].some((parameters) => {
    const hash = hashOf((Object(parameters) as Parameters).extensions);
    return hash !== undefined && typeof hash !== 'string';
  });
}

/** The request with the text of the trusted document that it names by hash. */
export function expandDocument({ body, search }: RequestParts, { texts }: TrustedDocuments): RequestParts {
  const parameters = parametersOf(search);
  const named = withDocument(parameters, texts);
  return {
    body: isJsonObject(body) ? withDocument(body, texts) : body,
    search: named === parameters ? search : searchOf(named),
  };
}

/**
 * Adds the text of a document that is named by hash alone: as `documentId` (GraphQL over HTTP), or in the form of
 * automatic persisted queries. An unknown `documentId` is passed on as an unknown persisted query: Apollo Server then
 * responds with PersistedQueryNotFound, which clients understand.
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
  return query !== undefined && query !== null;
}

function hashOf(extensions: unknown): unknown {
  const { persistedQuery } = Object(extensions) as Parameters;
  return (Object(persistedQuery) as Parameters).sha256Hash;
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
