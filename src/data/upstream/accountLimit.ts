import type { Endpoint } from '../../domain/endpoint.ts';
import type { Source } from '../../domain/source.ts';

/**
 * A limit of the account, such as its rate or its credits: created once, it wraps the sources of all endpoints, which
 * share it. What limits one endpoint is created for the source of that endpoint.
 */
export type AccountLimit = <Key, Value>(
  source: Source<Key, Value>,
  endpoint: Endpoint<Key>,
) => Source<Key, Value>;
