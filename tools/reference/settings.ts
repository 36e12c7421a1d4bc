import { flagText } from '../../src/config/read.ts';
import { type SettingDefinition, settingDefinitions, variableName } from '../../src/config/settings.ts';
import { code, page, table } from './markdown.ts';

const onCommandLine = (name: string, d: SettingDefinition): string => {
  if (d.secret) return 'not there: secret';
  return code(flagText(name, d));
};

const defaultOf = (d: SettingDefinition): string => {
  if (d.defaultText !== undefined) return d.defaultText;
  const standard = d.schema.safeParse(undefined).data;
  return standard === undefined ? 'none' : code(String(standard));
};

/** `docs/reference/settings.md` */
export const settingsPage = (): string => {
  const definitions = Object.entries(settingDefinitions) as [string, SettingDefinition][];
  const rows = definitions.map(([name, d]) => [
    onCommandLine(name, d),
    code(variableName(name)),
    code(name),
    defaultOf(d),
    d.description,
  ]);
  return page(
    'Settings',
    `Each setting can be given on the command line (\`npm start -- --port 7500\`, \`windsock start --port 7500\`), in the
environment, or as a member of the file \`settings.json\` in the data folder. The command line comes first, then the
environment, then the file. In the file, \`data\` has no effect. All faults are reported at once, and nothing starts.`,
    table(['command line', 'environment', 'settings.json', 'default', 'meaning'], rows),
  );
};
