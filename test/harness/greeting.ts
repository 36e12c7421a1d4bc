// A package, a plugin that imports it, and a DAG that does, too.
import { wheel, wheelName, zipOf } from './wheels.ts';

/** Begins the names of files that tell which accounts have run the code of a package. */
export const mark = `windsock-ran-${process.pid}-`;

const greeting = (version: string, pth = false) => ({
  name: 'windsock_greeting',
  version,
  files: {
    'windsock_greeting.py': `TEXT = "greetings ${version}"\n`,
    // runs in every Python that has it among its packages
    ...(pth ? { 'zz-greeting.pth': `import os; open(f"/tmp/${mark}{os.getuid()}", "a")\n` } : {}),
  },
});
export const named = (version: string): string =>
  `/usr/local/airflow/plugins/wheels/${wheelName(greeting(version))}\n`;

const plugin = `from airflow.plugins_manager import AirflowPlugin
import windsock_greeting

class Greeting(AirflowPlugin):
    name = "greeting_plugin_" + windsock_greeting.TEXT[-3:].replace(".", "_")
`;
export const pluginFiles = (version: string) => ({
  'greeting_plugin.py': plugin,
  [`wheels/${wheelName(greeting(version))}`]: wheel(greeting(version, true)),
});
export const archive = (version: string, more: Readonly<Record<string, string>> = {}): Uint8Array =>
  zipOf({ ...pluginFiles(version), ...more });

export const greetingDag = `from airflow import DAG
import windsock_greeting
with DAG(dag_id=windsock_greeting.TEXT.replace(" ", "_")):
    pass
`;
