import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Place } from './server.ts';

/**
 * A DAG with one task that says something and returns it; for Airflow 2 and 3. What a task prints may end up in a
 * folded part of Airflow 3's log page; the line with the returned value never does.
 */
export const sayingDag = (id: string, words: string): string => `from datetime import datetime

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task


@dag(dag_id="${id}", schedule=None, start_date=datetime(2024, 1, 1), catchup=False)
def saying():
    @task
    def speak():
        print(${JSON.stringify(words)})
        return ${JSON.stringify(words)}

    speak()


saying()
`;

/** Puts a file into a bucket's `dags` folder; the bucket is made when it is not there. */
export const putDag = ({ data }: Place, bucket: string, file: string, text: string): void => {
  const path = join(data, 'buckets', bucket, 'dags', file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};
