import type { DataEvent } from '../data/events.ts';
import type { KeyapiEvent } from '../keyapi/events.ts';
import type { ServerEvent } from '../server/events.ts';

/** All that the layers tell of. */
export type AppEvent = KeyapiEvent | DataEvent | ServerEvent;
