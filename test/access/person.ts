import { randomUUID } from 'node:crypto';
import {
  ask,
  outputOf,
  postCommand,
  restPath,
  type Session,
  signIn,
  type TokenSource,
} from '../harness/door.ts';
import { Minter } from '../harness/minter.ts';
import type { CliToken, WebToken } from '../harness/mwaa.ts';
import { type Key, type RawAnswer, signed } from '../harness/raw.ts';
import type { Place } from '../harness/server.ts';
import { dag, type Subject } from './subjects.ts';

/** `yes`, or what the service said instead. */
const outcome = (answer: RawAnswer): string => {
  if (answer.status === 200) return 'yes';
  const text = answer.body['Message'] ?? answer.body['message'] ?? JSON.stringify(answer.body);
  return `${answer.errorType}: ${text}`;
};

/** What the operations of Amazon MWAA say to somebody at one environment; nothing is changed by asking. */
export interface Reach {
  readonly list: string;
  readonly get: string;
  readonly update: string;
  readonly web: string;
  readonly cli: string;
  /** The DAGs over InvokeRestApi. */
  readonly rest: string;
}

/** HTTP statuses of Airflow's REST API, by the session of a web login token. */
export interface InAirflow {
  readonly dags: number;
  readonly connections: number;
  readonly variables: number;
  readonly trigger: number;
  /** The page of Airflow's users. */
  readonly users: number;
}

/** What the core roles of Airflow may, as far as the stories look. */
export const roleReach = {
  Admin: { dags: 200, connections: 200, variables: 200, trigger: 200, users: 200 },
  Op: { dags: 200, connections: 200, variables: 200, trigger: 200, users: 302 },
  User: { dags: 200, connections: 403, variables: 403, trigger: 200, users: 302 },
  Viewer: { dags: 200, connections: 403, variables: 403, trigger: 403, users: 302 },
  Public: { dags: 403, connections: 403, variables: 403, trigger: 403, users: 302 },
} as const satisfies Record<string, InAirflow>;

/** What it says to a call without a right; `why` is what stopped it. */
export const denied = (
  who: string,
  action: string,
  resource: string,
  why = 'identity-based policy',
): string =>
  `AccessDeniedException: User: ${who} is not authorized to perform: ${action} on resource: ${resource} because no ${why} allows the ${action} action`;

export const noRole = 'AccessDeniedException: No Airflow role granted in IAM.';

/** A body that asks for a run of its own. */
const newRun = (s: Subject): string =>
  JSON.stringify({ dag_run_id: `run-${randomUUID()}`, ...(s.airflow === 3 ? { logical_date: null } : {}) });

/** Somebody, or a program, with a key: what they may do over the API, as commands and in Airflow. */
export class Person implements TokenSource {
  readonly place: Place;
  readonly #key: Key;
  readonly #mint: Minter;

  constructor(place: Place, key: Key) {
    this.place = place;
    this.#key = key;
    this.#mint = new Minter(place, key);
  }

  call(method: string, path: string, body?: object, service = 'airflow'): Promise<RawAnswer> {
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    return signed(this.place, { method, path, service, key: this.#key, ...text });
  }

  webToken(name: string): Promise<WebToken> {
    return this.#mint.webToken(name);
  }

  cliToken(name: string): Promise<CliToken> {
    return this.#mint.cliToken(name);
  }

  async invoke(s: Subject, Method: string, Path: string, Body?: object): Promise<RawAnswer> {
    const ask = () => this.call('POST', `/restapi/${s.name}`, { Method, Path, ...(Body ? { Body } : {}) });
    const answer = await ask();
    // Airflow has ten seconds, which the first request of a person may take where other suites run as well
    return Method === 'GET' && answer.body['RestApiStatusCode'] === 504 ? ask() : answer;
  }

  /** The status that Airflow gives over InvokeRestApi. @throws Error when it never came so far */
  async invoked(s: Subject, method: string, path: string, body?: object): Promise<number> {
    const answer = await this.invoke(s, method, path, body);
    const status = answer.body['RestApiStatusCode'];
    if (typeof status !== 'number') throw new Error(outcome(answer));
    return status;
  }

  async reach(s: Subject): Promise<Reach> {
    const said = async (...call: Parameters<Person['call']>) => outcome(await this.call(...call));
    return {
      list: await said('GET', '/environments'),
      get: await said('GET', `/environments/${s.name}`),
      update: await this.#mayUpdate(s),
      web: await said('POST', `/webtoken/${s.name}`),
      cli: await said('POST', `/clitoken/${s.name}`),
      rest: outcome(await this.invoke(s, 'GET', '/dags')),
    };
  }

  /** There is no such bucket: who may update is told so, and nothing changes. */
  async #mayUpdate(s: Subject): Promise<string> {
    const body = { SourceBucketArn: 'arn:aws:s3:::there-is-none' };
    const answer = await this.call('PATCH', `/environments/${s.name}`, body);
    return answer.errorType === 'ValidationException' ? 'yes' : outcome(answer);
  }

  signIn(s: Subject): Promise<Session> {
    return signIn(this.place, this, s.name, s.airflow);
  }

  /** By the session of a script. */
  async inAirflow(s: Subject): Promise<InAirflow> {
    const session = await this.signIn(s);
    const api = restPath(s.airflow);
    const status = async (path: string): Promise<number> => (await session.get(path)).status;
    const headers = { ...session.headers, 'content-type': 'application/json' };
    const runs = `${api}/dags/${dag}/dagRuns`;
    const trigger = await ask(this.place, session.hostname, runs, {
      method: 'POST',
      headers,
      body: newRun(s),
    });
    return {
      dags: await status(`${api}/dags`),
      connections: await status(`${api}/connections`),
      variables: await status(`${api}/variables`),
      trigger: trigger.status,
      users: await status(s.airflow === 2 ? '/users/list/' : '/auth/users/list/'),
    };
  }

  /** The same over InvokeRestApi, which reaches Airflow's API alone. */
  async overInvoke(s: Subject): Promise<Omit<InAirflow, 'users'>> {
    const trigger = JSON.parse(newRun(s)) as object;
    return {
      dags: await this.invoked(s, 'GET', '/dags'),
      connections: await this.invoked(s, 'GET', '/connections'),
      variables: await this.invoked(s, 'GET', '/variables'),
      trigger: await this.invoked(s, 'POST', `/dags/${dag}/dagRuns`, trigger),
    };
  }

  /** What an Airflow command answers; 403 and the like without output. */
  async command(s: Subject, words: string): Promise<{ status: number; stdout: string; stderr: string }> {
    return outputOf(await postCommand(this.place, await this.cliToken(s.name), words));
  }
}
