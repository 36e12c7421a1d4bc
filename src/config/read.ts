import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { codeOf, textOf, WindsockError } from '../lib/errors.ts';
import { defaultDataFolder } from './data-folder.ts';
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
  constructor(faults: readonly string[]) {
    super('SettingsInvalid', faults.join('\n'));
  }
}

const fromArguments = (args: readonly string[], faults: string[]): Given => {
  const options: Record<string, { type: 'string' | 'boolean' }> = { help: { type: 'boolean' } };
  for (const [name, d] of definitions)
    if (!d.secret) options[flagName(name)] = { type: d.value ? 'string' : 'boolean' };
  try {
    const { values } = parseArgs({ args: [...args], options, strict: true, allowNegative: true });
    return Object.fromEntries(
      definitions
        .filter(([name]) => values[flagName(name)] !== undefined)
        .map(([name]) => [name, { value: values[flagName(name)], from: `--${flagName(name)}` }]),
    );
  } catch (error) {
    faults.push(`${textOf(error)} See --help.`);
    return {};
  }
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
    if (codeOf(error) !== 'ENOENT') faults.push(`${file} cannot be read: ${textOf(error)}`);
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
  if (faults.length > 0) throw new SettingsInvalid(faults);
  return { ...(settings as unknown as Settings), data };
};

/** The text of `--help`. */
export const settingsHelp = (): string => {
  const rows = definitions
    .filter(([, d]) => !d.secret)
    .map(([name, d]) => {
      const standard = d.defaultText ?? d.schema.safeParse(undefined).data;
      const left = d.value ? `--${flagName(name)} ${d.value}` : `--no-${flagName(name)}`;
      const right = d.value
        ? `${d.description}${standard === undefined ? '' : ` (${standard})`}`
        : `Do not ${d.description.toLowerCase()}`;
      return `  ${left.padEnd(26)} ${right}`;
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
