/** What the door knows of a request, to build the one that Airflow gets. */
export interface ForwardFacts {
  /** `localhost:7443`: the public name, with port. */
  readonly hostname: string;
  readonly clientIp: string;
  readonly assertion: string;
  /** Airflow's own cookie, the only one that is passed on. */
  readonly cookie: string | undefined;
}

/**
 * The request headers that pass. Everything else is dropped: client identity headers, hop-by-hop headers,
 * forwarding headers, every spelling with an underscore (WSGI servers fold `_` and `-`).
 */
const passed: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'content-encoding',
  'content-language',
  'content-type',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-event-id',
  'pragma',
  'prefer',
  'range',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'traceparent',
  'tracestate',
  'user-agent',
  'x-csrf-token',
  'x-csrftoken',
  'x-requested-with',
]);

const webSocketHeaders = [
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
];

/** The port of an address that people use; the usual one where it says none. */
const portOf = (hostname: string): string => /:(\d+)$/.exec(hostname)?.[1] ?? '443';

const isOwnPage = (referer: string, origin: string): boolean =>
  referer === origin || referer.startsWith(`${origin}/`);

/**
 * The headers of the upstream request, built anew. Airflow 2 takes its public address from X-Forwarded-*
 * (proxy fix, one hop), Airflow 3 (uvicorn --proxy-headers) takes the scheme from there and the name from Host.
 * The Referer passes when it is our own: Flask-WTF demands it for a form sent over TLS.
 */
export const upstreamHeaders = (
  client: ReadonlyMap<string, string>,
  facts: ForwardFacts,
  kind: 'request' | 'upgrade' = 'request',
): Record<string, string> => {
  const origin = `https://${facts.hostname}`;
  const headers: Record<string, string> = {};
  for (const [name, value] of client) {
    const passes =
      passed.has(name) ||
      (name === 'origin' && value === origin) ||
      (name === 'referer' && isOwnPage(value, origin)) ||
      (kind === 'upgrade' && webSocketHeaders.includes(name));
    if (passes) headers[name] = value;
  }
  if (facts.cookie !== undefined) headers['cookie'] = facts.cookie;
  headers['host'] = facts.hostname;
  headers['authorization'] = `Bearer ${facts.assertion}`;
  headers['x-forwarded-for'] = facts.clientIp;
  headers['x-forwarded-host'] = facts.hostname;
  headers['x-forwarded-port'] = portOf(facts.hostname);
  headers['x-forwarded-proto'] = 'https';
  return headers;
};

/** Response headers that do not pass: hop-by-hop (RFC 9110 7.6.1), ours to set, or acting on the whole host name. */
const withheld: ReadonlySet<string> = new Set([
  'alt-svc',
  'clear-site-data',
  'connection',
  'keep-alive',
  'location',
  'proxy-authenticate',
  'proxy-connection',
  'refresh',
  'server',
  'set-cookie',
  'strict-transport-security',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export type HeaderValues = Readonly<Record<string, string | string[] | undefined>>;

/** The headers of an answer that pass to the client as they are. */
export const passedResponseHeaders = (upstream: HeaderValues): Record<string, string | string[]> => {
  const hop = String(upstream['connection'] ?? '')
    .toLowerCase()
    .split(/\s*,\s*/);
  const out: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(upstream)) {
    const key = name.toLowerCase();
    if (value !== undefined && !withheld.has(key) && !hop.includes(key)) out[key] = value;
  }
  return out;
};
