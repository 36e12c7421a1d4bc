import type { Browser, Page } from 'playwright-core';
import { ask, restPath, type Session } from '../harness/door.ts';
import type { Iam, Statement } from '../harness/iam.ts';
import type { Place } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { open } from './look.ts';
import { rootOf } from './people.ts';
import { Person } from './person.ts';
import { pausedDag, type Subject, subjects, three } from './subjects.ts';

/** How something that was open ended after its right had been withdrawn. */
export interface Ending {
  readonly what: string;
  readonly seconds: number;
  readonly session?: Session;
  readonly path: string;
  /** What was said meanwhile to a call for a new token, with the same credentials. */
  readonly refusal?: string;
  /** Signs in anew and gives the status of a request. */
  readonly again?: () => Promise<number>;
}

interface Case {
  readonly name: string;
  /** Who is signed in; asked for once more after the right is given again. */
  readonly person: () => Promise<Person>;
  readonly withdraw: () => Promise<unknown>;
  readonly restore: () => Promise<unknown>;
}

interface Stage {
  readonly place: Place;
  readonly iam: Iam;
  readonly browser: Browser;
}

const entering = (role: string): Statement => ({
  Action: ['airflow:CreateWebLoginToken', 'airflow:InvokeRestApi'],
  Resource: `arn:aws:airflow:*:*:role/*/${role}`,
});
const enter = entering('User');
const assume: Statement = { Action: 'sts:AssumeRole' };

/** Everything that can take a right away, each with somebody of its own. */
const casesOf = async ({ place, iam }: Stage): Promise<readonly Case[]> => {
  const root = rootOf(place);
  const fired = await iam.user('fired', { statements: [enter] });
  const leaked = await iam.user('leaked', { statements: [enter] });
  const key = (Status: string) =>
    iam.call('UpdateAccessKey', { UserName: 'leaked', AccessKeyId: leaked.accessKeyId, Status });
  const trusted = await iam.user('trusted', { statements: [assume] });
  await iam.role('shrinking', { statements: [enter] });
  await iam.role('revoked', { statements: [enter] });
  const staged = await iam.user('staged', {
    statements: [{ ...enter, Condition: { StringEquals: { 'aws:ResourceTag/stage': 'open' } } }],
  });
  const replaced = { key: await iam.user('replaced', { statements: [enter] }) };
  const replace = async (): Promise<void> => {
    const UserName = 'replaced';
    await iam.call('DeleteAccessKey', { UserName, AccessKeyId: replaced.key.accessKeyId });
    await iam.drop('User', UserName);
    await iam.call('DeleteUser', { UserName });
    replaced.key = await iam.user(UserName, { statements: [enter] });
  };
  const setStage = async (stage: string): Promise<void> => {
    for (const { name } of subjects) {
      const arn = `arn:aws:airflow:us-east-1:${iam.accountId}:environment/${name}`;
      await root.call('POST', `/tags/${encodeURIComponent(arn)}`, { Tags: { stage } });
    }
  };
  const holding = (given: typeof fired) => async () => new Person(place, given);
  const inRole = (role: string) => async () => new Person(place, await iam.assume(trusted, role, 'somebody'));
  return [
    {
      name: 'a policy is taken away',
      person: holding(fired),
      withdraw: () => iam.drop('User', 'fired'),
      restore: () => iam.put('User', 'fired', [enter]),
    },
    {
      name: 'an access key is switched off',
      person: holding(leaked),
      withdraw: () => key('Inactive'),
      restore: () => key('Active'),
    },
    {
      name: 'a role loses its policy',
      person: inRole('shrinking'),
      withdraw: () => iam.drop('Role', 'shrinking'),
      restore: () => iam.put('Role', 'shrinking', [enter]),
    },
    {
      name: 'the sessions of a role are revoked',
      person: inRole('revoked'),
      withdraw: () => root.call('POST', '/windsock/roles/revoked/revoke-sessions', undefined, 'windsock'),
      // nothing is given again: who assumes the role anew gets in
      restore: async () => {},
    },
    {
      name: 'a user is made anew under the same name, with the same rights and another key',
      person: async () => new Person(place, replaced.key),
      withdraw: replace,
      restore: async () => {},
    },
    {
      name: 'the tag of an environment changes',
      person: holding(staged),
      withdraw: () => setStage('closed'),
      restore: () => setStage('open'),
    },
  ];
};

