// The main job, for two versions of Airflow on one server: from CreateEnvironment to the browser and back to nothing.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountOf, isRoot } from '../harness/accounts.ts';
import { launchBrowser, loginUrl, newContext } from '../harness/browser.ts';
import { putDag, sayingDag, variablesDag } from '../harness/dags.ts';
import {
  ask,
  outputOf,
  postCommand,
  postLogin,
  restPath,
  runCommand,
  type Session,
  signIn,
} from '../harness/door.ts';
import { connectAs } from '../harness/environment-database.ts';
import { machineOf } from '../harness/environments.ts';
import { Iam } from '../harness/iam.ts';
import { outlivesIdleness } from '../harness/idle-connection.ts';
import { Minter } from '../harness/minter.ts';
import {
  type Answer,
  type CliToken,
  type Environment,
  Mwaa,
  newEnvironment,
  type WebToken,
} from '../harness/mwaa.ts';
import { superuserOf } from '../harness/own-database.ts';
import { processesOf } from '../harness/processes.ts';
import { runClient } from '../harness/python.ts';
import {
  environmentIds,
  leftOvers,
  type Place,
  type Running,
  serverLog,
  stopServer,
} from '../harness/server.ts';
import { windsockProgram } from '../harness/tools.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';
import { runWindsock } from '../harness/windsock.ts';

interface Subject {
  readonly name: string;
  readonly version: string;
  readonly airflow: 2 | 3;
}
const two: Subject = { name: 'two', version: '2.7.2', airflow: 2 };
const three: Subject = { name: 'three', version: '3.3.1', airflow: 3 };
const subjects = [three, two];
const otherOf = (s: Subject): Subject => (s === two ? three : two);

/** An option of the user's, and spellings of options that are Windsock's own: a variable would beat the file. */
const evil = 'evil.value';
const options = {
  'custom.queue': 'fast',
  'smtp.smtp_host': 'mail.example',
  'core.fernet_key_cmd': evil,
  'core.sql_alchemy_conn': evil,
  'database.sql_alchemy_conn_cmd': evil,
  'api.auth_backend': evil,
  'fab.auth_backends': evil,
  'core.base_log_folder': evil,
  'webserver.secret_key': evil,
  'api_auth.jwt_secret_secret': evil,
  'workers.execution_api_server_url': evil,
  'webserver.web_server_port': evil,
};

let place: Place;
let server: Running;
let mwaa: Mwaa;
let mint: Minter;
let browser: Browser;
let context: BrowserContext;
const pages = new Map<string, Page>();
const spare = new Map<string, { web: WebToken; cli: CliToken; at: number }>();

const used = useServer({ airflow: ['2.7.2', '3.3.1'] });
beforeAll(async () => {
  ({ place, server } = used);
  mwaa = new Mwaa(place);
  mint = new Minter(place);
  browser = await launchBrowser();
  context = await newContext(browser);
});

afterAll(async () => {
  await browser?.close();
});

