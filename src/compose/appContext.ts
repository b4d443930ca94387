import type { Logger } from 'pino';
import type { Config } from '../config/loadConfig.ts';
import type { Clock } from '../domain/clock.ts';
import type { AppEvent } from '../observe/appEvent.ts';

/** What all parts of the program share. */
export interface AppContext {
  readonly config: Config;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly log: Logger;
  readonly onEvent: (event: AppEvent) => void;
}
