// Writes the pages of docs/reference from the code; with --check it only says which of them are out of date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { airflowOptionsPage } from './reference/airflow-options.ts';
import { cliCommandsPage } from './reference/cli-commands.ts';
import { commandsPage } from './reference/commands.ts';
import { logEventsPage } from './reference/log-events.ts';
import { operationsPage } from './reference/operations.ts';
import { settingsPage } from './reference/settings.ts';

const folder = new URL('../docs/reference/', import.meta.url);
const pages: Readonly<Record<string, () => string>> = {
  'airflow-options.md': airflowOptionsPage,
  'cli-commands.md': cliCommandsPage,
  'commands.md': commandsPage,
  'log-events.md': logEventsPage,
  'operations.md': operationsPage,
  'settings.md': settingsPage,
};

const check = process.argv.includes('--check');
mkdirSync(folder, { recursive: true });
for (const [name, make] of Object.entries(pages)) {
  const file = fileURLToPath(new URL(name, folder));
  const wanted = make();
  if (existsSync(file) && readFileSync(file, 'utf8') === wanted) continue;
  if (check) {
    console.error(`docs/reference/${name} is out of date. Run: npm run reference`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, wanted);
    console.log(`docs/reference/${name}`);
  }
}
