import { toRequestError } from '../../graphql/execution/formatError.ts';
import { type ExecuteOperation, toRefusedResult } from '../../graphql/execution/operationResult.ts';
import {
  expandDocument,
  hasDocumentText,
  hasMalformedHash,
  type TrustedDocuments,
} from './trustedDocuments.ts';

const NOT_TRUSTED = toRequestError(
  'This server executes only trusted documents (PERSISTED_DOCUMENTS_ONLY): expected a hash as "documentId" or ' +
    '"extensions.persistedQuery.sha256Hash", but got: the text of a document. If the server does not find the hash, ' +
    'ask its operator to add the document to the manifest',
  'PERSISTED_QUERY_ID_REQUIRED',
);

const MALFORMED_HASH = toRequestError(
  'Expected a string as "extensions.persistedQuery.sha256Hash", but got another type',
  'BAD_REQUEST',
);

/**
 * Inserts the trusted document that a request names by hash.
 *
 * @param trusted Undefined where there are none.
 */
export function withTrustedDocuments(
  execute: ExecuteOperation,
  trusted: TrustedDocuments | undefined,
): ExecuteOperation {
  return (request) => {
    const { accept } = request.headers;
    if (trusted?.only && hasDocumentText(request)) return toRefusedResult(NOT_TRUSTED, accept);
    if (hasMalformedHash(request)) return toRefusedResult(MALFORMED_HASH, accept);
    return execute(trusted ? { ...request, ...expandDocument(request, trusted) } : request);
  };
}
