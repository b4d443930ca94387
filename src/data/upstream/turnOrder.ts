import type { Endpoint } from '../../domain/endpoint.ts';
import type { Call } from '../../domain/source.ts';
import { createChangeSignal } from './changeSignal.ts';

/** The order in which calls that wait for a limit of the account may run. */
export interface TurnOrder {
  /** Lets a call wait: until it leaves, no call of a lower priority has its turn. */
  enter(priority: number): Place;
}

/** The place of a call that waits. */
export interface Place {
  /** False while a call of a higher priority waits. */
  isFirst(): boolean;
  /** Resolves when the next call has left. */
  changed(): Promise<void>;
  /** When the call has had its turn, or does not wait for it any more. */
  leave(): void;
}

/** Above the priority of any endpoint. */
const OPERATION_PRIORITY = 10;

/** The higher, the sooner: whatever an operation waits for goes before any refresh. */
export function toPriority(
  { background }: Pick<Call, 'background'>,
  { priority }: Pick<Endpoint<never>, 'priority'>,
): number {
  return background ? priority : OPERATION_PRIORITY + priority;
}

/** Creates the order. Calls of the same priority have their turns as they come. */
export function createTurnOrder(): TurnOrder {
  const waiting = new Set<{ readonly priority: number }>();
  const left = createChangeSignal();
  return {
    enter: (priority) => {
      const place = { priority };
      waiting.add(place);
      return {
        isFirst: () => [...waiting].every((other) => other.priority <= priority),
        changed: () => left.next(),
        leave: () => {
          if (waiting.delete(place)) left.notify();
        },
      };
    },
  };
}
