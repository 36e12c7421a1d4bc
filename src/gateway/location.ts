import type { WebTarget } from '../environments/ports.ts';
import type { DoorFacts } from './door-facts.ts';

const schemes = new Set(['http:', 'https:']);
const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

const isHere = (url: URL, door: DoorFacts, target: WebTarget): boolean =>
  door.hostnames().includes(url.host) || (loopback.has(url.hostname) && url.port === String(target.port));

/**
 * A Location of Airflow as the client may see it: its own pages always as a path of this door. Airflow may
 * send elsewhere only with a plain absolute address; `//host`, `/\host` and other schemes lead to `/`.
 */
export const rewriteLocation = (
  location: string,
  path: string,
  door: DoorFacts,
  target: WebTarget,
): string => {
  const absolute = /^https?:\/\/[^/\\]/i.test(location);
  const base = `${door.origin}${path}`;
  const url = URL.canParse(location, base) ? new URL(location, base) : undefined;
  if (!url || !schemes.has(url.protocol) || url.username || url.password) return '/';
  if (isHere(url, door, target)) {
    const inside = `${url.pathname}${url.search}${url.hash}`;
    return inside.startsWith('//') ? '/' : inside;
  }
  return absolute ? url.href : '/';
};