/** Rights of a REST session, asked again and again without a new token. */
const sessions = new Map<string, Session>();
const rest = async (s: Subject): Promise<Session> => {
  const session = sessions.get(s.name) ?? (await signIn(place, mwaa, s.name, s.airflow));
  sessions.set(s.name, session);
  return session;
};
const restJson = async <T>(s: Subject, path: string): Promise<T> => {
  const answer = await (await rest(s)).get(`${restPath(s.airflow)}${path}`);
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text.slice(0, 300)}`);
  return JSON.parse(answer.text) as T;
};

const openUi = async (s: Subject): Promise<Page> => {
  const page = await context.newPage();
  await page.goto(loginUrl(await mwaa.webToken(s.name)));
  await page.waitForURL((url) => !url.pathname.startsWith('/aws_mwaa'), { timeout: 60_000 });
  return page;
};

describe('creation', () => {
  test('CreateEnvironment answers at once with the ARN, GetEnvironment says CREATING', async () => {
    for (const s of subjects) {
      putDag(place, s.name, 'journey.py', sayingDag(`journey_${s.name}`, `The task of ${s.name} speaks`));
      putDag(
        place,
        s.name,
        'variables.py',
        variablesDag('of', 'AIRFLOW__CUSTOM__QUEUE', Object.keys(options)),
      );
      const { Arn } = await mwaa.call<{ Arn: string }>(
        'create_environment',
        newEnvironment(place, s.name, s.version, { AirflowConfigurationOptions: options }),
      );
      expect(Arn).toMatch(new RegExp(`^arn:aws:airflow:us-east-1:\\d{12}:environment/${s.name}$`));
      const { Environment: e } = await mwaa.call<{ Environment: Environment }>('get_environment', {
        Name: s.name,
      });
      expect(e).toMatchObject({
        Name: s.name,
        Status: 'CREATING',
        AirflowVersion: s.version,
        DagS3Path: 'dags',
      });
      expect(e.LastUpdate.Status).toBe('PENDING');
    }
    expect((await mwaa.call<{ Environments: string[] }>('list_environments')).Environments).toEqual([
      'three',
      'two',
    ]);
  });

  test('a token for an environment that is being created is refused', async () => {
    const fault = await mwaa.fault('create_web_login_token', { Name: three.name });
    expect(fault.status).toBe(400);
    expect(fault.Message).toContain('CREATING');
  });

  test.for(subjects)('$version becomes AVAILABLE', { timeout: 600_000 }, async (s) => {
    const { environment, seen } = await mwaa.wait(s.name, 'AVAILABLE', 540);
    expect(environment?.Status, JSON.stringify(environment?.LastUpdate)).toBe('AVAILABLE');
    expect(environment?.LastUpdate).toMatchObject({ Status: 'SUCCESS' });
    expect(environment?.LastUpdate).not.toHaveProperty('Error');
    expect(serverLog(place)).not.toContain('component ended');
    expect(environment?.WebserverUrl).toMatch(/^localhost:\d+$/);
    expect(seen.filter((status) => status !== 'CREATING')).toEqual(['AVAILABLE']);
  });

  test.runIf(isRoot)('as root each environment runs under an account of its own', () => {
    const accounts = environmentIds(place).map((id) => accountOf(`windsock-${id}`)?.uid);
    expect(new Set(accounts).size).toBe(2);
    for (const uid of accounts) {
      const commands = processesOf(place.folder).filter((p) => p.uid === uid);
      expect(commands.some((p) => p.command.includes('scheduler'))).toBe(true);
    }
    expect(
      processesOf(place.folder)
        .filter((p) => p.uid === 0)
        .map((p) => p.command),
    ).toEqual([expect.stringContaining(windsockProgram('main'))]);
  });
});

test('tokens are made that nobody uses in their minute', async () => {
  for (const s of subjects) {
    const [web, cli] = [await mwaa.webToken(s.name), await mwaa.cliToken(s.name)];
    spare.set(s.name, { web, cli, at: performance.now() });
  }
});

describe.for(subjects)('Airflow $version', (s) => {
  const dag = `journey_${s.name}`;

  test('the browser follows the login URL into the Airflow UI, which shows name and role', async () => {
    const page = await openUi(s);
    pages.set(s.name, page);
    expect(page.url()).not.toContain('#');
    await page.getByText('Dags', { exact: false }).first().waitFor({ timeout: 60_000 });
    if (s.airflow === 2) {
      await page.goto(new URL('/users/userinfo/', page.url()).href);
      await page.getByText('[Admin]').waitFor({ timeout: 30_000 });
      expect(await page.locator('body').innerText()).toMatch(/User Name\s+root/);
    } else {
      await page.getByRole('button', { name: 'User' }).click({ timeout: 60_000 });
      await page.getByText('root (Admin)').waitFor({ timeout: 30_000 });
    }
  });

  test('the DAG list shows the DAG of the bucket', async () => {
    const page = pages.get(s.name);
    if (!page) throw new Error('the browser is not signed in');
    await page.goto(new URL(s.airflow === 2 ? '/home' : '/dags', page.url()).href);
    await page.getByText(dag).first().waitFor({ timeout: 60_000 });
    expect(await page.locator('body').innerText()).not.toContain(`journey_${otherOf(s).name}`);
  });

  test('CLI token: dags list, unpause and trigger; the run succeeds', async () => {
    const list = await runCommand(place, mwaa, s.name, 'dags list');
    expect(list.status).toBe(200);
    expect(list.stdout).toContain(dag);
    expect((await runCommand(place, mwaa, s.name, `dags unpause ${dag}`)).status).toBe(200);
    const trigger = await runCommand(place, mwaa, s.name, `dags trigger ${dag} --run-id by-cli`);
    expect(trigger, trigger.stderr).toMatchObject({ status: 200 });
    const state = await until('the end of the run', 120, async () => {
      const run = await restJson<{ state: string }>(s, `/dags/${dag}/dagRuns/by-cli`);
      return ['success', 'failed'].includes(run.state) ? run.state : undefined;
    });
    expect(state).toBe('success');
  });

  test('options are variables of DAG processor, task and command, and none that Windsock sets itself', async () => {
    const run = `/dags/of_fast/dagRuns/variables`;
    await until('the DAG that needs a variable', 90, async () => {
      const found = await (await rest(s)).get(`${restPath(s.airflow)}/dags/of_fast`);
      return found.status === 200;
    });
    for (const command of ['dags unpause of_fast', 'dags trigger of_fast --run-id variables']) {
      const answer = await runCommand(place, mint, s.name, command);
      expect(answer, answer.stderr).toMatchObject({ status: 200 });
    }
    const state = await until('the end of the run', 120, async () => {
      const found = await restJson<{ state: string }>(s, run);
      return ['success', 'failed'].includes(found.state) ? found.state : undefined;
    });
    expect(state).toBe('success');
    const path = `${run}/taskInstances/speak/xcomEntries/return_value`;
    const { value } = await restJson<{ value: unknown }>(s, path);
    // Airflow 2 answers with what Python prints of it
    const seen = typeof value === 'string' ? value : JSON.stringify(value);
    expect(seen).toMatch(/.MWAA_AIRFLOW_COMPONENT.: ?.worker./);
    expect(seen).toMatch(/.AIRFLOW__CUSTOM__QUEUE.: ?.fast./);
    expect(seen).toMatch(/.smtp\.smtp_host.: ?.mail\.example./);
    expect(seen).not.toContain(evil);
    expect(serverLog(place)).not.toContain(evil);
    // on Airflow 3 this takes a minute of a busy machine: airflow/inside shows it there
    if (s.airflow === 3) return;
    const command = await runCommand(place, mint, s.name, 'tasks test of_fast speak');
    expect(command.status, command.stderr).toBe(200);
    const said = command.stdout + command.stderr;
    expect(said).toMatch(/seen: .*.MWAA_AIRFLOW_COMPONENT.: .webserver./);
    expect(said).toMatch(/.AIRFLOW__CUSTOM__QUEUE.: .fast./);
    expect(said).not.toContain(evil);
  });

  test('Airflow names the person whose CLI token ran the command', async () => {
    const person = (await mwaa.webToken(s.name)).AirflowIdentity;
    const { event_logs: entries } = await restJson<{
      event_logs: { event: string; dag_id: string; owner: string }[];
    }>(s, '/eventLogs?limit=100&order_by=-when');
    const triggered = entries.filter((e) => e.event === 'cli_dag_trigger' && e.dag_id === dag);
    expect(triggered.map(({ owner }) => owner)).toEqual([person]);
    if (s.airflow === 2) return;
    const run = await restJson<{ triggering_user_name: string }>(s, `/dags/${dag}/dagRuns/by-cli`);
    expect(run.triggering_user_name).toBe(person);
  });

  test('a command that asks says how to answer; one that fails says first why, without a path of the data folder', async () => {
    for (const words of [`dags delete ${dag}`, 'db clean --clean-before-timestamp 2020-01-01']) {
      const { status, stderr } = await runCommand(place, mwaa, s.name, words);
      expect({ status, stderr }, words).toEqual({
        status: 200,
        stderr: expect.stringMatching(/add --yes\.$/m),
      });
      expect(stderr).not.toMatch(/Traceback|EOFError/);
    }
    const failed = await runCommand(place, mwaa, s.name, 'dags trigger there-is-none');
    const error = failed.stderr.slice(failed.stderr.search(/^\S*DagNotFound: /m)).split('\n');
    expect(error.slice(0, 3)).toEqual([
      expect.stringMatching(/DagNotFound: .*there-is-none/),
      '',
      'Traceback (most recent call last):',
    ]);
    expect(failed.stderr).toContain('File "airflow/');
    expect(failed.stderr).not.toContain(place.data);
  });

  test("the task's log is readable in the browser", async () => {
    const page = pages.get(s.name);
    if (!page) throw new Error('the browser is not signed in');
    const path =
      s.airflow === 2
        ? `/dags/${dag}/grid?dag_run_id=by-cli&task_id=speak&tab=logs`
        : `/dags/${dag}/runs/by-cli/tasks/speak`;
    await page.goto(new URL(path, page.url()).href);
    await page.getByText(`The task of ${s.name} speaks`).first().waitFor({ timeout: 60_000 });
  });

  test('script login as AWS documents it; REST calls work', async () => {
    const token = await mwaa.webToken(s.name);
    const api = restPath(s.airflow);
    const body = s.airflow === 2 ? {} : { logical_date: '2026-01-02T03:04:05Z' };
    const calls = [
      ['GET', `${api}/dags`, null],
      ['POST', `${api}/dags/${dag}/dagRuns`, body],
    ];
    const order = { host: token.WebServerHostname, token: token.WebToken, airflow: s.airflow, calls };
    const env = { REQUESTS_CA_BUNDLE: join(place.data, 'ca-bundle.pem') };
    const answer = await runClient<{
      status: number;
      text: string;
      answers: { status: number; text: string }[];
    }>('login.py', order, { env });
    expect(answer.status, answer.text).toBe(200);
    expect(
      answer.answers.map((a) => a.status),
      JSON.stringify(answer.answers),
    ).toEqual([200, 200]);
    expect(answer.answers[0]?.text).toContain(dag);
  });

  test('InvokeRestApi triggers a run, reads it to its end, and passes what Airflow refuses', async () => {
    const run = 'manual__2026-02-03T04:05:06+00:00';
    const invoke = (Method: string, Path: string, more: object = {}): Promise<readonly Answer[]> =>
      mwaa.calls([
        ['invoke_rest_api', { Name: s.name, Method, Path, Body: {}, QueryParameters: {}, ...more }],
      ]);
    const result = async (...args: Parameters<typeof invoke>) => {
      const [answer] = await invoke(...args);
      if (answer?.error) throw new Error(JSON.stringify(answer.error));
      return answer?.result as { RestApiStatusCode: number; RestApiResponse: Record<string, unknown> };
    };
    const fault = async (...args: Parameters<typeof invoke>) => (await invoke(...args))[0]?.error;

    const Body = { dag_run_id: run, logical_date: '2026-02-03T04:05:06Z', conf: { note: 'é & +' } };
    const triggered = await result('POST', `/dags/${dag}/dagRuns`, { Body });
    expect(triggered).toMatchObject({
      RestApiStatusCode: 200,
      RestApiResponse: { dag_run_id: run, conf: { note: 'é & +' } },
    });
    const state = await until('the end of the run', 120, async () => {
      const { RestApiResponse: now } = await result('GET', `/dags/${dag}/dagRuns/${run}`);
      return ['success', 'failed'].includes(String(now['state'])) && now['state'];
    });
    expect(state).toBe('success');
    const listed = await result('GET', `/dags/${dag}/dagRuns`, { QueryParameters: { limit: 1 } });
    expect(listed.RestApiResponse['dag_runs']).toHaveLength(1);
    const task = await result('GET', `/dags/${dag}/dagRuns/${run}/taskInstances/speak`);
    expect(task.RestApiResponse).toMatchObject({ task_id: 'speak', state: 'success' });

    expect(await fault('GET', '/dags/nobody')).toMatchObject({
      Code: 'RestApiClientException',
      status: 400,
      Message: expect.stringMatching(/^Airflow answered 404 Not Found: .+/),
      members: { RestApiStatusCode: 404, RestApiResponse: { detail: expect.anything() } },
    });
    expect(await fault('POST', `/dags/${dag}/dagRuns`, { Body })).toMatchObject({
      Code: 'RestApiClientException',
      Message: expect.stringMatching(/^Airflow answered 409 Conflict: .+/),
      members: { RestApiStatusCode: 409 },
    });
    expect(await fault('GET', '/auth/login')).toMatchObject({ Code: 'ValidationException' });

    const unpaused = await result('PATCH', `/dags/${dag}`, { Body: { is_paused: false } });
    expect(unpaused.RestApiResponse).toMatchObject({ dag_id: dag, is_paused: false });

    const variable = { key: 'a:b c', value: 'secret-of-theirs' };
    expect([200, 201]).toContain((await result('POST', '/variables', { Body: variable })).RestApiStatusCode);
    expect((await result('GET', '/variables/a:b c')).RestApiResponse).toMatchObject(variable);
    expect(await result('DELETE', '/variables/a:b c')).toMatchObject({
      RestApiStatusCode: 204,
      RestApiResponse: {},
    });
    expect(serverLog(place)).not.toContain('secret-of-theirs');
  });

  test('a deep link leads back to its page after signing in', async () => {
    const own = await browser.newContext({ ignoreHTTPSErrors: true });
    const [waits, signsIn] = [await own.newPage(), await own.newPage()];
    const token = await mint.webToken(s.name);
    const path = s.airflow === 2 ? `/dags/${dag}/grid?tab=code` : `/dags/${dag}/runs`;
    const deep = `https://${token.WebServerHostname}${path}`;
    await waits.goto(deep);
    await waits.getByText(`Sign in to ${s.name}`).waitFor();
    await signsIn.goto(loginUrl(token));
    for (const page of [signsIn, waits])
      await until('the deep page', 60, async () => page.url() === deep && (await page.title()).includes(dag));
    await own.close();
  });

  test('a session that is revoked is over in the page that it opened', async () => {
    const own = await newContext(browser);
    const page = await own.newPage();
    const listed = async () => {
      const { stdout } = await runWindsock(place, ['session', 'list', '--environment', s.name, '--json']);
      return (JSON.parse(stdout) as readonly { SessionId: string }[]).map(({ SessionId }) => SessionId);
    };
    const before = await listed();
    await page.goto(loginUrl(await mint.webToken(s.name)));
    await page.waitForURL((url) => !url.pathname.startsWith('/aws_mwaa'), { timeout: 60_000 });
    const [session = ''] = (await listed()).filter((id) => !before.includes(id));
    expect((await runWindsock(place, ['session', 'revoke', session])).stdout).toBe('1 ended.\n');
    // the page itself may find out first, and go to where people sign in: then the reload has no answer
    const over = page.waitForResponse((a) => a.status() === 401 && a.request().isNavigationRequest());
    await Promise.all([over, page.reload()]);
    await page.getByText(`Sign in to ${s.name}`).waitFor();
    await own.close();
  });

  test('its web server keeps an idle connection longer than the gateway, which keeps it for 3 s', async () => {
    const { webPort } = (await machineOf(place, s.name)).facts();
    expect(await outlivesIdleness(webPort, 3_500)).toBe(true);
  });

  test('HEAD changes nothing that GET does not change, wherever pages delete by address', async () => {
    const { hostname, headers } = await rest(s);
    const api = restPath(s.airflow);
    const roles = s.airflow === 2 ? `${api}/roles` : '/auth/fab/v1/roles';
    const role = { name: 'kept', [s.airflow === 2 ? 'actions' : 'permissions']: [] };
    const made = [
      [`${api}/variables`, { key: 'kept', value: 'x' }],
      [`${api}/connections`, { connection_id: 'kept', conn_type: 'http' }],
      [`${api}/pools`, { name: 'kept', slots: 1 }],
      [roles, role],
    ] as const;
    const json = { ...headers, 'content-type': 'application/json' };
    for (const [path, body] of made) {
      const sent = { method: 'POST', headers: json, body: JSON.stringify(body) };
      expect((await ask(place, hostname, path, sent)).status, path).toBeLessThan(300);
    }
    const kept = async () =>
      Promise.all(
        made.map(async ([path]) => (await ask(place, hostname, path, { headers })).text.includes('kept')),
      );
    expect(await kept()).toEqual([true, true, true, true]);
    const pages =
      s.airflow === 2
        ? ['/variable', '/connection', '/pool', '/roles', '/users', '/dagrun']
        : ['/auth/roles', '/auth/users'];
    for (const page of pages)
      for (let id = 1; id <= 9; id += 1)
        for (const what of [`delete/${id}`, `action/muldelete/${id}`])
          await ask(place, hostname, `${page}/${what}`, { method: 'HEAD', headers });
    expect(await kept()).toEqual([true, true, true, true]);
    const plain = await ask(place, hostname, `${api}/dags`, { headers });
    const head = await ask(place, hostname, `${api}/dags`, { method: 'HEAD', headers });
    expect([head.status, head.headers['content-type'], head.text]).toEqual([
      200,
      plain.headers['content-type'],
      '',
    ]);
  });

  test('names of sessions that differ by case are people of their own; the name of a user is one in any case', async () => {
    const iam = new Iam(place);
    const resource = `arn:aws:airflow:us-east-1:${iam.accountId}:role/${s.name}/Viewer`;
    const statements = [{ Action: 'airflow:CreateWebLoginToken', Resource: resource }];
    await iam.role(`case-${s.name}`, { statements });
    const key = await iam.user(`rose-${s.name}`, {
      statements: [...statements, { Action: 'sts:AssumeRole' }],
    });
    const dags = async (who: Minter) =>
      (await (await signIn(place, who, s.name, s.airflow)).get(`${restPath(s.airflow)}/dags`)).status;
    for (const session of ['JANE', 'jane', 'Jane', 'JANE'])
      expect(await dags(new Minter(place, await iam.assume(key, `case-${s.name}`, session))), session).toBe(
        200,
      );
    expect(await dags(new Minter(place, key))).toBe(200);
    await iam.call('UpdateUser', { UserName: `rose-${s.name}`, NewUserName: `ROSE-${s.name}` });
    expect(await dags(new Minter(place, key))).toBe(200);
    const database = await connectAs(place, await machineOf(place, s.name));
    const { rows } = await database.query<{ username: string }>('select username from ab_user order by id');
    await database.end();
    expect(rows.map(({ username }) => username).filter((name) => name !== 'root')).toEqual([
      `assumed-role/case-${s.name}/JANE`,
      expect.stringMatching(`^assumed-role/case-${s.name}/jane~[0-9a-f]{8}$`),
      expect.stringMatching(`^assumed-role/case-${s.name}/Jane~[0-9a-f]{8}$`),
      `user/rose-${s.name}`,
    ]);
    const { folder } = await machineOf(place, s.name);
    const log = readFileSync(join(folder, 'logs', 'internal', 'webserver.log'), 'utf8');
    expect(log).toContain(`differs from the Airflow user assumed-role/case-${s.name}/JANE by case only`);
  });

  test('a web login token works once, a CLI token for one command after the other', async () => {
    const web = await mint.webToken(s.name);
    expect((await postLogin(place, web, s.airflow)).status).toBe(200);
    const again = await postLogin(place, web, s.airflow);
    expect(again.status).toBe(403);
    expect(again.text).toMatch(/used already/);
    const cli = await mint.cliToken(s.name);
    expect((await postCommand(place, cli, 'version')).status).toBe(200);
    expect(outputOf(await postCommand(place, cli, 'dags list')).status).toBe(200);
  });

  test('a token of the other environment is refused, and the text says which belongs where', async () => {
    const other = otherOf(s);
    const web = await mint.webToken(other.name);
    const here = (await mint.cliToken(s.name)).WebServerHostname;
    const login = await postLogin(place, web, s.airflow, { at: here });
    expect(login.status).toBe(403);
    expect(login.text).toContain(`web login token for environment ${other.name}`);
    expect(login.text).toContain(`this is environment ${s.name}`);
    const cli = await mint.cliToken(other.name);
    const command = await postCommand(place, { ...cli, WebServerHostname: here }, 'version');
    expect(command.status).toBe(403);
    expect(command.text).toContain(`CLI token for environment ${other.name}`);
  });

  test("each token at the other's endpoint is refused, and the text says what to call instead", async () => {
    const web = await mint.webToken(s.name);
    const cli = await mint.cliToken(s.name);
    const login = await postLogin(place, { ...web, WebToken: cli.CliToken }, s.airflow);
    expect(login.status).toBe(403);
    expect(login.text).toMatch(/CLI token.*CreateWebLoginToken|CLI token.*create-web-login-token/is);
    const command = await postCommand(place, { ...cli, CliToken: web.WebToken }, 'version');
    expect(command.status).toBe(403);
    expect(command.text).toMatch(/web login token.*CreateCliToken|web login token.*create-cli-token/is);
  });

  test('a changed DAG is visible within seconds; a broken one is an import error, and the environment stays AVAILABLE', async () => {
    putDag(place, s.name, 'later.py', sayingDag(`later_${s.name}`, 'Later'));
    putDag(place, s.name, 'broken.py', 'from airflow import dag of nothing\n');
    const published = performance.now();
    const target = join(place.data, 'environments');
    await until('the new file in the environment', 5, () =>
      environmentIds(place).some(
        (id) =>
          existsSync(join(target, id, 'dags', 'later.py')) &&
          existsSync(join(target, id, 'dags', 'broken.py')) &&
          existsSync(join(target, id, 'dags', 'journey.py')),
      ),
    );
    expect(performance.now() - published).toBeLessThan(6_000);
    const list = `/dags?dag_id_pattern=later_${s.name}`;
    await until(
      'the new DAG over REST',
      90,
      async () => (await restJson<{ total_entries: number }>(s, list)).total_entries === 1,
    );
    const errors = await until('the import error', 90, async () => {
      const found = await restJson<{ total_entries: number }>(s, '/importErrors');
      return found.total_entries > 0 ? JSON.stringify(found) : undefined;
    });
    expect(errors).toContain('broken.py');
    const { Environment: e } = await mwaa.call<{ Environment: Environment }>('get_environment', {
      Name: s.name,
    });
    expect(e.Status).toBe('AVAILABLE');
  });
});

