import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Place } from './server.ts';

/** A DAG for Airflow 2 and 3 with one task, `speak`, that does these lines of Python. */
const speakingDag = (id: string, lines: readonly string[], more = ''): string => `import time
from datetime import datetime

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task


@dag(dag_id="${id}", schedule=None, start_date=datetime(2024, 1, 1), catchup=False${more})
def speaking():
    @task
    def speak():
        ${lines.join('\n        ')}

    speak()


speaking()
`;

/**
 * A DAG whose task says something and returns it. What a task prints may end up in a folded part of Airflow 3's log
 * page; the line with the returned value never does.
 */
export const sayingDag = (id: string, words: string): string =>
  speakingDag(id, [`print(${JSON.stringify(words)})`, `return ${JSON.stringify(words)}`]);

/** A DAG whose task says a line a second: `line 0 of 40` and so on. */
export const tickingDag = (id: string, lines: number): string =>
  speakingDag(id, [
    `for n in range(${lines}):`,
    `    print(f"line {n} of ${lines}", flush=True)`,
    '    time.sleep(1)',
  ]);

/** A DAG that a role made in Airflow may see. */
export const sharedDag = (id: string, role: string): string =>
  speakingDag(id, ['return "Shared"'], `, access_control={"${role}": {"can_read"}}`);

/**
 * A DAG that needs an environment variable to be imported, named after its value: its task returns what it sees of
 * its variables, and what Airflow reads for these options (`section.key`).
 */
export const variablesDag = (id: string, variable: string, options: readonly string[]): string =>
  `import os\n${speakingDag(id, [
    'import os',
    'from airflow.configuration import conf',
    `options = {name: conf.get(*name.split(".", 1), fallback=None) for name in ${JSON.stringify(options)}}`,
    'variables = {name: value for name, value in os.environ.items() if name.startswith(("AIRFLOW__", "MWAA"))}',
    'print("seen:", variables)',
    'return {"variables": variables, "options": options}',
  ]).replace(`dag_id="${id}"`, `dag_id="${id}_" + os.environ["${variable}"]`)}`;

/** Puts a file into a bucket's `dags` folder; the bucket is made when it is not there. */
export const putDag = ({ data }: Place, bucket: string, file: string, text: string): void => {
  const path = join(data, 'buckets', bucket, 'dags', file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};
