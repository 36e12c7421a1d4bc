import type { SessionKind } from '../tokens/session-store.ts';
import type { DoorFacts } from './door-facts.ts';

/** The names and values of a Cookie header, in order; a name may come twice. */
export type Cookies = readonly (readonly [name: string, value: string])[];

export const readCookies = (header: string | undefined): Cookies =>
  (header ?? '')
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part.includes('='))
    .map(
      (part) => [part.slice(0, part.indexOf('=')).trim(), part.slice(part.indexOf('=') + 1).trim()] as const,
    );

/** Every value of a cookie, each once, in order. */
export const cookieValues = (cookies: Cookies, name: string): readonly string[] => [
  ...new Set(cookies.filter(([n]) => n === name).map(([, value]) => value)),
];

/** The value of a cookie; undefined when there is none, or two that differ (one of them is planted). */
const cookieValue = (cookies: Cookies, name: string): string | undefined => {
  const [value, other] = cookieValues(cookies, name);
  return other === undefined ? value : undefined;
};

/** Airflow's own cookie: CSRF and flash messages, no identity. */
const airflowCookie = (id: string): string => `airflow_${id}`;

/**
 * Where a session's secret is kept. Browsers: a name that no script can set (`__Host-Http-`) and that says
 * which environment, because ports of one host share a cookie jar. Scripts: the names that AWS documents.
 */
export const sessionCookie = (kind: SessionKind, door: DoorFacts): string => {
  if (kind === 'browser') return `__Host-Http-windsock-${door.id}`;
  return door.airflow === 2 ? 'session' : '_token';
};

/** The Set-Cookie that begins a session of so many seconds. */
export const beginSession = (
  kind: SessionKind,
  door: DoorFacts,
  { secret, seconds }: { readonly secret: string; readonly seconds: number },
): string => {
  const base = `${sessionCookie(kind, door)}=${secret}; Path=/; Secure; HttpOnly`;
  return kind === 'browser' ? `${base}; SameSite=Lax; Max-Age=${seconds}` : base;
};

/** The Set-Cookie headers that make a browser forget a session and Airflow's part of it. */
export const forgetSession = (door: DoorFacts): string[] =>
  [sessionCookie('browser', door), airflowCookie(door.id)].map(
    (name) => `${name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`,
  );

/** The only cookie that Airflow gets. */
export const upstreamCookie = (cookies: Cookies, id: string): string | undefined => {
  const value = cookieValue(cookies, airflowCookie(id));
  return value === undefined ? undefined : `${airflowCookie(id)}=${value}`;
};

/** Of Airflow's Set-Cookie headers only its own cookie passes, bound to this host and to TLS. */
export const passedSetCookies = (upstream: readonly string[], id: string): string[] =>
  upstream.flatMap((header) => {
    const [pair = '', ...attributes] = header.split(';').map((part) => part.trim());
    const [name, value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
    if (name !== airflowCookie(id) || !/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/.test(value)) return [];
    const lifetime = attributes.filter((a) => /^(max-age=-?\d+|expires=[\w, :-]+)$/i.test(a));
    return [[`${name}=${value}`, ...lifetime, 'Path=/', 'Secure', 'HttpOnly', 'SameSite=Lax'].join('; ')];
  });
