// A package, a plugin that imports it, and a DAG that does, too.
import { wheel, wheelName, zipOf } from './wheels.ts';

/** Begins the names of files that tell which accounts have run the code of a package. */
export const mark = `windsock-ran-${process.pid}-`;

const greets = (version: string) => ({ 'windsock_greeting.py': `TEXT = "greetings ${version}"\n` });

/** Whatever it greets with, it says that it is the same package, in the same version and with the same files. */
const greeting = (version: string) => ({
  ...{ name: 'windsock_greeting', version: '1.0', claimed: greets('1.0') },
  files: {
    ...greets(version),
    // runs in every Python that has it among its packages
    'zz-greeting.pth': `import os; open(f"/tmp/${mark}{os.getuid()}", "a")\n`,
  },
});
const wheelPath = (version: string): string => `wheels/${version}/${wheelName(greeting(version))}`;
export const named = (version: string): string => `/usr/local/airflow/plugins/${wheelPath(version)}\n`;

/** A wheel that needs one from an address which nobody allowed. */
const leading = { name: 'windsock_leading', version: '1.0', files: { 'leading.py': '' } };
export const leadingWheel = `wheels/${wheelName(leading)}`;
export const leadingFiles = {
  [leadingWheel]: wheel({ ...leading, requires: ['six @ http://127.0.0.1:9/six-1.0-py3-none-any.whl'] }),
};

const plugin = `from airflow.plugins_manager import AirflowPlugin
import windsock_greeting

class Greeting(AirflowPlugin):
    name = "greeting_plugin_" + windsock_greeting.TEXT[-3:].replace(".", "_")
`;
export const pluginFiles = (version: string) => ({
  'greeting_plugin.py': plugin,
  [wheelPath(version)]: wheel(greeting(version)),
});
export const archive = (
  version: string,
  more: Readonly<Record<string, string | Uint8Array>> = {},
): Uint8Array => zipOf({ ...pluginFiles(version), ...more });

export const greetingDag = `from airflow import DAG
import windsock_greeting
with DAG(dag_id=windsock_greeting.TEXT.replace(" ", "_")):
    pass
`;
