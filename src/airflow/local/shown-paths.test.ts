import { expect, test } from 'vitest';
import { withoutDataFolder, withoutPackageFolders } from './shown-paths.ts';

const data = '/srv/wind (sock)';
const traceback = `  File "${data}/bases/airflow-3.3.1-0a1b/lib/python3.11/site-packages/airflow/__main__.py", line 61, in main`;

test('the packages of a virtual environment are named from their folder on', () => {
  expect(withoutPackageFolders(traceback, data)).toBe('  File "airflow/__main__.py", line 61, in main');
});

test('what a command answers is left as it is, but for its tracebacks', () => {
  const answer = `{"fileloc": "${data}/environments/x/dags/a.py"}`;
  expect(withoutPackageFolders(answer, data)).toBe(answer);
});

test('a fault names no path of the data folder', () => {
  const text = `${traceback}\nNo such file: '${data}/environments/x/config/airflow.cfg' in ${data}.`;
  const shown = withoutDataFolder(text, data);
  expect(shown).not.toContain(data);
  expect(shown).toContain("'environments/x/config/airflow.cfg' in ..");
});