describe('both in one browser', () => {
  test('both stay usable, and no script sees a cookie', async () => {
    for (const s of [...subjects, ...subjects]) {
      const page = pages.get(s.name);
      if (!page) throw new Error('the browser is not signed in');
      await page.goto(new URL(s.airflow === 2 ? '/home' : '/dags', page.url()).href);
      await page.getByText(`journey_${s.name}`).first().waitFor({ timeout: 60_000 });
      expect(await page.evaluate('document.cookie')).toBe('');
    }
  });

  test("the session cookies of one open nothing at the other's door", async () => {
    const cookies = await context.cookies();
    for (const s of subjects) {
      const hostname = new URL(pages.get(s.name)?.url() ?? '').host;
      const own = cookies.filter((c) => c.name.startsWith('__Host-Http-windsock-'));
      expect(own).toHaveLength(2);
      const asBrowser = {
        'sec-fetch-site': 'none',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
      };
      const path = `${restPath(s.airflow)}/dags`;
      const statuses = await Promise.all(
        own.map(
          async (c) =>
            (await ask(place, hostname, path, { headers: { ...asBrowser, cookie: `${c.name}=${c.value}` } }))
              .status,
        ),
      );
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect(statuses.filter((status) => status === 401 || status === 403)).toHaveLength(1);
    }
  });

  test('no token, session or secret is in the log', () => {
    const log = serverLog(place);
    expect(log).toContain('server started');
    expect(log).not.toMatch(/eyJ[A-Za-z0-9_-]{20,}/);
  });
});

