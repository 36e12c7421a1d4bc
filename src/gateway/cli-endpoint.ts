import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuditEntry } from '../audit/record.ts';
import type { CliAnswer } from '../environments/ports.ts';
import { textOf } from '../lib/errors.ts';
import type { Transaction } from '../lib/transaction.ts';
import { BadWords, splitWords } from '../lib/words.ts';
import { cliToken } from '../tokens/cli-token.ts';
import { refuseToken } from '../tokens/refused.ts';
import type { TokenRecord } from '../tokens/token-store.ts';
import { type Answer, json, problem, Refusal } from './answer.ts';
import { recordAfterwards, recordAtDoor } from './audited.ts';
import { readBody, utf8 } from './body.ts';
import type { DoorDeps } from './deps.ts';
import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';
import { livingRecord } from './living.ts';
import { bearerOf } from './session-of.ts';
import { genuineToken, useToken } from './token-use.ts';
import { unavailable } from './unavailable-page.ts';

/** Enough for a large `--conf`; the command has the same bound. */
const maxBody = 1024 * 1024;

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');

const output = (status: number, stdout: string | Buffer, stderr: string | Buffer): Answer =>
  json(status, { stdout: base64(stdout), stderr: base64(stderr) });

const stoppedInTime =
  'The command did not end within 60 seconds and was stopped, with everything it started. What it had done by then remains: a DAG run or task that it began may be left over as running. See dags list-runs, and let long work run by dags trigger.';

/** AWS: 200 with both streams whatever the command's exit code; 500 for a command that is not supported; 504 after the time. */
const answerOf = (result: CliAnswer): Answer => {
  switch (result.kind) {
    case 'ran':
      return output(200, result.stdout, result.stderr);
    case 'refused':
      return output(500, '', `${result.reason}\n`);
    case 'busy':
      return problem(429, 'Too many commands run in this environment at once. Try again in a moment.');
    case 'timed-out':
      return problem(504, stoppedInTime);
  }
};

type Call = { deps: DoorDeps; request: DoorRequest; door: DoorFacts };

const redeem = async (call: Call): Promise<TokenRecord> => {
  const { deps, request, door } = call;
  const text = bearerOf(request);
  if (text === undefined) {
    throw new Refusal(
      401,
      `Send a CLI token as Authorization: Bearer. Call ${cliToken.call(door.name)} for one.`,
    );
  }
  const wanted = { kind: cliToken, environment: door };
  const token = await genuineToken(deps, request, text, wanted);
  // Before the transaction: many that wait in theirs for a second connection would wait for each other.
  const record = await livingRecord(deps, door);
  const then = async (tx: Transaction, row: TokenRecord) => {
    if (!deps.tokens.mayRunCommands(row.mint, record)) {
      const facts = { kind: cliToken, environmentName: door.name, user: row.airflowIdentity };
      throw refuseToken('no-right', facts, cliToken, door.name);
    }
    deps.limits.beforeAirflow(row);
    const used = { eventName: 'UseCliToken', principal: row.mint.principal, session: row.mint };
    await recordAtDoor(deps, request, door, used, tx);
    return row;
  };
  return useToken(call, { token, wanted, refusedEvent: 'CliTokenRefused', then });
};

const readWords = async (req: IncomingMessage): Promise<string[]> => {
  try {
    return splitWords(utf8(await readBody(req, maxBody)));
  } catch (error) {
    if (error instanceof BadWords) throw new Refusal(400, error.publicText);
    throw error;
  }
};

const clientGone = (): Refusal => new Refusal(499, 'The client went away.');

const outcomeOf = (result: CliAnswer): Partial<AuditEntry> => ({
  responseElements: {
    result: result.kind,
    ...(result.kind === 'ran' ? { exitCode: result.exitCode } : {}),
  },
  ...(result.kind === 'refused' ? { errorCode: 'CommandRefused', errorMessage: result.reason } : {}),
});

const brokenOff = (error: unknown, hasLeft: boolean): Partial<AuditEntry> => ({
  errorCode: 'NoAnswer',
  errorMessage: hasLeft ? 'the client went away, and the command was ended' : textOf(error),
});

/**
 * Runs the command, with a record of it before and after; without the first it does not run. When the client goes
 * away it is ended, with everything that it started.
 */
const run = async (
  { deps, request, door }: Call,
  row: TokenRecord,
  words: readonly string[],
  res: ServerResponse,
): Promise<Answer> => {
  const gone = new AbortController();
  const leave = () => gone.abort();
  res.once('close', leave);
  try {
    const record = await livingRecord(deps, door);
    const event = {
      eventName: 'RunCliCommand',
      principal: row.mint.principal,
      session: row.mint,
      requestParameters: { command: deps.driver.shownCommand(record, words) },
    };
    await recordAtDoor(deps, request, door, { ...event, phase: 'intent' });
    const options = { signal: gone.signal, person: row.airflowIdentity };
    const result = await deps.driver.cli(record, words, options).catch(async (error) => {
      const hasLeft = gone.signal.aborted;
      await recordAfterwards(deps, request, door, {
        ...event,
        phase: 'outcome',
        ...brokenOff(error, hasLeft),
      });
      throw hasLeft ? clientGone() : error;
    });
    await recordAfterwards(deps, request, door, { ...event, phase: 'outcome', ...outcomeOf(result) });
    return answerOf(result);
  } finally {
    res.removeListener('close', leave);
  }
};

/**
 * `POST /aws_mwaa/cli`: one Airflow command, for a CLI token (Amazon MWAA User Guide, "Apache Airflow CLI command
 * reference"). Each use of the token is recorded, and decided with the policies of now. No shell sees the text. Throws
 * Refusal and TokenRefused.
 */
export const cliEndpoint = async (
  deps: DoorDeps,
  request: DoorRequest,
  io: { req: IncomingMessage; res: ServerResponse },
  door: DoorFacts,
): Promise<Answer> => {
  const call = { deps, request, door };
  if (request.browser) throw new Refusal(403, 'This endpoint is for programs, not for pages in a browser.');
  if (!deps.driver.webTarget(door.id)) return unavailable(door, false);
  const row = await redeem(call);
  io.res.once('close', request.begin());
  const leave = await deps.limits.enterAirflow(row, (giveUp) => io.res.once('close', giveUp));
  try {
    // not before its turn: hundreds may wait, and each body may have 1 MiB
    const words = await readWords(io.req);
    if (words.length === 0) throw new Refusal(400, 'The body holds no command. Send for instance: dags list');
    if (io.res.closed) throw clientGone();
    return await run(call, row, words, io.res);
  } finally {
    leave();
  }
};
