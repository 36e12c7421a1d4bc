import { ask, type DoorAnswer, restPath, type Session } from '../harness/door.ts';
import type { Person } from './person.ts';
import { pausedDag, type Subject } from './subjects.ts';

/** Airflow's core roles, each with everything of those before it. */
export const coreRoles = ['Public', 'Viewer', 'User', 'Op', 'Admin'] as const;
export type CoreRole = (typeof coreRoles)[number];

interface Call {
  readonly method: string;
  /** Below the root of the REST API. */
  readonly path: string;
  readonly body?: object;
}

/** Each action as one call that changes nothing another one looks at; `id` is of whoever asks. */
const calls = (id: string, airflow: 2 | 3) =>
  ({
    'see DAGs': { method: 'GET', path: '/dags' },
    'see tasks and runs': { method: 'GET', path: '/dags/~/dagRuns/~/taskInstances' },
    'see the audit log': { method: 'GET', path: '/eventLogs' },
    'see the configuration': { method: 'GET', path: '/config' },
    'see variables': { method: 'GET', path: '/variables' },
    'see connections': { method: 'GET', path: '/connections' },
    'see pools': { method: 'GET', path: '/pools' },
    'trigger a DAG': {
      ...{ method: 'POST', path: `/dags/${pausedDag}/dagRuns` },
      body: { dag_run_id: id, ...(airflow === 3 ? { logical_date: null } : {}) },
    },
    'pause a DAG': { method: 'PATCH', path: `/dags/${pausedDag}`, body: { is_paused: true } },
    'clear tasks': {
      ...{ method: 'POST', path: `/dags/${pausedDag}/clearTaskInstances` },
      body: { dry_run: true },
    },
    'edit variables': { method: 'POST', path: '/variables', body: { key: id, value: 'x' } },
    'edit connections': {
      ...{ method: 'POST', path: '/connections' },
      body: { connection_id: id, conn_type: 'http' },
    },
    'edit pools': {
      ...{ method: 'POST', path: '/pools' },
      body: { name: id, slots: 1, ...(airflow === 3 ? { description: id } : {}) },
    },
  }) satisfies Record<string, Call>;

export type Action = keyof ReturnType<typeof calls> | 'manage users';

/** Who may do that, by what Airflow answered. */
export type RoleTable = Readonly<Record<Action, readonly CoreRole[]>>;

/** From that role on. */
const from = (role: CoreRole): readonly CoreRole[] => coreRoles.slice(coreRoles.indexOf(role));

/** What Airflow 2.9.2, 2.10.3 and 2.11.2 answer; docs/airflow-roles.md says it to users. */
const rolesOfTwo: RoleTable = {
  'see DAGs': from('Viewer'),
  'see tasks and runs': from('Viewer'),
  'see the audit log': from('Admin'),
  'see the configuration': from('Op'),
  'see variables': from('Op'),
  'see connections': from('Op'),
  'see pools': from('Viewer'),
  'trigger a DAG': from('User'),
  'pause a DAG': from('User'),
  'clear tasks': from('User'),
  'edit variables': from('Op'),
  'edit connections': from('Op'),
  'edit pools': from('Op'),
  'manage users': from('Admin'),
};

/** What Airflow 2.8.1 answers: its lists of permissions differ in this one. */
const rolesOfTwoEight: RoleTable = { ...rolesOfTwo, 'see the audit log': from('Viewer') };

/** What Airflow 2.7.2 answers, in which one more differs. */
const rolesOfTwoSeven: RoleTable = { ...rolesOfTwoEight, 'see pools': from('Op') };

/** What Airflow 3.0.6, 3.2.1 and 3.3.1 answer. */
const rolesOfThree: RoleTable = { ...rolesOfTwo };

export const promisedIn = ({ version, airflow }: Subject): RoleTable => {
  if (airflow === 3) return rolesOfThree;
  if (version.startsWith('2.8.')) return rolesOfTwoEight;
  return version.startsWith('2.7.') ? rolesOfTwoSeven : rolesOfTwo;
};

/** `yes` and `no` of an answer. @throws Error for one that says neither */
const allowed = (action: string, status: number, text: string): boolean => {
  if (status < 300) return true;
  if (status === 403) return false;
  throw new Error(`${action}: ${status} ${text}`);
};

const usersPage = { 2: '/users/list/', 3: '/auth/users/list/' } as const;

/** Airflow 2 and 3 lead whoever may not see the page elsewhere. */
const seesUsers = (answer: DoorAnswer): boolean => answer.status === 200;

/** What somebody may do over InvokeRestApi; users are managed on a page, for which a session is needed. */
export const allowedTo = async (
  person: Person,
  s: Subject,
  id: string,
): Promise<Readonly<Record<Action, boolean>>> => {
  const answers = Object.entries<Call>(calls(id, s.airflow)).map(async ([action, call]) => {
    const answer = await person.invoke(s, call.method, call.path, call.body);
    const status = Number(answer.body['RestApiStatusCode']);
    return [action, allowed(action, status, JSON.stringify(answer.body))] as const;
  });
  const session = await person.signIn(s);
  const users = seesUsers(await session.get(usersPage[s.airflow]));
  return { ...Object.fromEntries(await Promise.all(answers)), 'manage users': users } as Readonly<
    Record<Action, boolean>
  >;
};

/** The same by the session of a script, but for what can be done once only. */
export const allowedBySession = async (
  place: Person['place'],
  session: Session,
  s: Subject,
  id: string,
): Promise<Readonly<Record<string, boolean>>> => {
  const json = 'application/json';
  const headers = { ...session.headers, accept: json, 'content-type': json };
  const found: Record<string, boolean> = {};
  for (const [action, call] of Object.entries<Call>(calls(id, s.airflow))) {
    const body = call.body === undefined ? {} : { body: JSON.stringify(call.body) };
    const path = `${restPath(s.airflow)}${call.path}`;
    const answer = await ask(place, session.hostname, path, { method: call.method, headers, ...body });
    found[action] = allowed(action, answer.status, answer.text);
  }
  return found;
};
