import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, expect, it } from '@jest/globals';
import { createSendTogether, type SendTogether } from '../../../src/server/http/sendTogether.ts';

let sent: string[];
let sendTogether: SendTogether<string>;

beforeEach(() => {
  sent = [];
  sendTogether = createSendTogether((item) => void sent.push(item));
});

it('sends at the end of the turn what became ready in it, in its order', async () => {
  sendTogether('first', 0);
  sendTogether('second', 1);
  expect(sent).toEqual([]);
  await nextTurn();
  expect(sent).toEqual(['first', 'second']);
});

it('does not let the first of a long turn wait for the last', async () => {
  sendTogether('first', 0);
  sendTogether('second', 2);
  expect(sent).toEqual(['first', 'second']);
  sendTogether('third', 3);
  sendTogether('fourth', 4);
  expect(sent).toHaveLength(2);
  await nextTurn();
  expect(sent).toEqual(['first', 'second', 'third', 'fourth']);
});
