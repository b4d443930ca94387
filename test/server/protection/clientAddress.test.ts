import { isIP } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { FastifyRequest } from 'fastify';
import { toClientAddress } from '../../../src/server/protection/clientAddress.ts';
import { fc } from '../../support/fastCheck.ts';

const addressOf = (ip: string): string =>
  toClientAddress({ ip, socket: { remoteAddress: '192.0.2.9' } } as unknown as FastifyRequest);

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['192.0.2.1:4711', '192.0.2.1'],
  ['[192.0.2.1]:80', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:0201', '192.0.2.1'],
  ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
  ['[::ffff:192.0.2.1]:4711', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['[2001:db8::9]', '2001:db8:0:0::/64'],
  ['[2001:db8::9]:443', '2001:db8:0:0::/64'],
  ['2001:db8::1:2:3:4:5', '2001:db8:0:1::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['[fe80::1%br-lan.100]:443', 'fe80:0:0:0::/64'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('identifies the client at %s as %s', (ip, expected) => {
  expect(addressOf(ip)).toBe(expected);
});

it.each([
  '',
  'unknown',
  '_hidden',
  'x'.repeat(9999),
  // Not addresses, though some parsers read them as 192.0.2.1.
  '192.0.513',
  '0xc0.0.2.1',
  '192.0.2.01',
  '3221225985',
  '192.0.2.1:',
  '192.0.2.1:port',
  '192.0.2.1:123456',
  '192.0.2.1:80:80',
  '192.0.2.1/32',
  '[2001:db8::1',
  '2001:db8::1]',
  '[2001:db8::1]x',
  '[[2001:db8::1]]',
  '[]:80',
  '[fe80::1%]',
  '1::2::3',
])('identifies a client that claims to be at %j by its connection', (ip) =>
  expect(addressOf(ip)).toBe('192.0.2.9'),
);

it('identifies a client by the address of its connection in any form that this may have', () => {
  for (const [remoteAddress, expected] of [
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['fe80::1%eth0.100', 'fe80:0:0:0::/64'],
    [undefined, ''],
  ]) {
    const request = { ip: 'unknown', socket: { remoteAddress } } as unknown as FastifyRequest;
    expect(toClientAddress(request)).toBe(expected);
  }
});

describe('any spelling of an address', () => {
  const port = fc.option(fc.integer({ min: 0, max: 65_535 }), { nil: undefined });
  const zone = fc.constantFrom('', '%eth0', '%br-lan.100', '%1');
  const withPort = (host: string, number: number | undefined): string =>
    number === undefined ? host : `${host}:${number}`;

  /** The groups, some with leading zeros or capitals, the last two perhaps as IPv4, a row of zeros perhaps as `::`. */
  const spelling = (groups: readonly number[]): fc.Arbitrary<string> =>
    fc
      .record({
        widths: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 8, maxLength: 8 }),
        isUpper: fc.boolean(),
        isDotted: fc.boolean(),
        gap: fc.option(fc.nat(7), { nil: undefined }),
        zone,
        hasBrackets: fc.boolean(),
        port,
      })
      .map((style) => {
        const texts = groups.map((group, index) =>
          group.toString(16).padStart(style.widths[index] ?? 1, '0'),
        );
        const [high = 0, low = 0] = groups.slice(6);
        const dotted = [high >> 8, high & 255, low >> 8, low & 255].join('.');
        const parts = style.isDotted ? [...texts.slice(0, 6), dotted] : texts;
        const text = style.isUpper ? parts.join(':').toUpperCase() : parts.join(':');
        const short = style.gap === undefined ? text : withGap(text.split(':'), style.gap);
        const host = `${short}${style.zone}`;
        return style.hasBrackets || style.port !== undefined ? withPort(`[${host}]`, style.port) : host;
      });

  /** Writes the zeros from `start` on as `::`, if there are any. */
  function withGap(parts: readonly string[], start: number): string {
    const rest = parts.slice(start);
    const zeros = rest.findIndex((part) => !/^0+$/.test(part));
    const length = zeros < 0 ? rest.length : zeros;
    return length === 0
      ? parts.join(':')
      : `${parts.slice(0, start).join(':')}::${rest.slice(length).join(':')}`;
  }

  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  const groups = fc.array(group, { minLength: 8, maxLength: 8 });
  const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));

  it('is one client: of an IPv6 address its /64 network', () => {
    const isMapped = (all: readonly number[]): boolean =>
      all.slice(0, 5).every((one) => one === 0) && all[5] === 0xffff;
    const cases = groups
      .filter((all) => !isMapped(all))
      .chain((all) => fc.tuple(fc.constant(all), spelling(all)));
    fc.assert(
      fc.property(cases, ([all, text]) => {
        const network = all.slice(0, 4).map((one) => one.toString(16));
        expect(addressOf(text)).toBe(`${network.join(':')}::/64`);
      }),
      { numRuns: 2000 },
    );
  });

  it('is one client: of an IPv4 address itself, also when it is written as IPv6', () => {
    const cases = octets.chain(([a, b, c, d]) => {
      const mapped = [0, 0, 0, 0, 0, 0xffff, a * 256 + b, c * 256 + d];
      const plain = fc
        .tuple(fc.constant([a, b, c, d].join('.')), port)
        .map(([host, at]) => withPort(host, at));
      return fc.tuple(fc.constant([a, b, c, d].join('.')), fc.oneof(plain, spelling(mapped)));
    });
    fc.assert(
      fc.property(cases, ([address, text]) => expect(addressOf(text)).toBe(address)),
      { numRuns: 2000 },
    );
  });

  it('is what identifies a client, else its connection: never a text that it chose', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(...'0123456789abcdefx.:[]%/, "') }),
      groups.chain(spelling).chain((valid) => fc.nat(valid.length).map((at) => valid.slice(0, at))),
    );
    fc.assert(
      fc.property(text, (ip) => {
        const client = addressOf(ip);
        expect(isIP(client) === 4 || /^(?:[\da-f]{1,4}:){4}:\/64$/.test(client)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });
});
