import { protectedOptions } from '../../src/airflow/protected-options.ts';
import { code, page, table } from './markdown.ts';

/** `docs/reference/airflow-options.md` */
export const airflowOptionsPage = (): string =>
  page(
    'Airflow options of an environment',
    `Each entry \`section.key\` of AirflowConfigurationOptions is an option of \`airflow.cfg\` and, as on Amazon MWAA, an
environment variable \`AIRFLOW__SECTION__KEY\` of every process: scheduler, DAG processor, triggerer, web server, tasks
and commands. A DAG may read it from \`os.environ\`. A section and a key that Airflow does not know, such as
\`custom.queue\`, are as good as any other. A variable is in upper case, comes over Airflow's file, and is gone when an
update leaves the option out.`,
    '## Exceptions',
    `- The options below are neither in the file nor in a variable, however they are written: not as \`KEY_CMD\` or
  \`KEY_SECRET\`, not by an older name that Airflow still reads, not for a team. Airflow would prefer a variable to what
  Windsock writes into the file. \`windsock.log\` names those that an environment was given (\`options ignored\`).
- A key with a second dot (\`custom.a.b\`) is in the file only: no shell can name its variable.
- Commands at \`/aws_mwaa/cli\` other than \`dags test\` and \`tasks test\` have the log level WARNING, whatever
  \`logging.logging_level\` says, so that no log line stands in the answer.`,
    '## Options that Windsock keeps',
    table(
      ['options', 'Airflow', 'reason'],
      protectedOptions.map(({ options, major, why }) => [
        options.map(code).join(' '),
        major === undefined ? 'all' : String(major),
        why,
      ]),
    ),
  );
