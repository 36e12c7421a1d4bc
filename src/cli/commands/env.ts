import { type Command, Option } from 'commander';
import { quoted } from '../../lib/shell.ts';
import { createApiClient } from '../api-client.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { unresolvedNames } from '../local-names.ts';
import { printJson } from '../output.ts';
import { checkProfile, keyOfProfile, profileFiles, servedServices, writeProfile } from '../profile.ts';
import {
  type AccessKey,
  connection,
  type EndpointFacts,
  endpointFacts,
  rootAccessKey,
  type ServerOptions,
} from '../server.ts';
import { createKey, deleteKey, givenKey, isKeyOf } from '../user-key.ts';
import { example, localCommand } from './common.ts';

interface Options extends ServerOptions {
  readonly profile?: string;
  readonly force?: boolean;
  readonly user?: string;
  readonly accessKey?: string;
  readonly json?: boolean;
  readonly s3?: boolean;
}

/** Clients that cannot be told by file or environment ("Host prefix injection", AWS SDKs and Tools reference). */
const javaScript = (endpoint: string): string =>
  `JavaScript: new MWAAClient({ endpoint: "${endpoint}", disableHostPrefix: true })\n`;

const unresolved = (endpoint: string, names: readonly string[]): string => {
  const { protocol, port } = new URL(endpoint);
  return `Go, Terraform and Rust call ${protocol}//${names[0]}:${port}. This machine does not find ${names.join(', ')}:
  sudo windsock trust --hosts   adds them to /etc/hosts, once
`;
};

const clientHints = async ({ endpoint }: EndpointFacts, context: Context): Promise<void> => {
  const names = new URL(endpoint).hostname === 'localhost' ? await unresolvedNames(context) : [];
  context.err(`${javaScript(endpoint)}${names.length > 0 ? unresolved(endpoint, names) : ''}`);
};

/** What curl, Go, Rust and OpenSSL read replaces their trust store: it must be the bundle with the public roots. */
const trustVariables = ({ caBundle, ca }: EndpointFacts): Readonly<Record<string, string>> => ({
  AWS_CA_BUNDLE: caBundle,
  REQUESTS_CA_BUNDLE: caBundle,
  CURL_CA_BUNDLE: caBundle,
  SSL_CERT_FILE: caBundle,
  NODE_EXTRA_CA_CERTS: ca,
});

const variables = (
  facts: EndpointFacts,
  key: AccessKey,
  withS3: boolean,
): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(
    servedServices(withS3).map((name) => [`AWS_ENDPOINT_URL_${name.toUpperCase()}`, facts.endpoint]),
  ),
  AWS_DISABLE_HOST_PREFIX_INJECTION: 'true',
  AWS_REGION: facts.region,
  AWS_DEFAULT_REGION: facts.region,
  AWS_ACCESS_KEY_ID: key.accessKeyId,
  AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
  ...trustVariables(facts),
});

/** A session token or a profile left in the shell would win over our key or go with it. */
const exportsText = (values: Readonly<Record<string, string>>): string =>
  `unset AWS_SESSION_TOKEN AWS_PROFILE\n${Object.entries(values)
    .map(([name, value]) => `export ${name}=${quoted(value)}\n`)
    .join('')}`;

const profileText = (name: string, facts: EndpointFacts): string => `Profile "${name}" is ready:
  aws mwaa list-environments --profile ${name}
  boto3.Session(profile_name="${name}").client("mwaa")
Script logins: curl --cacert ${facts.caBundle}
               Python requests: REQUESTS_CA_BUNDLE=${facts.caBundle}
`;

const checkName = (user: string): void => {
  // IAM API reference, CreateUser: characters and length of UserName
  if (!/^[\w+=,.@-]{1,64}$/.test(user))
    throw new CliError(`"${user}" cannot be the name of an IAM user.`, {
      todo: 'A name has at most 64 letters, digits and "+=,.@_-".',
    });
};

/** A key, and how to take it back where it was made for this. */
interface Obtained {
  readonly key: AccessKey;
  readonly takeBack?: () => Promise<void>;
}

/** The key of the profile where that is one of this user's, else a new one: a user has two at most, as on AWS. */
const keyOfUser = async (
  user: string,
  options: Options,
  facts: EndpointFacts,
  context: Context,
): Promise<Obtained> => {
  checkName(user);
  const { profile } = options;
  const kept = profile === undefined ? undefined : keyOfProfile(profile, profileFiles(context.env));
  if (kept && (await isKeyOf(user, kept, facts, context))) return { key: kept };
  const api = createApiClient(connection(options, context), context.signal);
  const key = await createKey(user, api);
  context.err(`Made the access key ${key.accessKeyId} of user ${user}; its secret is told this once.\n`);
  return { key, takeBack: () => deleteKey(user, key, api) };
};

const obtainKey = async (options: Options, facts: EndpointFacts, context: Context): Promise<Obtained> => {
  if (options.user !== undefined) return keyOfUser(options.user, options, facts, context);
  if (options.accessKey !== undefined) return { key: await givenKey(options.accessKey, facts, context) };
  return { key: rootAccessKey(options, context) };
};

const setUpProfile = async (
  name: string,
  options: Options,
  facts: EndpointFacts,
  context: Context,
): Promise<void> => {
  const files = profileFiles(context.env);
  const profile = { name, force: options.force ?? false, files };
  checkProfile(profile);
  const { key, takeBack } = await obtainKey(options, facts, context);
  try {
    writeProfile({ ...profile, facts, key, withS3: options.s3 ?? false });
  } catch (error) {
    // the id of the key was told above: why the profile could not be written matters more
    await takeBack?.().catch(() => undefined);
    throw error;
  }
  if (options.json) printJson(context, { profile: name, ...files });
  else context.out(profileText(name, facts));
};

const show = async (options: Options, context: Context): Promise<void> => {
  const facts = endpointFacts(options, context);
  if (options.profile !== undefined) await setUpProfile(options.profile, options, facts, context);
  else {
    const values = variables(facts, (await obtainKey(options, facts, context)).key, options.s3 ?? false);
    if (options.json) printJson(context, values);
    else context.out(exportsText(values));
  }
  if (!options.json) await clientHints(facts, context);
};

export const envCommand = (context: Context): Command =>
  localCommand('env')
    .description('Set up AWS tools for this server: as a profile, or as exports for sh.')
    .option('--profile <name>', 'write or renew this profile in the AWS config and credentials files')
    .option('--force', 'replace a profile of that name that Windsock did not make')
    .addOption(
      new Option(
        '--user <name>',
        'act as this IAM user: makes an access key, or keeps the one of the profile',
      ).conflicts('accessKey'),
    )
    .option(
      '--access-key <id>',
      'act as the owner of this access key; the secret is read from standard input',
    )
    .option('--s3', 'point S3 here, too; without it the shell or profile means the S3 of AWS')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      `${example(
        'windsock env --profile windsock',
        'windsock env --user ann --profile ann',
        'eval "$(windsock env)"',
      )}\n\n${javaScript('http://localhost:7400')}Go, Terraform, Rust: sudo windsock trust --hosts`,
    )
    .action((options: Options) => show(options, context));
