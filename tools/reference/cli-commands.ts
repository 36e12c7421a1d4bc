import { allowedCommands } from '../../src/airflow/cli/allow-list.ts';
import { type CommandForm, commandForm } from '../../src/airflow/cli/options.ts';
import { airflowVersions } from '../../src/airflow/versions.ts';
import { code, page, table } from './markdown.ts';

const optionsOf = (form: CommandForm): string => {
  const marks = { none: '', one: ' VALUE', many: ' VALUE…' };
  return [...form.options]
    .filter(([name]) => name.startsWith('--') && name !== '--help')
    .map(([name, takes]) => code(`${name}${marks[takes]}`))
    .join(' ');
};

const argumentsOf = ({ maximum }: CommandForm): string =>
  maximum === Number.POSITIVE_INFINITY ? 'any number' : String(maximum);

const rowOf = (version: string, command: string): readonly string[] => {
  const form = commandForm(version, command);
  if (form === undefined) throw new Error(`${command} of Airflow ${version} was not reviewed`);
  return [code(command), argumentsOf(form), optionsOf(form)];
};

const tableOf = (version: string): string =>
  table(
    ['command', 'arguments, at most', 'options'],
    allowedCommands(version).map((command) => rowOf(version, command)),
  );

/** One table for all versions that take the same. */
const tables = (): readonly string[] => {
  const byTable = Map.groupBy(airflowVersions, ({ version }) => tableOf(version));
  return [...byTable].flatMap(([text, versions]) => [
    `## Airflow ${versions.map(({ version }) => version).join(', ')}`,
    text,
  ]);
};

/** `docs/reference/cli-commands.md` */
export const cliCommandsPage = (): string =>
  page(
    'Airflow commands at `/aws_mwaa/cli`',
    `A CLI token runs one of these commands: those that the Amazon MWAA User Guide lists for the Airflow version, in the
page "Apache Airflow CLI command reference". Options must be written in full or as the short name that Airflow gives
them. Options that read or write files, start a program for a terminal, or load code are left out.`,
    `The body of the request is the command without the word \`airflow\`. No shell reads it; single and double quotes
keep words together. A command may take 60 seconds. Four run at once in an environment, more wait a moment.

Nobody can answer a command that asks: \`dags delete\`, \`db clean\`, \`tasks clear\`, \`dags backfill --reset-dagruns\`, and
\`dags pause\` or \`dags unpause\` with \`--treat-dag-id-as-regex\` need \`--yes\`. Airflow's audit log names the Airflow user
of whoever made the token. A command that is stopped may leave a DAG run behind: see \`dags list-runs\`.`,
    ...tables(),
  );
