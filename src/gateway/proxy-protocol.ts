import { isIP } from 'node:net';

/** What the first bytes of a connection from a proxy say. */
export type ProxyHeader =
  /** More bytes are needed. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'refused' }
  /** So many bytes are the header; the address is who connected to the proxy, undefined when it is the proxy itself. */
  | { readonly kind: 'read'; readonly length: number; readonly address: string | undefined };

const refused: ProxyHeader = { kind: 'refused' };
const incomplete: ProxyHeader = { kind: 'incomplete' };

const signature2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const fixed2 = 16;
/** Of a version 2 header: addresses are 36 bytes at most, the rest are facts that load balancers add. */
const most2 = 2048;
/** Of a version 1 line (section 2.1 of the specification). */
const most1 = 107;

const startsAlike = (bytes: Buffer, wanted: Buffer): boolean => {
  const length = Math.min(bytes.length, wanted.length);
  return bytes.subarray(0, length).equals(wanted.subarray(0, length));
};

const port = /^(0|[1-9]\d{0,4})$/;
const isPort = (text: string | undefined): boolean =>
  text !== undefined && port.test(text) && Number(text) <= 65_535;

const readLine = (bytes: Buffer): ProxyHeader => {
  const end = bytes.subarray(0, most1).indexOf('\r\n');
  if (end < 0) return bytes.length < most1 ? incomplete : refused;
  const length = end + 2;
  const [, family, source = '', target = '', ...ports] = bytes.toString('latin1', 0, end).split(' ');
  if (family === 'UNKNOWN') return { kind: 'read', length, address: undefined };
  const version = family === 'TCP4' ? 4 : 6;
  if (family !== 'TCP4' && family !== 'TCP6') return refused;
  if (isIP(source) !== version || isIP(target) !== version) return refused;
  if (ports.length !== 2 || !ports.every(isPort)) return refused;
  return { kind: 'read', length, address: source };
};

const address6 = (bytes: Buffer): string =>
  Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16)).join(':');

/** Address family and transport of a version 2 header, for streams over IP. */
const [tcp4, tcp6, unspecified] = [0x11, 0x21, 0x00];

const readBinary = (bytes: Buffer): ProxyHeader => {
  if (bytes.length < fixed2) return incomplete;
  const [command, family, rest] = [bytes.readUInt8(12), bytes.readUInt8(13), bytes.readUInt16BE(14)];
  if (rest > most2 || (command !== 0x20 && command !== 0x21)) return refused;
  const length = fixed2 + rest;
  if (bytes.length < length) return incomplete;
  // LOCAL: the proxy speaks for itself, as its health checks do
  if (command === 0x20 || family === unspecified) return { kind: 'read', length, address: undefined };
  if (family === tcp4 && rest >= 12)
    return { kind: 'read', length, address: [...bytes.subarray(fixed2, fixed2 + 4)].join('.') };
  if (family === tcp6 && rest >= 36)
    return { kind: 'read', length, address: address6(bytes.subarray(fixed2)) };
  return refused;
};

/**
 * Reads the header of the PROXY protocol, version 1 or 2 (haproxy's proxy-protocol.txt), at the start of `bytes`.
 * Unix sockets and UDP are refused: nobody comes to a door by them.
 */
export const readProxyHeader = (bytes: Buffer): ProxyHeader => {
  if (startsAlike(bytes, signature2)) return readBinary(bytes);
  if (startsAlike(bytes, Buffer.from('PROXY '))) return readLine(bytes);
  return refused;
};
