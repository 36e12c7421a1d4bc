import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { originForm, plainAuthority } from '../lib/request-target.ts';
import { Refusal } from './answer.ts';
import type { Arrival } from './arrivals.ts';
import { type Cookies, readCookies } from './cookies.ts';
import type { DoorFacts } from './door-facts.ts';
import { clientBehind, readForwarded, readForwardedFor } from './forwarded.ts';
import { rateLimitKey } from './rate-limit-key.ts';
import { readTarget, type Target } from './target.ts';

const maxHeaders = 1000;
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** Two of these would let two parsers decide differently. */
const single = new Set([
  'authorization',
  'content-length',
  'content-type',
  'host',
  'origin',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'upgrade',
]);

/** A request, read once and strictly. Everything later decides on this. */
export interface DoorRequest {
  readonly method: string;
  readonly target: Target;
  /** Names in lower case; those with an underscore are left out. */
  readonly headers: ReadonlyMap<string, string>;
  readonly cookies: Cookies;
  /** Sent by a browser, which says so itself; a page cannot take these headers away. */
  readonly browser: boolean;
  readonly wantsHtml: boolean;
  readonly clientIp: string;
  /** The key under which its client is rate limited until it has signed in. */
  readonly rateLimitKey: () => Promise<string>;
  /** Until what it gives is called, its connection makes no room for others. */
  readonly begin: () => () => void;
  readonly userAgent: string;
  readonly requestId: string;
}

/** By what connection a request came, and whom to believe about it. */
export interface Sender {
  readonly arrival: Pick<Arrival, 'address' | 'header' | 'begin'>;
  readonly isProxy: (address: string) => boolean;
}

/** Only a proxy's own header counts, and of a proxy that sends none the request is its own. */
const clientOf = ({ arrival, isProxy }: Sender, headers: ReadonlyMap<string, string>): string => {
  const text = arrival.header && headers.get(arrival.header);
  if (text === undefined) return arrival.address;
  const hops = arrival.header === 'forwarded' ? readForwarded(text) : readForwardedFor(text);
  if (!hops) throw new Refusal(400, `The proxy sent a malformed ${arrival.header} header.`);
  return clientBehind(arrival.address, hops, isProxy);
};

const joiner = (name: string): string => (name === 'cookie' ? '; ' : ', ');

const readHeaders = (raw: readonly string[]): Map<string, string> => {
  if (raw.length / 2 > maxHeaders) throw new Refusal(431, `A request has at most ${maxHeaders} headers.`);
  const headers = new Map<string, string>();
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    const value = raw[i + 1] ?? '';
    if (name.includes('_')) continue;
    const known = headers.get(name);
    if (known !== undefined && single.has(name)) throw new Refusal(400, `The header ${name} comes twice.`);
    headers.set(name, known === undefined ? value : known + joiner(name) + value);
  }
  return headers;
};

/** The Host of a request, which must be the door's. */
const hostOf = (headers: ReadonlyMap<string, string>, door: DoorFacts): string => {
  const host = headers.get('host');
  if (!host) throw new Refusal(400, 'The request has no Host header.');
  if (plainAuthority(host, 'https') === door.hostname) return host;
  // A name that somebody else's DNS points here must not become an origin of ours.
  throw new Refusal(421, `The address of environment ${door.name} is ${door.origin}/`);
};

const targetOf = (req: IncomingMessage, host: string): Target => {
  const form = originForm(req.url ?? '', { scheme: 'https', host });
  if ('refused' in form) throw new Refusal(form.status, form.refused);
  const target = readTarget(form.target);
  if ('refused' in target) throw new Refusal(400, target.refused);
  return target;
};

const wantsHtml = (method: string, headers: ReadonlyMap<string, string>): boolean => {
  const mode = headers.get('sec-fetch-mode');
  if (mode) return mode === 'navigate';
  return (method === 'GET' || method === 'HEAD') && (headers.get('accept') ?? '').includes('text/html');
};

/** Reads a request. Throws Refusal for everything that is malformed or ambiguous. */
export const readRequest = (req: IncomingMessage, door: DoorFacts, from: Sender): DoorRequest => {
  const headers = readHeaders(req.rawHeaders);
  const method = req.method ?? '';
  if (!methods.has(method)) throw new Refusal(405, `The method ${method} is not served.`);
  const clientIp = clientOf(from, headers);
  const target = targetOf(req, hostOf(headers, door));
  return {
    method,
    target,
    headers,
    cookies: readCookies(headers.get('cookie')),
    browser: headers.has('sec-fetch-site') || headers.has('origin'),
    wantsHtml: wantsHtml(method, headers),
    clientIp,
    rateLimitKey: () => rateLimitKey(req.socket, clientIp),
    begin: from.arrival.begin,
    userAgent: (headers.get('user-agent') ?? '').slice(0, 256),
    requestId: randomUUID(),
  };
};
