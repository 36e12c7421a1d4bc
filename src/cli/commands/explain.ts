import { type Command, InvalidArgumentError } from 'commander';
import {
  type EnvironmentAccess,
  type Explanation,
  explainAccess,
  explainEnvironmentAccess,
  explainRequest,
  type RequestAccess,
} from '../access.ts';
import type { Context } from '../context.ts';
import { CliError, exitCodes } from '../errors.ts';
import { printJson, tableText } from '../output.ts';
import type { ServerOptions } from '../server.ts';
import { apiCommand, connect, example } from './common.ts';

interface Options extends ServerOptions {
  readonly principal?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly context?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly request?: string;
  readonly json?: boolean;
}

const shortArn = (arn: string): string => arn.split(':').slice(5).join(':') || arn;

/** Where a statement must stand, in words. */
const places: Readonly<Record<string, string>> = {
  identity: 'a policy of the principal (or of one of its groups)',
  boundary: 'the permissions boundary of the principal',
  session: 'the session policy',
  'guard-rail': 'the guard rail of the account',
  resource: 'the policy of the resource',
};

const statementLine = (s: Explanation['Statements'][number]): string =>
  `  ${s.Effect.toLowerCase().padEnd(5)}  ${s.Policy}, statement ${s.Number}${s.Sid === undefined ? '' : ` (${s.Sid})`}, line ${s.Line}  [${s.Layer}]`;

const remedyLines = ({ Remedy: remedy }: Explanation): readonly string[] => {
  if (remedy?.TakeAway) return ['To allow it, take away:', ...remedy.TakeAway.map((text) => `  ${text}`)];
  if (!remedy?.Statement) return [];
  const place = places[remedy.AddTo ?? ''] ?? remedy.AddTo;
  return [`To allow it, add to ${place}:`, `  ${JSON.stringify(remedy.Statement)}`];
};

const explanationText = (e: Explanation): string => {
  const verdict = e.Allowed ? 'ALLOWED' : 'DENIED';
  const place = places[e.Layer ?? ''] ?? e.Layer;
  const lines = [
    `${verdict}: ${e.Principal ?? 'the caller'} ${e.Action} on ${e.Resource}`,
    `  ${e.Reason.replaceAll('-', ' ')}${place === undefined ? '' : `: decided by ${place}`}`,
    ...e.Statements.map(statementLine),
    ...(e.MissingContextKeys.length > 0
      ? [`  not known here: ${e.MissingContextKeys.join(', ')} (give them with --context KEY=VALUE)`]
      : []),
    ...remedyLines(e),
  ];
  return lines.map((line) => `${line}\n`).join('');
};

const environmentText = ({ Principals: all }: EnvironmentAccess): string => {
  const roles = (right: EnvironmentAccess['Principals'][number]['InvokeRestApi']) =>
    right.AirflowRoles.join(',') || '-';
  const rows = all.map((p) => [
    shortArn(p.Principal),
    roles(p.CreateWebLoginToken),
    roles(p.InvokeRestApi),
    p.CreateCliToken.Allowed ? 'yes' : '-',
    [...new Set([...p.CreateWebLoginToken.Why, ...p.InvokeRestApi.Why, ...p.CreateCliToken.Why])].join('; '),
  ]);
  return tableText(['PRINCIPAL', 'WEB LOGIN AS', 'REST AS', 'CLI TOKEN', 'BY'], rows);
};

const requestText = ({ Decisions: decisions, Events: events }: RequestAccess): string => {
  if (decisions.length > 0) return decisions.map(explanationText).join('\n');
  const what = events.map(({ eventName, errorCode }) => `${eventName}: ${errorCode ?? 'done'}`);
  return `No policy refused this request. ${what.join('; ')}\n`;
};

const addContext = (text: string, known: Readonly<Record<string, string>> = {}) => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write KEY=VALUE, for instance aws:SourceIp=10.0.0.1.');
  return { ...known, [text.slice(0, at)]: text.slice(at + 1) };
};

const wrongUsage = (): CliError =>
  new CliError('What is to be explained?', {
    todo: 'Give --principal and --action, or --environment, or --request.',
    exitCode: exitCodes.usage,
  });

const show = async (o: Options, context: Context): Promise<void> => {
  const print = <T>(answer: T, text: (answer: T) => string): void =>
    o.json ? printJson(context, answer) : context.out(text(answer));
  if (o.request !== undefined) {
    print(await explainRequest(connect(o, context).api, o.request), requestText);
  } else if (o.environment !== undefined) {
    print(await explainEnvironmentAccess(connect(o, context).api, o.environment), environmentText);
  } else {
    if (o.principal === undefined || o.action === undefined) throw wrongUsage();
    const question = {
      ...{ Principal: o.principal, Action: o.action },
      ...(o.resource === undefined ? {} : { Resource: o.resource }),
      ...(o.context === undefined ? {} : { Context: o.context }),
    };
    print(await explainAccess(connect(o, context).api, question), explanationText);
  }
};

export const explainCommand = (context: Context): Command =>
  apiCommand('explain')
    .description('Say who may do what, by which statement, and what would allow what is refused.')
    .option('--principal <name>', 'ARN, or user/NAME, or role/NAME')
    .option('--action <action>', 'for instance airflow:CreateCliToken')
    .option('--resource <arn>', 'what it is done to (all when left out)')
    .option('--context <key=value>', 'a condition key; may be given again', addContext)
    .option('--environment <env>', 'instead: everybody’s access to this environment')
    .option('--request <id>', 'instead: a call that was made, by the request id of its error')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      example(
        'windsock explain --environment demo',
        'windsock explain --principal user/ann --action airflow:CreateCliToken --resource arn:aws:airflow:us-east-1:123456789012:environment/demo',
      ),
    )
    .action((o: Options) => show(o, context));
