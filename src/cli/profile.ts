import { mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { codeOf } from '../lib/errors.ts';
import type { Context } from './context.ts';
import { CliError, exitCodes } from './errors.ts';
import { hasSection, readSetting, setSettings } from './ini-text.ts';
import type { AccessKey, EndpointFacts } from './server.ts';

export interface ProfileFiles {
  readonly config: string;
  readonly credentials: string;
}

/** Where AWS tools look ("Configuration and credential file settings", AWS CLI user guide). */
export const profileFiles = (env: Context['env']): ProfileFiles => {
  const folder = join(env['HOME'] ?? homedir(), '.aws');
  return {
    config: env['AWS_CONFIG_FILE'] ?? join(folder, 'config'),
    credentials: env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(folder, 'credentials'),
  };
};

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
};

/** Follows a link to the real file, and keeps its owner, so that a managed home folder stays as it was. */
const write = (file: string, text: string, mode: number): void => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const old = statSync(file, { throwIfNoEntry: false });
  const real = old ? realpathSync(file) : file;
  const owner = old && old.uid !== process.geteuid?.() ? { uid: old.uid, gid: old.gid } : undefined;
  writeFileAtomic(real, text, { mode, owner });
};

const checkName = (name: string): void => {
  if (/^[A-Za-z0-9][\w.@-]{0,63}$/.test(name)) return;
  throw new CliError(`"${name}" cannot be the name of a profile.`, {
    todo: 'Use letters, digits, ".", "_", "-" and "@".',
    exitCode: exitCodes.usage,
  });
};

/** The services of AWS that are spoken here, as AWS tools name them in files and variables. */
const alwaysServed = ['mwaa', 'iam', 'sts', 'cloudtrail'] as const;

/** S3 is one of them only when the person asks: the same shell may mean the real one. */
export const servedServices = (withS3: boolean): readonly string[] =>
  withS3 ? [...alwaysServed, 's3'] : alwaysServed;

/** What S3 clients need here: old ones sign URLs in the way of before, and put the bucket into the host name. */
const s3Settings = ['s3 =', '  signature_version = s3v4', '  addressing_style = path'];

const sectionOf = (name: string): string => (name === 'default' ? 'default' : `profile ${name}`);

const checkOurs = (name: string, config: string, credentials: string): void => {
  const there = hasSection(config, sectionOf(name)) || hasSection(credentials, name);
  if (!there || readSetting(config, sectionOf(name), 'services') === `windsock-${name}`) return;
  throw new CliError(`There is already a profile "${name}" that Windsock did not make.`, {
    why: 'Writing it would replace its access key.',
    todo: 'Choose another name, or replace it with --force.',
  });
};

interface Profile {
  readonly name: string;
  readonly force: boolean;
  readonly files: ProfileFiles;
}

/** Throws CliError when a profile of that name cannot be written: a bad name, or somebody else's profile. */
export const checkProfile = (o: Profile): void => {
  checkName(o.name);
  if (!o.force) checkOurs(o.name, readText(o.files.config), readText(o.files.credentials));
};

/** The access key that the profile has now. */
export const keyOfProfile = (name: string, files: ProfileFiles): AccessKey | undefined => {
  const text = readText(files.credentials);
  const accessKeyId = readSetting(text, name, 'aws_access_key_id');
  const secretAccessKey = readSetting(text, name, 'aws_secret_access_key');
  return accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined;
};

/**
 * Writes or renews one profile in both files of AWS tools and leaves everything else as it is. The endpoint is
 * given for the services that are spoken here only ("Service-specific endpoints", AWS SDKs and Tools reference), so that calls of
 * other services still go to AWS. Throws CliError when a profile of that name is somebody else's.
 */
export const writeProfile = (
  o: Profile & { readonly facts: EndpointFacts; readonly key: AccessKey; readonly withS3: boolean },
): void => {
  checkProfile(o);
  const [config, credentials] = [readText(o.files.config), readText(o.files.credentials)];
  const services = `windsock-${o.name}`;
  const profile = setSettings(config, sectionOf(o.name), {
    region: [`region = ${o.facts.region}`],
    ca_bundle: [`ca_bundle = ${o.facts.caBundle}`],
    disable_host_prefix_injection: ['disable_host_prefix_injection = true'],
    services: [`services = ${services}`],
    s3: o.withS3 ? s3Settings : undefined,
  });
  const withServices = setSettings(profile, `services ${services}`, {
    ...Object.fromEntries(
      servedServices(o.withS3).map((name) => [name, [`${name} =`, `  endpoint_url = ${o.facts.endpoint}`]]),
    ),
    ...(o.withS3 ? {} : { s3: undefined }),
  });
  const mode = statSync(o.files.config, { throwIfNoEntry: false })?.mode ?? 0o600;
  // the endpoint first: a key without it would be sent to AWS
  write(o.files.config, withServices, mode & 0o777);
  const keys = setSettings(credentials, o.name, {
    aws_access_key_id: [`aws_access_key_id = ${o.key.accessKeyId}`],
    aws_secret_access_key: [`aws_secret_access_key = ${o.key.secretAccessKey}`],
    aws_session_token: undefined,
  });
  write(o.files.credentials, keys, 0o600);
};
