import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, expect, it } from '@jest/globals';
import { SendTogether } from '../../../src/server/http/sendTogether.ts';

let now: number;
let sent: string[];
let together: SendTogether<string>;

beforeEach(() => {
  now = 0;
  sent = [];
  together = new SendTogether(
    (item) => void sent.push(item),
    () => now,
  );
});

it('sends at the end of the turn what became ready in it, in its order', async () => {
  together.add('first');
  now = 1;
  together.add('second');
  expect(sent).toEqual([]);
  await nextTurn();
  expect(sent).toEqual(['first', 'second']);
});

it('does not let the first of a long turn wait for the last', async () => {
  together.add('first');
  now = 2;
  together.add('second');
  expect(sent).toEqual(['first', 'second']);
  together.add('third');
  now = 3;
  together.add('fourth');
  expect(sent).toHaveLength(2);
  await nextTurn();
  expect(sent).toEqual(['first', 'second', 'third', 'fourth']);
});

it('does not let it wait when nothing else becomes ready in that turn', () => {
  together.add('first');
  together.sendOverdue(1);
  expect(sent).toEqual([]);
  together.sendOverdue(2);
  expect(sent).toEqual(['first']);
});
