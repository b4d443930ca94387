import { expect, it } from '@jest/globals';
import { createRedisLog } from '../../../src/observe/log/redisLog.ts';
import { createTestClock } from '../../support/clock.ts';
import { createMemoryLog } from '../../support/memoryLog.ts';

function start() {
  const clock = createTestClock();
  const { log, lines } = createMemoryLog();
  const { onEvent, close } = createRedisLog(log, clock);
  /** What each line says of Redis; of a line for several outages, their number too. */
  const states = (): unknown[] =>
    lines.map(({ msg, outages, redis }) =>
      outages ? [outages, redis] : /^Redis is (\w+)/.exec(String(msg))?.[1],
    );
  return {
    clock,
    lines,
    states,
    onEvent,
    close,
    down: (wasUp = true) => onEvent({ type: 'redisDown', wasUp, reason: 'ECONNREFUSED' }),
    up: () => onEvent({ type: 'redisUp' }),
  };
}

it('logs an outage once, whatever attempts to reconnect fail', () => {
  const { lines, states, down } = start();
  down();
  for (let attempt = 0; attempt < 1000; attempt++) down(false);
  expect(states()).toEqual(['down']);
  expect(lines).toMatchObject([{ level: 40, reason: 'ECONNREFUSED' }]);
});

it('logs each advice of an outage once, also one that only a later attempt to connect finds', () => {
  const { lines, states, onEvent, up } = start();
  const fail = (reason: string, advice?: string): void =>
    onEvent({ type: 'redisDown', wasUp: false, reason, advice });
  fail('no response');
  for (let attempt = 0; attempt < 3; attempt++) {
    fail('no response');
    fail('NOAUTH', 'Add a password');
    fail('READONLY', 'Set the primary');
  }
  up();
  fail('NOAUTH', 'Add a password');
  expect(states()).toEqual(['down', 'still', 'still', 'up', 'down']);
  expect(lines.map(({ advice }) => advice)).toEqual([
    undefined,
    'Add a password',
    'Set the primary',
    undefined,
    'Add a password',
  ]);
});

it('logs a second outage, and its end, however soon they come', () => {
  const { states, down, up } = start();
  up();
  for (let outage = 0; outage < 2; outage++) {
    down();
    down(false);
    up();
  }
  expect(states()).toEqual(['up', 'down', 'up', 'down', 'up']);
});

it('logs that Redis is down from the start', () => {
  const { states, down, up } = start();
  down(false);
  down(false);
  up();
  expect(states()).toEqual(['down', 'up']);
});

it.each(['up', 'down'])(
  'counts the sixth and further outages within a minute in one line, and says that it is %s',
  (last) => {
    const { clock, states, down, up } = start();
    for (let outage = 1; outage <= 1000; outage++) {
      down();
      if (outage < 1000 || last === 'up') up();
    }
    const first = Array.from({ length: 5 }, () => ['down', 'up']).flat();
    expect(states()).toEqual(first);
    expect(clock.deadlines()).toEqual([60_000]);
    clock.advance(60_000);
    clock.expireDeadlines(60_000);
    expect(states()).toEqual([...first, [995, last]]);
    expect(clock.deadlines()).toEqual([]);
  },
);

it('writes the line about further outages at the end of the minute that the first of them began', () => {
  const { clock, down, up } = start();
  for (let outage = 1; outage <= 6; outage++) {
    down();
    up();
    clock.advance(1000);
  }
  expect(clock.deadlines()).toEqual([55_000]);
});

it('gives outages lines of their own again after a minute', () => {
  const { clock, states, down, up } = start();
  for (let outage = 1; outage <= 6; outage++) {
    down();
    up();
  }
  clock.advance(60_000);
  down();
  up();
  expect(states().slice(-3)).toEqual([[1, 'up'], 'down', 'up']);
  expect(clock.deadlines()).toEqual([]);
});

it('logs the end of an outage whose minute is over', () => {
  const { clock, states, down, up } = start();
  for (let outage = 1; outage <= 6; outage++) {
    down();
    if (outage < 6) up();
  }
  clock.advance(60_000);
  clock.expireDeadlines(60_000);
  up();
  expect(states().slice(-2)).toEqual([[1, 'down'], 'up']);
});

it('writes the line about further outages when the server closes', () => {
  const { clock, states, down, up, close } = start();
  close();
  expect(states()).toEqual([]);
  for (let outage = 1; outage <= 7; outage++) {
    down();
    up();
  }
  expect(clock.deadlines()).toEqual([]);
  close();
  expect(states().at(-1)).toEqual([2, 'up']);
  expect(clock.deadlines()).toEqual([]);
});
