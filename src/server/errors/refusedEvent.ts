import { toUpstreamExtension, type UpstreamSource } from '../../graphql/upstreamExtension.ts';
import type { ResponseEvent } from '../events.ts';
import type { Refusal } from './refusal.ts';

/** The event of a request to `/graphql` that was refused. */
export function toRefusedEvent(
  { status, formatted }: Refusal,
  source: UpstreamSource,
  request: Pick<ResponseEvent, 'durationMs' | 'request'>,
): ResponseEvent {
  return {
    type: 'response',
    origin: 'refused',
    status,
    name: undefined,
    operationType: undefined,
    outcome: 'error',
    codes: [String(formatted.extensions?.code)],
    cost: toUpstreamExtension(source),
    ...request,
  };
}
