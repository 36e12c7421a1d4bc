import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import type { CliToken, WebToken } from './mwaa.ts';
import type { Place } from './server.ts';

/** Whoever makes tokens: boto3, or signed requests of our own. */
export interface TokenSource {
  webToken(name: string): Promise<WebToken>;
  cliToken(name: string): Promise<CliToken>;
}

export interface DoorAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface DoorOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  readonly seconds?: number;
}

/** One request to `host:port` with the installation's own CA; the path goes out byte by byte as it is given. */
export const ask = (place: Place, hostname: string, path: string, o: DoorOptions = {}): Promise<DoorAnswer> =>
  new Promise((resolve, reject) => {
    const [host, port] = hostname.split(':');
    const headers = {
      ...(o.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(o.body)) }),
      ...o.headers,
    };
    const sent = request(
      {
        host,
        port: Number(port),
        path,
        method: o.method ?? 'GET',
        headers: headers as Record<string, string | string[]>,
        ca: readFileSync(join(place.data, 'ca.pem')),
        agent: false,
        timeout: (o.seconds ?? 90) * 1000,
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
        answer.on('error', reject);
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`No answer from ${hostname}${path}`)));
    sent.on('error', reject);
    sent.end(o.body);
  });

/** Posts a command line with that token, as AWS documents it. */
export const postCommand = (place: Place, token: CliToken, words: string): Promise<DoorAnswer> =>
  ask(place, token.WebServerHostname, '/aws_mwaa/cli', {
    method: 'POST',
    headers: { authorization: `Bearer ${token.CliToken}`, 'content-type': 'text/plain' },
    body: words,
  });

export interface CommandOutput {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const decoded = (text: unknown): string => Buffer.from(String(text), 'base64').toString('utf8');

/** What the CLI endpoint answered, decoded. */
export const outputOf = (answer: DoorAnswer): CommandOutput => {
  const body = JSON.parse(answer.text) as { stdout?: string; stderr?: string };
  if (body.stdout === undefined || body.stderr === undefined)
    throw new Error(`The answer ${answer.status} has no output: ${answer.text}`);
  return { status: answer.status, stdout: decoded(body.stdout), stderr: decoded(body.stderr) };
};

/** One Airflow command with a fresh CLI token. */
export const runCommand = async (
  place: Place,
  mwaa: TokenSource,
  environment: string,
  words: string,
): Promise<CommandOutput> => outputOf(await postCommand(place, await mwaa.cliToken(environment), words));

const loginPath = (airflow: 2 | 3): string =>
  airflow === 2 ? '/aws_mwaa/login' : '/pluginsv2/aws_mwaa/login';

/** Posts a web token as a script does. */
export const postLogin = (
  place: Place,
  token: Pick<WebToken, 'WebToken' | 'WebServerHostname'>,
  airflow: 2 | 3,
  o: { headers?: Readonly<Record<string, string>>; at?: string } = {},
): Promise<DoorAnswer> =>
  ask(place, o.at ?? token.WebServerHostname, loginPath(airflow), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...o.headers },
    body: new URLSearchParams({ token: token.WebToken }).toString(),
  });

/** The cookie of that name in an answer. */
export const cookieOf = (answer: DoorAnswer, name: string): string | undefined => {
  const line = (answer.headers['set-cookie'] ?? []).find((header) => header.startsWith(`${name}=`));
  return line?.slice(name.length + 1).split(';')[0];
};

/** A script's session at one environment. */
export interface Session {
  readonly hostname: string;
  readonly headers: Readonly<Record<string, string>>;
  get(path: string): Promise<DoorAnswer>;
}

/** Signs in as a script, with the cookie and the header that AWS documents for that version. */
export const signIn = async (
  place: Place,
  mwaa: TokenSource,
  environment: string,
  airflow: 2 | 3,
): Promise<Session> => {
  const token = await mwaa.webToken(environment);
  const answer = await postLogin(place, token, airflow);
  const value = cookieOf(answer, airflow === 2 ? 'session' : '_token');
  if (value === undefined) throw new Error(`No session: ${answer.status} ${answer.text}`);
  const headers: Record<string, string> =
    airflow === 2 ? { cookie: `session=${value}` } : { authorization: `Bearer ${value}` };
  const hostname = token.WebServerHostname;
  return { hostname, headers, get: (path) => ask(place, hostname, path, { headers }) };
};

/** Where the REST API of that version begins. */
export const restPath = (airflow: 2 | 3): string => (airflow === 2 ? '/api/v1' : '/api/v2');
