import { isIP } from 'node:net';
import { plainAddress } from '../lib/plain-address.ts';

/** What one proxy says of whom it got the request from: an address, or something that is none (`unknown`, `_hidden`). */
type Hop = { readonly address: string | undefined };

/** Far more proxies than a request passes. */
const mostHops = 50;

/** `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80`, `2001:db8::1`, `unknown`, `_hidden`. */
const hopOf = (node: string): Hop | undefined => {
  if (isIP(node) !== 0) return { address: plainAddress(node) };
  const [, six, four] = /^(?:\[([^\]]+)\]|([\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/.exec(node) ?? [];
  const address = six ?? four;
  if (address !== undefined)
    return isIP(address) === (six === undefined ? 4 : 6) ? { address: plainAddress(address) } : undefined;
  return /^(unknown|_[\w.-]+)(:(\d{1,5}|_[\w.-]+))?$/i.test(node) ? { address: undefined } : undefined;
};

const pair = /[\t ]*([!#$%&'*+.^_`|~\w-]+)=([!#$%&'*+.^_`|~\w:[\]-]+|"(?:[^"\\]|\\.)*")[\t ]*/y;

/** The pairs of one element of a Forwarded header, from `at` on; stops at the comma that ends it. */
const element = (header: string, at: number): { readonly hop: Hop | undefined; readonly end: number } => {
  let [end, hop]: [number, Hop | undefined] = [at, undefined];
  for (;;) {
    pair.lastIndex = end;
    const found = pair.exec(header);
    if (!found) return { hop: undefined, end };
    end = pair.lastIndex;
    const value = (found[2] ?? '').replace(/^"(.*)"$/s, '$1').replace(/\\(.)/gs, '$1');
    if (found[1]?.toLowerCase() === 'for') {
      hop = hop === undefined ? hopOf(value) : undefined;
      if (!hop) return { hop, end };
    }
    if (header[end] !== ';') return { hop, end };
    end += 1;
  }
};

/** The hops of a Forwarded header (RFC 7239), the client's end first; undefined when it is malformed. */
export const readForwarded = (header: string): readonly Hop[] | undefined => {
  const hops: Hop[] = [];
  for (let at = 0; hops.length < mostHops; ) {
    const { hop, end } = element(header, at);
    if (!hop) return undefined;
    hops.push(hop);
    if (end === header.length) return hops;
    if (header[end] !== ',') return undefined;
    at = end + 1;
  }
  return undefined;
};

/** The same of X-Forwarded-For, as load balancers write it. */
export const readForwardedFor = (header: string): readonly Hop[] | undefined => {
  const hops = header.split(',').map((part) => hopOf(part.trim()));
  return hops.length <= mostHops && hops.every((hop) => hop !== undefined) ? hops : undefined;
};

/**
 * Who sent a request that came by `peer`, a proxy: each proxy is believed of the one before it, and the first address
 * that is no proxy is the client. What stands before that is the client's own writing.
 */
export const clientBehind = (
  peer: string,
  hops: readonly Hop[],
  isProxy: (address: string) => boolean,
): string => {
  let client = peer;
  for (const { address } of hops.toReversed()) {
    if (address === undefined) return client;
    client = address;
    if (!isProxy(client)) return client;
  }
  return client;
};
