import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientBehind, readForwarded, readForwardedFor } from './forwarded.ts';

const addresses = (hops: ReturnType<typeof readForwarded>) => hops?.map((hop) => hop.address);

describe('Forwarded (RFC 7239)', () => {
  it.each([
    ['for=192.0.2.43', ['192.0.2.43']],
    ['For="[2001:db8:cafe::17]:4711"', ['2001:db8:cafe::17']],
    ['for=192.0.2.60;proto=http;by=203.0.113.43', ['192.0.2.60']],
    ['proto=https;host="a.example:8443";for="192.0.2.60:80"', ['192.0.2.60']],
    ['for=192.0.2.43, for=198.51.100.17', ['192.0.2.43', '198.51.100.17']],
    ['for=unknown, for=_hidden;by=_b', [undefined, undefined]],
    ['for="_gazonk:_x"', [undefined]],
    ['for="::ffff:192.0.2.1"', ['192.0.2.1']],
    ['host="a,b;for=1.1.1.1";for=192.0.2.1', ['192.0.2.1']],
    ['for="192.0\\.2.1"', ['192.0.2.1']],
  ])('%s', (header, wanted) => expect(addresses(readForwarded(header))).toEqual(wanted));

  it.each([
    '',
    'for=',
    'by=203.0.113.43',
    'for=192.0.2.43;for=192.0.2.44',
    'for=192.0.2.300',
    'for=nonsense',
    'for="[192.0.2.1]"',
    'for="192.0.2.1',
    'for=192.0.2.1 evil',
    'for=192.0.2.1,',
    ',for=192.0.2.1',
    'for=192.0.2.1;',
    'for = 192.0.2.1',
    Array.from({ length: 60 }, () => 'for=192.0.2.1').join(','),
  ])('refuses %j', (header) => expect(readForwarded(header)).toBeUndefined());
});

it('X-Forwarded-For', () => {
  expect(addresses(readForwardedFor('192.0.2.1, 2001:db8::1,10.0.0.1:99'))).toEqual([
    '192.0.2.1',
    '2001:db8::1',
    '10.0.0.1',
  ]);
  for (const bad of ['', 'x', '192.0.2.1,', '<script>']) expect(readForwardedFor(bad)).toBeUndefined();
});

describe('the client behind proxies', () => {
  const isProxy = (address: string) => address.startsWith('10.');
  const behind = (header: string) => clientBehind('10.0.0.1', readForwardedFor(header) ?? [], isProxy);

  it('is the first from the right that is no proxy; the client’s own words do not count', () => {
    expect(behind('192.0.2.1')).toBe('192.0.2.1');
    expect(behind('192.0.2.1, 10.0.0.9')).toBe('192.0.2.1');
    expect(behind('127.0.0.1, 10.0.0.7, 192.0.2.1, 10.0.0.9')).toBe('192.0.2.1');
    expect(behind('unknown, 10.0.0.9')).toBe('10.0.0.9');
    expect(behind('10.0.0.8')).toBe('10.0.0.8');
  });
});

it('no text makes it throw, or stand for an address that is none', () => {
  const piece = fc.constantFrom(
    'for=',
    'by=',
    ';',
    ',',
    '"',
    '\\',
    '192.0.2.1',
    '[2001:db8::1]',
    ' ',
    'unknown',
    'é',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      for (const address of addresses(readForwarded(pieces.join(''))) ?? [])
        expect(address ?? '192.0.2.1').toMatch(/^(192\.0\.2\.1|2001:db8::1)$/);
    }),
  );
});
