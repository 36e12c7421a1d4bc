import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { codeOf, textOf, WindsockError } from '../lib/errors.ts';
import { defaultDataFolder } from './data-folder.ts';
import type { RemoteBucketSettings } from './remote-buckets.ts';
import {
  flagName,
  type SettingDefinition,
  type SettingName,
  type Settings,
  settingDefinitions,
  variableName,
} from './settings.ts';

type Env = Readonly<Record<string, string | undefined>>;
type Given = Partial<Record<SettingName, { value: unknown; from: string }>>;

const definitions = Object.entries(settingDefinitions) as [SettingName, SettingDefinition][];

/** Some settings cannot be used as they were given; the text names every fault. */
export class SettingsInvalid extends WindsockError {
  /** Whether the settings ask for JSON lines: so far they could be read. */
  readonly jsonLogs: boolean;

  constructor(faults: readonly string[], jsonLogs: boolean) {
    super('SettingsInvalid', faults.join('\n'));
    this.jsonLogs = jsonLogs;
  }
}

const fromArguments = (args: readonly string[], faults: string[]): Given => {
  const byFlag = new Map(
    definitions.filter(([, d]) => !d.secret).map(([name, d]) => [flagName(name), { name, d }]),
  );
  const options = Object.fromEntries(
    [...byFlag].map(([flag, { d }]) => [
      flag,
      { type: d.value ? ('string' as const) : ('boolean' as const) },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowNegative: true,
    tokens: true,
  });
  const given: Given = {};
  for (const token of tokens) {
    if (token.kind === 'positional') faults.push(`"${token.value}" is no option. See --help.`);
    if (token.kind !== 'option') continue;
    const flag = byFlag.get(token.name) ?? byFlag.get(token.name.replace(/^no-/, ''));
    const negated = token.rawName.startsWith('--no-');
    if (!flag || (negated && flag.d.value)) faults.push(`There is no option ${token.rawName}. See --help.`);
    else if (
      flag.d.value &&
      (token.value === undefined || (token.value.startsWith('-') && !token.inlineValue))
    )
      faults.push(`${token.rawName} needs a value: ${token.rawName} ${flag.d.value}`);
    else given[flag.name] = { value: token.value ?? !negated, from: token.rawName };
  }
  return given;
};

const fromVariables = (env: Env): Given =>
  Object.fromEntries(
    definitions
      .filter(([name]) => env[variableName(name)] !== undefined && env[variableName(name)] !== '')
      .map(([name]) => [name, { value: env[variableName(name)], from: variableName(name) }]),
  );

const fromFile = (file: string, faults: string[]): Given => {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? ''))
      faults.push(`${file} cannot be read: ${textOf(error)}`);
    return {};
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    faults.push(`${file} must hold one JSON object`);
    return {};
  }
  const unknown = Object.keys(content).filter((key) => !(key in settingDefinitions));
  for (const key of unknown) faults.push(`${file}: there is no setting "${key}"`);
  return Object.fromEntries(
    Object.entries(content)
      .filter(([key]) => key in settingDefinitions)
      .map(([key, value]) => [key, { value, from: `${file}: ${key}` }]),
  );
};

const check = (given: Given, faults: string[]): Record<string, unknown> => {
  const settings: Record<string, unknown> = {};
  for (const [name, definition] of definitions) {
    const parsed = definition.schema.safeParse(given[name]?.value);
    if (parsed.success) settings[name] = parsed.data;
    else faults.push(`${given[name]?.from ?? name} ${parsed.error.issues[0]?.message ?? 'is not valid'}`);
  }
  return settings;
};

/**
 * Reads the command line, the environment and `settings.json` of the data folder, once.
 * @throws SettingsInvalid with every fault at once.
 */
export const readSettings = (
  args: readonly string[],
  env: Env,
  isRoot: boolean,
): Settings & { readonly data: string } => {
  const faults: string[] = [];
  const above = { ...fromVariables(env), ...fromArguments(args, faults) };
  const data = typeof above.data?.value === 'string' ? above.data.value : defaultDataFolder(env, isRoot);
  const settings = check({ ...fromFile(join(data, 'settings.json'), faults), ...above }, faults);
  if (settings['awsEndpoints'] === 'windsock' && settings['awsCredentials'] !== 'none')
    faults.push('--aws-credentials is for DAGs that work with AWS: add --aws-endpoints aws');
  const remote = (settings['remoteBuckets'] ?? []) as readonly RemoteBucketSettings[];
  if (remote.some(({ credentials }) => credentials === 'role') && settings['awsCredentials'] !== 'role')
    faults.push(
      'remoteBuckets: a bucket is read as the execution role only where that is a role of AWS: add --aws-endpoints aws --aws-credentials role',
    );
  if (faults.length > 0) throw new SettingsInvalid(faults, settings['jsonLogs'] === true);
  return { ...(settings as unknown as Settings), data };
};

/** `--port PORT`; a switch as what it changes: `--no-demo`, `--json-logs`. */
export const flagText = (name: string, d: SettingDefinition): string => {
  if (d.value) return `--${flagName(name)} ${d.value}`;
  return d.schema.safeParse(undefined).data === true ? `--no-${flagName(name)}` : `--${flagName(name)}`;
};

/** The text of `--help`. */
export const settingsHelp = (): string => {
  const rows = definitions
    .filter(([, d]) => !d.secret)
    .map(([name, d]) => {
      const standard = d.defaultText ?? d.schema.safeParse(undefined).data;
      const right = standard === true ? `Do not ${d.description.toLowerCase()}` : d.description;
      const note = d.value && standard !== undefined ? ` (${standard})` : '';
      return `  ${flagText(name, d).padEnd(26)} ${right}${note}`;
    });
  return [
    'Starts Windsock: PostgreSQL, the API and every environment, until it is stopped.',
    '',
    'Options:',
    ...rows,
    `  ${'--help'.padEnd(26)} Show this`,
    '',
    'Each is also an environment variable (--door-port is WINDSOCK_DOOR_PORT) and a member of',
    'settings.json in the data folder. WINDSOCK_DATABASE_URL names a PostgreSQL of your own.',
    '',
  ].join('\n');
};
