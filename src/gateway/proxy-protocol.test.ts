import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readProxyHeader } from './proxy-protocol.ts';

const text = (line: string) => Buffer.from(line, 'latin1');
const signature = text('\r\n\r\n\0\r\nQUIT\n');
const binary = (command: number, family: number, rest: readonly number[], length = rest.length): Buffer =>
  Buffer.concat([signature, Buffer.from([command, family, length >> 8, length & 255, ...rest])]);
const ends4 = [192, 0, 2, 1, 10, 0, 0, 1, 0x30, 0x39, 1, 0xbb];
const six = [0x20, 1, 0xd, 0xb8, ...Array.from({ length: 11 }, () => 0), 7];
const ends6 = [...six, ...six, 0x30, 0x39, 1, 0xbb];

const read = (length: number, address: string | undefined) => ({ kind: 'read', length, address });

describe('version 1', () => {
  it.each([
    ['PROXY TCP4 192.0.2.1 10.0.0.1 12345 443\r\n', '192.0.2.1'],
    ['PROXY TCP6 2001:db8::7 2001:db8::1 12345 443\r\n', '2001:db8::7'],
    ['PROXY UNKNOWN\r\n', undefined],
    ['PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n', undefined],
  ])('%j', (line, address) => {
    expect(readProxyHeader(text(`${line}\x16\x03\x01`))).toEqual(read(line.length, address));
  });

  it.each([
    'PROXY TCP4 192.0.2.1 10.0.0.1 12345\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 12345 443 1\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 12345 65536\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 012 443\r\n',
    'PROXY TCP4 192.0.2.01 10.0.0.1 12 443\r\n',
    'PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n',
    'PROXY TCP6 192.0.2.1 10.0.0.1 1 2\r\n',
    'PROXY TCP4  192.0.2.1 10.0.0.1 1 2\r\n',
    'PROXY TCP4\t192.0.2.1 10.0.0.1 1 2\r\n',
    'PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n',
    'proxy TCP4 192.0.2.1 10.0.0.1 1 2\r\n',
    `PROXY TCP4 ${'1'.repeat(120)}`,
    'GET / HTTP/1.1\r\n',
    '\x16\x03\x01',
  ])('refuses %j', (line) => expect(readProxyHeader(text(line)).kind).toBe('refused'));
});

describe('version 2', () => {
  it('reads IPv4 and IPv6, with facts that a load balancer adds', () => {
    expect(readProxyHeader(binary(0x21, 0x11, ends4))).toEqual(read(28, '192.0.2.1'));
    expect(readProxyHeader(binary(0x21, 0x11, [...ends4, 3, 0, 1, 9]))).toEqual(read(32, '192.0.2.1'));
    expect(readProxyHeader(binary(0x21, 0x21, ends6))).toEqual(read(52, '2001:db8:0:0:0:0:0:7'));
  });

  it('a proxy that speaks for itself', () => {
    expect(readProxyHeader(binary(0x20, 0, []))).toEqual(read(16, undefined));
    expect(readProxyHeader(binary(0x20, 0x11, ends4))).toEqual(read(28, undefined));
    expect(readProxyHeader(binary(0x21, 0, []))).toEqual(read(16, undefined));
  });

  it('refuses other versions and commands, other families, too few and too many bytes', () => {
    const bad = [
      ...[binary(0x11, 0x11, ends4), binary(0x22, 0x11, ends4), binary(0x31, 0x11, ends4)],
      ...[binary(0x21, 0x12, ends4), binary(0x21, 0x31, ends6), binary(0x21, 0x11, ends4.slice(1))],
      ...[binary(0x21, 0x21, ends4), binary(0x21, 0x11, ends4, 5000)],
    ];
    for (const bytes of bad) expect(readProxyHeader(bytes).kind).toBe('refused');
  });
});

it('a header that comes in pieces is waited for, and nothing that follows changes it', () => {
  const whole = [
    text('PROXY TCP4 192.0.2.1 10.0.0.1 12345 443\r\n'),
    binary(0x21, 0x11, ends4),
    binary(0x21, 0x21, ends6),
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...whole),
      fc.nat(),
      fc.uint8Array({ maxLength: 40 }),
      (header, cut, more) => {
        const begun = header.subarray(0, cut % header.length);
        expect(readProxyHeader(begun).kind).toBe('incomplete');
        expect(readProxyHeader(Buffer.concat([header, more]))).toMatchObject({ length: header.length });
      },
    ),
  );
});

it('no bytes make it throw, or give an address that is none', () => {
  const start = fc.constantFrom(Buffer.alloc(0), signature, text('PROXY '), text('PROXY TCP4 1.2.3.4 '));
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 200 }), (begin, rest) => {
      const header = readProxyHeader(Buffer.concat([begin, rest]));
      if (header.kind === 'read' && header.address !== undefined)
        expect(header.address).toMatch(/^[\d.a-f:]+$/);
    }),
  );
});
