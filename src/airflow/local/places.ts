import { join } from 'node:path';
import type { EnvironmentId } from '../../environments/record.ts';

/** The folders of one environment. What its account may write is `home` and `tmp`; the rest is ours. */
export interface Places {
  readonly root: string;
  readonly config: string;
  readonly airflowConfig: string;
  readonly assertionKeys: string;
  /** Public authorities and ours: the data folder's own file is not seen by Airflow. */
  readonly caBundle: string;
  readonly hosts: string;
  /** By it the processes of the environment are given the credentials of the execution role. */
  readonly roleToken: string;
  /** 0600: the secrets of its Airflow. */
  readonly secrets: string;
  readonly dags: string;
  readonly plugins: string;
  /** requirements.txt. */
  readonly requirements: string;
  /** The startup script. */
  readonly startup: string;
  /** AIRFLOW_HOME and HOME. */
  readonly home: string;
  readonly taskLogs: string;
  readonly temporary: string;
  /** What the DAG processor says it has read; its account writes it. */
  readonly readFiles: string;
  /** What the components print. */
  readonly componentLogs: string;
  /** Processes that were started, for whoever finds them after a crash. */
  readonly facts: string;
  readonly contentState: string;
  /** Packages and plugins of its own, in a folder for each revision of them. */
  readonly packages: string;
}

export const placesOf = (environments: string, id: EnvironmentId): Places => {
  const root = join(environments, id);
  return {
    root,
    config: join(root, 'config'),
    airflowConfig: join(root, 'config', 'airflow.cfg'),
    assertionKeys: join(root, 'config', 'assertion-keys.json'),
    caBundle: join(root, 'config', 'ca-bundle.pem'),
    hosts: join(root, 'config', 'hosts'),
    roleToken: join(root, 'config', 'role-token'),
    secrets: join(root, 'secrets.json'),
    dags: join(root, 'dags'),
    plugins: join(root, 'plugins'),
    requirements: join(root, 'requirements'),
    startup: join(root, 'startup'),
    home: join(root, 'home'),
    taskLogs: join(root, 'home', 'logs'),
    temporary: join(root, 'tmp'),
    readFiles: join(root, 'tmp', '.windsock-read-files.json'),
    componentLogs: join(root, 'logs'),
    facts: join(root, 'facts.json'),
    contentState: join(root, 'content.json'),
    packages: join(root, 'packages'),
  };
};
