import { pathFault } from '../upstream/plain-path.ts';

/** The target of a request, as it is decided on and as it is forwarded. */
export interface Target {
  /** Path, percent-decoded once, as WSGI and ASGI servers see it. */
  readonly path: string;
  /** Path and query exactly as received; decodes to `path`. */
  readonly raw: string;
  readonly query: string;
}

const bad = (reason: string): { readonly refused: string } => ({ refused: reason });

const decode = (path: string): string | undefined => {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
};

/**
 * Reads a request target, or says why it is refused: everything that two parsers could read differently
 * (dot segments, `//`, backslashes, double encoding, overlong UTF-8, `#`, control characters).
 */
export const readTarget = (raw: string): Target | { readonly refused: string } => {
  if (!raw.startsWith('/')) return bad('The request target must be a path.');
  if (!/^[\x21-\x7e]+$/.test(raw))
    return bad('The request target holds characters that must be percent-encoded.');
  if (raw.includes('#')) return bad('The request target holds a fragment.');
  const at = raw.indexOf('?');
  const encoded = at < 0 ? raw : raw.slice(0, at);
  const path = decode(encoded);
  if (path === undefined) return bad('The path is not percent-encoded UTF-8.');
  const fault = pathFault(path);
  if (fault !== undefined) return bad(fault);
  return { path, raw, query: at < 0 ? '' : raw.slice(at + 1) };
};
