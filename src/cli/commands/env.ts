import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { printJson } from '../output.ts';
import { profileFiles, servedServices, writeProfile } from '../profile.ts';
import {
  type EndpointFacts,
  endpointFacts,
  type RootAccessKey,
  rootAccessKey,
  type ServerOptions,
} from '../server.ts';
import { example, localCommand } from './common.ts';

interface Options extends ServerOptions {
  readonly profile?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Which clients cannot be told by file or environment ("Host prefix injection", AWS SDKs and Tools reference). */
const others = (endpoint: string): string => {
  const { protocol, host } = new URL(endpoint);
  return `JavaScript: new MWAAClient({ endpoint: "${endpoint}", disableHostPrefix: true })
Go, Terraform: they always call ${protocol}//api.${host}; add the line
  127.0.0.1 api.localhost env.localhost ops.localhost
to /etc/hosts once.`;
};

const variables = (facts: EndpointFacts, key: RootAccessKey): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(
    servedServices.map((name) => [`AWS_ENDPOINT_URL_${name.toUpperCase()}`, facts.endpoint]),
  ),
  AWS_DISABLE_HOST_PREFIX_INJECTION: 'true',
  AWS_REGION: facts.region,
  AWS_DEFAULT_REGION: facts.region,
  AWS_ACCESS_KEY_ID: key.accessKeyId,
  AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
  AWS_CA_BUNDLE: facts.caBundle,
  REQUESTS_CA_BUNDLE: facts.caBundle,
});

const quoted = (value: string): string => `'${value.replaceAll("'", String.raw`'\''`)}'`;

/** A session token or a profile left in the shell would win over our key or go with it. */
const exportsText = (values: Readonly<Record<string, string>>): string =>
  `unset AWS_SESSION_TOKEN AWS_PROFILE\n${Object.entries(values)
    .map(([name, value]) => `export ${name}=${quoted(value)}\n`)
    .join('')}`;

const profileText = (name: string, facts: EndpointFacts): string => `Profile "${name}" is ready:
  aws mwaa list-environments --profile ${name}
  boto3.Session(profile_name="${name}").client("mwaa")
Python requests (script login): REQUESTS_CA_BUNDLE=${facts.caBundle}
`;

const setUpProfile = (name: string, options: Options, facts: EndpointFacts, context: Context): void => {
  const files = profileFiles(context.env);
  const key = rootAccessKey(options, context);
  writeProfile({ name, force: options.force ?? false, files, facts, key });
  if (options.json) printJson(context, { profile: name, ...files });
  else context.out(profileText(name, facts));
};

const show = (options: Options, context: Context): void => {
  const facts = endpointFacts(options, context);
  if (options.profile !== undefined) setUpProfile(options.profile, options, facts, context);
  else {
    const values = variables(facts, rootAccessKey(options, context));
    if (options.json) printJson(context, values);
    else context.out(exportsText(values));
  }
  if (!options.json) context.err(`${others(facts.endpoint)}\n`);
};

export const envCommand = (context: Context): Command =>
  localCommand('env')
    .description('Set up AWS tools for this server: as a profile, or as exports for sh.')
    .option('--profile <name>', 'write or renew this profile in the AWS config and credentials files')
    .option('--force', 'replace a profile of that name that Windsock did not make')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      `${example('windsock env --profile windsock', 'eval "$(windsock env)"')}\n\n${others('http://localhost:7400')}`,
    )
    .action((options: Options) => show(options, context));
