import { postLogin, type TokenSource } from './door.ts';
import { type RawAnswer, signed } from './raw.ts';
import type { Place } from './server.ts';

/** `Cookie` and `Origin` of a browser that signed in by a page of that environment. */
export const browserHeaders = async (
  place: Place,
  source: TokenSource,
  name: string,
  airflow: 2 | 3,
): Promise<Readonly<Record<string, string>>> => {
  const token = await source.webToken(name);
  const origin = `https://${token.WebServerHostname}`;
  const headers = { origin, 'sec-fetch-site': 'same-origin' };
  const answer = await postLogin(place, token, airflow, { headers });
  const [cookie = ''] = answer.headers['set-cookie'] ?? [];
  if (answer.status !== 200) throw new Error(`No session: ${answer.status} ${answer.text}`);
  return { ...headers, cookie: cookie.split(';')[0] ?? '' };
};

/** Ends sessions, as the operation RevokeSession of the service `windsock` does. */
export const revokeSessions = (place: Place, which: object): Promise<RawAnswer> =>
  signed(place, {
    ...{ method: 'POST', path: '/windsock/sessions/revoke', service: 'windsock' },
    body: JSON.stringify(which),
  });
