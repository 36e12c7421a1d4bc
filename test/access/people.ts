import type { Iam, Statement } from '../harness/iam.ts';
import { rootKey } from '../harness/mwaa.ts';
import type { Place } from '../harness/server.ts';
import { Person } from './person.ts';
import type { CoreRole } from './roles.ts';
import type { Subject } from './subjects.ts';

/** A server with its directory of people. */
export interface Stage {
  readonly place: Place;
  readonly iam: Iam;
}

/** The right to get into that environment, in a browser and over InvokeRestApi, with these roles. */
export const entering = (s: Subject, ...roles: readonly CoreRole[]): Statement => ({
  Action: ['airflow:CreateWebLoginToken', 'airflow:InvokeRestApi'],
  Resource: roles.map((role) => `arn:aws:airflow:*:*:role/${s.name}/${role}`),
});

/** Somebody with these core roles in one environment, and with no other right. */
export const withRoles = async (
  { place, iam }: Stage,
  s: Subject,
  name: string,
  ...roles: readonly CoreRole[]
): Promise<Person> => new Person(place, await iam.user(name, { statements: [entering(s, ...roles)] }));

/** Who may do everything. */
export const rootOf = (place: Place): Person => new Person(place, rootKey(place));
