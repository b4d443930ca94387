import type { DataEvent } from '../data/events.ts';
import type { KeyapiEvent } from '../keyapi/events.ts';
import type { ServerEvent } from '../server/events.ts';

/** Events of all layers. */
export type AppEvent = KeyapiEvent | DataEvent | ServerEvent;
