import { setTimeout as delay } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { lookupAttributes } from '../../contract/cloudtrail.ts';
import type { ApiClient } from '../api-client.ts';
import { runProgram } from '../child.ts';
import { type LookedUpEvent, type Lookup, lookupEvents } from '../cloudtrail.ts';
import type { Context } from '../context.ts';
import { printJson, tableText } from '../output.ts';
import type { ServerOptions } from '../server.ts';
import { apiCommand, connect, example, localCommand } from './common.ts';

type Attribute = (typeof lookupAttributes)[number];
interface Filter {
  readonly key: Attribute;
  readonly value: string;
}
interface ListOptions extends ServerOptions {
  readonly by?: Filter;
  readonly since?: number;
  readonly until?: number;
  readonly most: number;
  readonly json?: boolean;
}

const filterFrom = (text: string): Filter => {
  const at = text.indexOf('=');
  const key = lookupAttributes.find((name) => name === text.slice(0, at));
  if (key && at < text.length - 1) return { key, value: text.slice(at + 1) };
  throw new InvalidArgumentError(`Write KEY=VALUE with one of ${lookupAttributes.join(', ')}.`);
};

/** Seconds in one of each. */
const units = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** `15m` ago, or a moment as ISO 8601; epoch seconds. */
const momentFrom = (text: string): number => {
  const ago = /^(\d{1,6})([smhd])$/.exec(text);
  if (ago) return Math.floor(Date.now() / 1000) - Number(ago[1]) * units[ago[2] as keyof typeof units];
  const at = Date.parse(text);
  if (!Number.isNaN(at)) return Math.floor(at / 1000);
  throw new InvalidArgumentError(
    'Write a time such as 2026-11-25T08:00:00Z, or how long ago: 30s, 15m, 2h, 7d.',
  );
};

const countFrom = (text: string): number => {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 100_000) return count;
  throw new InvalidArgumentError('Write a number from 1 to 100000.');
};

interface ShownEvent {
  readonly eventTime: string;
  readonly eventName: string;
  readonly userIdentity: { readonly type: string; readonly arn?: string };
  readonly sourceIPAddress: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly requestID: string | null;
  readonly requestParameters: Readonly<Record<string, unknown>> | null;
  readonly additionalEventData?: { readonly phase?: string };
}

const read = (event: LookedUpEvent): ShownEvent => JSON.parse(event.CloudTrailEvent) as ShownEvent;

/** `arn:aws:sts::1:assumed-role/Ops/ann` → `assumed-role/Ops/ann`: there is one account. */
const who = ({ userIdentity: { arn, type } }: ShownEvent): string =>
  arn?.split(':').slice(5).join(':') ?? type;

const about = ({ requestParameters }: ShownEvent): string =>
  ['Name', 'UserName', 'RoleName', 'GroupName', 'PolicyArn', 'RoleArn', 'command', 'method', 'path', 'count']
    .flatMap((member) => {
      const value = requestParameters?.[member];
      return value === undefined || typeof value === 'object' ? [] : [String(value)];
    })
    .join(' ');

const result = (event: ShownEvent): string =>
  event.errorCode ?? (event.additionalEventData?.phase === 'intent' ? 'intent' : 'ok');

const head = ['TIME', 'EVENT', 'WHO', 'FROM', 'ABOUT', 'RESULT', 'REQUEST'];
const row = (event: ShownEvent): readonly string[] => [
  event.eventTime,
  event.eventName,
  who(event),
  event.sourceIPAddress,
  about(event),
  result(event),
  event.requestID ?? '',
];

const take = async (api: ApiClient, lookup: Lookup, most: number): Promise<LookedUpEvent[]> => {
  const events: LookedUpEvent[] = [];
  for await (const event of lookupEvents(api, lookup)) {
    events.push(event);
    if (events.length === most) break;
  }
  return events;
};

const withFilter = (command: Command): Command =>
  command.addOption(
    new Option('--by <key=value>', `only events with this (${lookupAttributes.join(', ')})`).argParser(
      filterFrom,
    ),
  );

const listCommand = (context: Context): Command =>
  withFilter(apiCommand('list'))
    .description('Show what was recorded, newest first.')
    .addOption(new Option('--since <time>', 'not older than this, for instance 2h').argParser(momentFrom))
    .addOption(new Option('--until <time>', 'not newer than this').argParser(momentFrom))
    .addOption(new Option('--most <count>', 'how many').default(50).argParser(countFrom))
    .option('--json', 'the events as CloudTrail writes them')
    .addHelpText('after', example('windsock audit list --since 1h --by EventName=CreateCliToken'))
    .action(async (o: ListOptions) => {
      const lookup = { attribute: o.by, from: o.since, to: o.until };
      const events = (await take(connect(o, context).api, lookup, o.most)).map(read);
      if (o.json) printJson(context, { Records: events });
      else context.out(tableText(head, events.map(row)));
    });

/** Each question is itself recorded: not more often than somebody who watches needs. */
const tailEvery = 3_000;
/** Seconds before the newest event seen that are asked for again: one that was begun earlier may be kept later. */
const overlap = 30;
const mostSeen = 10_000;

/** Gives events as they come, oldest first; ends with the signal. */
async function* follow(api: ApiClient, attribute: Filter | undefined, signal: AbortSignal) {
  const seen = new Set<string>();
  let from = Math.floor(Date.now() / 1000);
  let first = true;
  while (!signal.aborted) {
    const found = await take(api, { attribute, from: from - overlap, to: undefined }, mostSeen);
    for (const event of found.reverse()) {
      if (seen.has(event.EventId)) continue;
      seen.add(event.EventId);
      from = Math.max(from, event.EventTime);
      // the question itself is an event: showing it would make more
      if (!first && event.EventName !== 'LookupEvents') yield event;
    }
    for (const id of [...seen].slice(0, Math.max(0, seen.size - 2 * mostSeen))) seen.delete(id);
    first = false;
    await delay(tailEvery, undefined, { signal }).catch(() => {});
  }
}

const tailCommand = (context: Context): Command =>
  withFilter(apiCommand('tail'))
    .description('Show what is recorded from now on, until Ctrl-C.')
    .option('--json', 'one CloudTrail event a line')
    .addHelpText('after', example('windsock audit tail --json'))
    .action(async (o: ServerOptions & { readonly by?: Filter; readonly json?: boolean }) => {
      for await (const found of follow(connect(o, context).api, o.by, context.signal)) {
        const event = read(found);
        context.out(o.json ? `${JSON.stringify(event)}\n` : `${row(event).join('  ')}\n`);
      }
    });

const verifyCommand = (context: Context): Command => {
  const command = localCommand('verify')
    .description(
      'Check that nothing recorded was altered, taken away, put in or cut off (exit code 3 if it was).',
    )
    .option('--json', 'for programs')
    .addHelpText('after', example('windsock audit verify'));
  return command.action(async (o: { readonly data?: string; readonly json?: boolean }) => {
    const args = [
      'verify-audit',
      ...(o.data === undefined ? [] : ['--data', o.data]),
      ...(o.json ? ['--json'] : []),
    ];
    command.setOptionValue('exitCode', await runProgram('maintain', args, context));
  });
};

export const auditCommand = (context: Context): Command =>
  new Command('audit')
    .description('Read and check the audit record.')
    .addCommand(listCommand(context))
    .addCommand(tailCommand(context))
    .addCommand(verifyCommand(context));