const databaseNames = async (): Promise<string[]> => {
  const client = new pg.Client({
    ...superuserOf(place),
    database: 'postgres',
  });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      'select datname as name from pg_database union all select rolname from pg_roles',
    );
    return rows.map((row) => row.name);
  } finally {
    await client.end();
  }
};

// last of all: the minute is over by then
describe('tokens that nobody used', () => {
  test.each(subjects)('$version: are refused after 60 seconds', async (s) => {
    const old = spare.get(s.name);
    if (!old) throw new Error('no token was made');
    await until('61 s since the token was made', 70, () => performance.now() - old.at > 61_000);
    const login = await postLogin(place, old.web, s.airflow);
    expect(login.status).toBe(403);
    expect(login.text).toMatch(/expired/);
    const command = await postCommand(place, old.cli, 'version');
    expect(command.status).toBe(403);
    expect(command.text).toMatch(/expired/);
  });
});

describe('deletion', () => {
  test('DeleteEnvironment leaves no process, folder, account, role or database', {
    timeout: 300_000,
  }, async () => {
    const ids = environmentIds(place);
    const uids = ids.flatMap((id) => accountOf(`windsock-${id}`)?.uid ?? []);
    expect(ids).toHaveLength(2);
    const named = (names: string[]) => names.filter((name) => ids.some((id) => name.includes(id)));
    expect(named(await databaseNames()).length).toBeGreaterThanOrEqual(4);
    for (const s of subjects) await mwaa.call('delete_environment', { Name: s.name });
    for (const s of subjects) {
      const { error } = await mwaa.wait(s.name, 'ResourceNotFoundException', 120);
      expect(error?.status).toBe(404);
    }
    expect(environmentIds(place)).toEqual([]);
    expect(readdirSync(join(place.data, 'trash'))).toEqual([]);
    expect(named(await databaseNames())).toEqual([]);
    for (const id of ids) expect(accountOf(`windsock-${id}`)).toBeUndefined();
    expect(processesOf(join(place.data, 'environments'), uids)).toEqual([]);
  });

  test('the server stops clean: exit code 0, no process and no port is left', async () => {
    expect(await stopServer(server)).toBe(0);
    expect(await leftOvers(place)).toEqual([]);
  });
});
