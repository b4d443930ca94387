import { expect, it } from '@jest/globals';
import type { FastifyRequest } from 'fastify';
import { toClientAddress } from '../../../src/server/protection/clientAddress.ts';

const addressOf = (ip: string): string =>
  toClientAddress({ ip, socket: { remoteAddress: '192.0.2.9' } } as unknown as FastifyRequest);

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['2001:db8::1:2:3:4:5', '2001:db8:0:1::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('identifies the client at %s as %s', (ip, expected) => {
  expect(addressOf(ip)).toBe(expected);
});

it.each(['', 'unknown', '192.0.2.1:4000', '_hidden', 'x'.repeat(9999)])(
  'identifies a client that claims to be at %j by its connection',
  (ip) => expect(addressOf(ip)).toBe('192.0.2.9'),
);
