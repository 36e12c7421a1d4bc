/** A request target in origin form, or why it is refused, with the HTTP status that says so. */
export type OriginForm =
  | { readonly target: string }
  | { readonly refused: string; readonly status: 400 | 421 };

/** How a request came in. */
export interface Received {
  readonly scheme: 'http' | 'https';
  /** The value of its Host header. */
  readonly host: string;
}

const defaultPorts = { http: ':80', https: ':443' } as const;

/** An authority as it is compared: host names in lower case, without the default port of the scheme (RFC 9110 4.2.3). */
export const plainAuthority = (authority: string, scheme: Received['scheme']): string => {
  const lower = authority.toLowerCase();
  const port = defaultPorts[scheme];
  return lower.endsWith(port) && lower.length > port.length ? lower.slice(0, -port.length) : lower;
};

const refuse = (status: 400 | 421, refused: string): OriginForm => ({ refused, status });

/**
 * The origin form of a request target: `/path?query` stays as it is, `https://host/path?query` loses scheme and
 * authority, which must be those of the request (RFC 9112 3.2.2 has servers accept both). Whether the path itself is good is
 * for the caller to judge.
 */
export const originForm = (target: string, { scheme, host }: Received): OriginForm => {
  if (target.startsWith('/')) return { target };
  const [whole, given = '', authority = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(target) ?? [];
  if (whole === undefined)
    return refuse(400, `The request target must be a path, or an address that begins with ${scheme}://.`);
  if (authority === '' || authority.includes('@'))
    return refuse(400, 'The address in the request target must have a host, and no user.');
  if (given.toLowerCase() !== scheme)
    return refuse(421, `The address in the request target must begin with ${scheme}://.`);
  if (plainAuthority(authority, scheme) !== plainAuthority(host, scheme))
    return refuse(421, 'The address in the request target and the Host header name different hosts.');
  const rest = target.slice(whole.length);
  return { target: rest.startsWith('/') ? rest : `/${rest}` };
};