const versionPath = (s: Subject): string => `${restPath(s.airflow)}/version`;

/** Asks every three seconds until it is refused. */
const untilRefused = async (what: string, s: Subject, session: Session): Promise<void> => {
  const path = versionPath(s);
  const refused = async () => [401, 403].includes((await session.get(path)).status);
  await until(what, 75, refused, 3_000);
};

/** Asks for something that only the role of before may see; the session itself stays. */
const untilWeaker = async (what: string, s: Subject, session: Session): Promise<void> => {
  const variables = `${restPath(s.airflow)}/variables`;
  await until(what, 75, async () => (await session.get(variables)).status === 403, 3_000);
  const { status } = await session.get(versionPath(s));
  if (status !== 200) throw new Error(`${what}: the session ended with ${status}`);
};

/** Airflow says every second how a run is that never begins; resolves when the door cuts that. */
const stream = async (place: Place, session: Session, run: string): Promise<void> => {
  const path = `/api/v2/dags/${pausedDag}/dagRuns/${run}/wait?interval=1`;
  const answer = await ask(place, session.hostname, path, { headers: session.headers }).catch(
    () => undefined,
  );
  if (answer) throw new Error(`the stream came to its own end: ${answer.status} ${answer.text}`);
};

/** Sessions, streams and pages that are open while the rights behind them are withdrawn. */
export class Withdrawals {
  readonly pages: readonly Page[];
  readonly #cases: readonly Case[];
  readonly #endings: Promise<readonly PromiseSettledResult<Ending>[]>;

  private constructor(pages: readonly Page[], cases: readonly Case[], endings: readonly Promise<Ending>[]) {
    this.pages = pages;
    this.#cases = cases;
    this.#endings = Promise.allSettled(endings);
  }

  /** Opens everything, withdraws the rights, and watches from then on. */
  static async begin(stage: Stage): Promise<Withdrawals> {
    const cases = await casesOf(stage);
    const pages: Page[] = [];
    const watched: (() => Promise<Ending>)[] = [];
    let withdrawnAt = 0;
    const watch = (ending: Omit<Ending, 'seconds'>, ended: () => Promise<Partial<Ending>>) =>
      watched.push(async () => {
        const more = await ended();
        return { ...ending, ...more, seconds: (performance.now() - withdrawnAt) / 1000 };
      });
    for (const { name, person } of cases) {
      const somebody = await person();
      for (const s of subjects) {
        const session = await somebody.signIn(s);
        const path = versionPath(s);
        const again = async () => (await (await (await person()).signIn(s)).get(path)).status;
        const what = `${name}, ${s.version}`;
        watch({ what, session, path, again }, async () => {
          const refusal = (await somebody.reach(s)).web;
          await untilRefused(what, s, session);
          return { refusal };
        });
        if (name === cases[0]?.name) pages.push(await open(stage.browser, somebody, s));
      }
      if (name !== cases[0]?.name) continue;
      const run = { dag_run_id: 'streamed', logical_date: null };
      await somebody.invoked(three, 'POST', `/dags/${pausedDag}/dagRuns`, run);
      const session = await somebody.signIn(three);
      const ended = stream(stage.place, session, 'streamed');
      watch({ what: `${name}: a stream`, path: versionPath(three), session }, async () => {
        await ended;
        return {};
      });
    }
    const demoted = await stage.iam.user('demoted', { statements: [entering('Op')] });
    for (const s of subjects) {
      const what = `Op becomes Viewer, ${s.version}`;
      const session = await new Person(stage.place, demoted).signIn(s);
      const before = await session.get(`${restPath(s.airflow)}/variables`);
      if (before.status !== 200) throw new Error(`${what}: ${before.status} ${before.text}`);
      watch({ what, path: versionPath(s) }, async () => {
        await untilWeaker(what, s, session);
        return {};
      });
    }
    for (const { withdraw } of cases) await withdraw();
    await stage.iam.put('User', 'demoted', [entering('Viewer')]);
    withdrawnAt = performance.now();
    return new Withdrawals(
      pages,
      cases,
      watched.map((begin) => begin()),
    );
  }

  /** @throws what the first that did not end says */
  async endings(): Promise<readonly Ending[]> {
    return (await this.#endings).map((ending) => {
      if (ending.status === 'rejected') throw ending.reason;
      return ending.value;
    });
  }

  async restore(): Promise<void> {
    for (const { restore } of this.#cases) await restore();
  }
}
