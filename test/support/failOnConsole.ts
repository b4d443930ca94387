import { afterEach, beforeEach, expect } from '@jest/globals';

const METHODS = ['log', 'info', 'warn', 'error', 'debug'] as const;
let written: unknown[][] = [];

beforeEach(() => {
  written = [];
  for (const method of METHODS) {
    console[method] = (...args: unknown[]) => void written.push(args);
  }
});

afterEach(() => {
  expect(written).toEqual([]);
});
