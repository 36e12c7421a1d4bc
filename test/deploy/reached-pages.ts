// Which pages of the plugin somebody reaches through the gateway, by the core role of Airflow that they have.
import { type Stage, withRoles } from '../access/people.ts';
import type { CoreRole } from '../access/roles.ts';
import type { Subject } from '../access/subjects.ts';
import type { Session } from '../harness/door.ts';

const roles = ['Admin', 'Op', 'Viewer', 'Public'] as const satisfies readonly CoreRole[];

/** What is asked for, and who is answered how. */
export interface Pages {
  /** The view of Flask-AppBuilder. */
  readonly view: string;
  readonly paths: readonly string[];
  /** HTTP statuses, in the order of the roles; whoever may not see a view of Flask-AppBuilder is led away. */
  readonly statuses: Readonly<Record<string, readonly number[]>>;
}

const pagesOf = (view: string, statuses: Pages['statuses']): Pages => ({
  ...{ view, statuses, paths: Object.keys(statuses) },
});

export const pages: Readonly<Record<2 | 3, Pages>> = {
  2: pagesOf('/reports/', {
    '/reports/': [200, 302, 302, 302],
    '/unchecked/': [200, 200, 200, 200],
  }),
  3: pagesOf('/pluginsv2/reports/', {
    '/pluginsv2/reports/': [200, 302, 302, 302],
    '/pluginsv2/unchecked/': [200, 200, 200, 200],
    '/figures/unchecked': [200, 200, 200, 200],
    '/figures/checked': [200, 200, 403, 403],
  }),
};

/** A session of somebody new for each role. */
export const sessionsOfRoles = async (stage: Stage, s: Subject): Promise<readonly Session[]> => {
  const people = roles.map((role) => withRoles(stage, s, `reads-${role}-${s.name}`, role));
  return Promise.all(people.map(async (person) => (await person).signIn(s)));
};

/** The statuses of every page, in the order of these sessions. */
export const statusesFor = async (
  sessions: readonly Session[],
  { paths }: Pages,
): Promise<Pages['statuses']> => {
  const found = paths.map(async (path) => {
    const answers = await Promise.all(sessions.map((session) => session.get(path)));
    return [path, answers.map(({ status }) => status)] as const;
  });
  return Object.fromEntries(await Promise.all(found));
};
