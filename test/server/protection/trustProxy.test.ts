import { expect, it } from '@jest/globals';
import { toIsTrusted } from '../../../src/server/protection/trustProxy.ts';

function isTrusted(trusted: number | string[], entry: string, hop = 1): boolean {
  return toIsTrusted(trusted)(entry, hop);
}

it.each([
  ['10.0.0.0/8', '10.0.0.9'],
  ['10.0.0.0/8', '10.0.0.9:55'],
  ['10.0.0.0/8', '::ffff:10.0.0.9'],
  ['10.0.0.0/8', '::FFFF:0a00:0009'],
  ['10.0.0.0/8', '[0:0:0:0:0:ffff:10.0.0.9]:55'],
  ['::ffff:10.0.0.9', '10.0.0.9:55'],
  ['::ffff:10.0.0.0/104', '10.0.0.9:55'],
  ['2001:db8::9', '2001:0DB8:0::9'],
  ['2001:db8::/32', '[2001:db8:1::9]'],
  ['2001:db8::/32', '[2001:db8:1::9]:443'],
  ['loopback', '127.0.0.1:55'],
  ['loopback', '[::1]:55'],
  ['linklocal', 'fe80::9%eth0'],
  ['linklocal', '[fe80::9%br-lan.100]:55'],
  ['fe80::9%eth0', '[fe80::9%eth0]:55'],
  ['uniquelocal', '[fd00::9]:55'],
])('trusts, with %s, the proxy at %s', (trusted, entry) => {
  expect(isTrusted(['192.0.2.1', trusted], entry)).toBe(true);
  expect(isTrusted([trusted], entry)).toBe(true);
});

it.each([
  ['10.0.0.0/8', '11.0.0.9:55'],
  ['10.0.0.0/8', '2001:db8::9'],
  ['10.0.0.0/8', '::10.0.0.9'],
  ['::1', '127.0.0.1'],
  ['fe80::9%eth0', 'fe80::9%eth1'],
  ['fe80::9%eth0', 'fe80::9%br-lan'],
  ['fe80::9%eth0', 'fe80::9'],
  // Not addresses, though some parsers read them as 10.0.0.9.
  ['10.0.0.0/8', '0x0a000009'],
  ['10.0.0.0/8', '10.9'],
  ['10.0.0.0/8', '012.0.0.9'],
  ['10.0.0.0/8', '10.0.0.9:port'],
  ['10.0.0.0/8', 'unknown'],
  ['10.0.0.0/8', ''],
])('does not trust, with %s, %j', (trusted, entry) => {
  expect(isTrusted([trusted], entry)).toBe(false);
});

it('trusts a number of proxies, whatever they are', () => {
  for (const entry of ['10.0.0.9:55', '[2001:db8::9]', 'unknown']) {
    expect([0, 1, 2].map((hop) => isTrusted(2, entry, hop))).toEqual([true, true, false]);
  }
});

it.each([true, false])('trusts all proxies or none: %s', (trusted) => {
  expect(toIsTrusted(trusted)('10.0.0.9', 1)).toBe(trusted);
});
