// Writes the pages of docs/reference and parts of others from the code; with --check it only says which of them are out of date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { airflowOptionsPage } from './reference/airflow-options.ts';
import { withGeneratedParts } from './reference/aws-differences.ts';
import { cliCommandsPage } from './reference/cli-commands.ts';
import { commandsPage } from './reference/commands.ts';
import { logEventsPage } from './reference/log-events.ts';
import { operationsPage } from './reference/operations.ts';
import { settingsPage } from './reference/settings.ts';

const folder = new URL('../docs/', import.meta.url);
const differences = fileURLToPath(new URL('aws-differences.md', folder));
const pages: Readonly<Record<string, () => string>> = {
  'reference/airflow-options.md': airflowOptionsPage,
  'reference/cli-commands.md': cliCommandsPage,
  'reference/commands.md': commandsPage,
  'reference/log-events.md': logEventsPage,
  'reference/operations.md': operationsPage,
  'reference/settings.md': settingsPage,
  'aws-differences.md': () => withGeneratedParts(readFileSync(differences, 'utf8')),
};

const check = process.argv.includes('--check');
mkdirSync(new URL('reference/', folder), { recursive: true });
for (const [name, make] of Object.entries(pages)) {
  const file = fileURLToPath(new URL(name, folder));
  const wanted = make();
  if (existsSync(file) && readFileSync(file, 'utf8') === wanted) continue;
  if (check) {
    console.error(`docs/${name} is out of date. Run: npm run reference`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, wanted);
    console.log(`docs/${name}`);
  }
}
