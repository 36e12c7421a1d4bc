import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';

export type Route =
  | { readonly to: 'console-sso' | 'login' | 'cli' | 'sign-in' | 'sign-out' | 'proxy' }
  | {
      readonly to: 'nowhere';
      readonly status: 403 | 404 | 405;
      readonly why: string;
      /** With 405: the methods that are served. */
      readonly allow?: readonly string[];
    };

const nowhere = (status: 403 | 404 | 405, why: string) => ({ to: 'nowhere', status, why }) as const;

const under = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

export const loginPath = (airflow: 2 | 3): string =>
  airflow === 2 ? '/aws_mwaa/login' : '/pluginsv2/aws_mwaa/login';
export const signOutPath = '/aws_mwaa/sign-out';

/** Credentials and task interfaces of Airflow that nobody outside may reach. */
const isClosed = (path: string): boolean =>
  under(path, '/execution') ||
  under(path, '/internal_api') ||
  under(path, '/api/experimental') ||
  under(path, '/ui/auth/token') ||
  path.startsWith('/auth/token') ||
  /^\/(auth\/)?reset(my)?password/.test(path);

/** Airflow's own ways in and out, which are ours. */
const airflowLogin = { 2: /^\/login(\/|$)/, 3: /^\/(auth\/login|api\/v2\/auth\/login)/ } as const;
const airflowLogout = { 2: /^\/logout(\/|$)/, 3: /^\/(auth\/logout|api\/v2\/auth\/logout)/ } as const;

/** What the door's own paths are for, in the words of an error. */
const uses = {
  login: 'It exchanges a web login token, the form field token, for a session.',
  cli: 'It runs the Airflow command in the body, with a CLI token as Authorization: Bearer.',
  'console-sso': 'It signs a browser in, with the web login token behind the # of the address.',
  'sign-out': 'It ends a session.',
} as const;

/** The name of each of the door's own paths: its last segment. */
const ownPath = (name: string, airflow: 2 | 3): string | undefined => {
  if (name === 'login') return loginPath(airflow);
  return ['cli', 'aws-console-sso', 'sign-out'].includes(name) ? `/aws_mwaa/${name}` : undefined;
};

/**
 * 404 stays 404: clients find out the version by it (Amazon MWAA User Guide, "Accessing the Apache Airflow REST API"). But whoever reads
 * it learns where to go.
 */
const wrongPath = (path: string, airflow: 2 | 3): Route => {
  const name = path.split('/').findLast((segment) => segment !== '') ?? '';
  const right = ownPath(name, airflow);
  if (right === undefined) return nowhere(404, 'There is nothing at this path.');
  const isLogin = name === 'login' && path.replace(/\/+$/, '') !== right;
  const where = isLogin ? `this environment runs Airflow ${airflow}, where it is ${right}` : `it is ${right}`;
  return nowhere(404, `There is nothing at this path: ${where}`);
};

const only = (
  method: string,
  allowed: readonly string[],
  to: 'console-sso' | 'login' | 'cli' | 'sign-out',
): Route =>
  allowed.includes(method)
    ? { to }
    : { ...nowhere(405, `This path serves ${allowed.join(' and ')} only. ${uses[to]}`), allow: allowed };

const ownRoute = (method: string, path: string, airflow: 2 | 3): Route => {
  if (path === '/aws_mwaa/aws-console-sso') return only(method, ['GET', 'HEAD'], 'console-sso');
  if (airflow === 3 && path === '/pluginsv2/aws_mwaa/aws-console-sso')
    return only(method, ['GET', 'HEAD'], 'console-sso');
  if (path === loginPath(airflow)) return only(method, ['POST'], 'login');
  if (path === '/aws_mwaa/cli') return only(method, ['POST'], 'cli');
  if (path === signOutPath) return only(method, ['GET', 'HEAD', 'POST'], 'sign-out');
  return wrongPath(path, airflow);
};

/** Where a request goes: own paths first, closed ones next, the rest to Airflow. Decides on the decoded path. */
export const routeOf = (
  request: Pick<DoorRequest, 'method' | 'target'>,
  door: Pick<DoorFacts, 'airflow'>,
): Route => {
  const { path, raw, query } = request.target;
  if (under(path, '/aws_mwaa') || under(path, '/pluginsv2/aws_mwaa')) {
    const exact = raw === path || raw === `${path}?${query}`;
    return exact
      ? ownRoute(request.method, path, door.airflow)
      : nowhere(404, 'There is nothing at this path.');
  }
  if (isClosed(path))
    return nowhere(403, 'This path is not served: credentials are given out by the API of Windsock only.');
  if (airflowLogin[door.airflow].test(path)) return { to: 'sign-in' };
  if (airflowLogout[door.airflow].test(path)) return { to: 'sign-out' };
  return { to: 'proxy' };
};
