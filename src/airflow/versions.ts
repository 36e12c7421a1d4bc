import { readFileSync } from 'node:fs';

/** What it takes to install and run one Airflow version. */
export interface AirflowVersion {
  readonly version: string;
  readonly major: 2 | 3;
  readonly extras: readonly string[];
  /** Python versions it runs on, the preferred one first. */
  readonly pythons: readonly string[];
  /** Pinned packages that are published without a wheel; none needs a compiler. */
  readonly sourcePackages: readonly string[];
}

/** Oldest first. Constraint files are Airflow's own for that release, in `constraints/`. */
export const airflowVersions: readonly AirflowVersion[] = [
  {
    version: '2.7.2',
    major: 2,
    extras: ['postgres', 'amazon', 'graphviz'],
    pythons: ['3.11'],
    sourcePackages: ['cron-descriptor', 'dill', 'pendulum', 'python-nvd3', 'unicodecsv'],
  },
  {
    version: '3.3.1',
    major: 3,
    // Without graphviz every `dags` command prints a warning before its answer.
    extras: ['postgres', 'amazon', 'fab', 'graphviz'],
    pythons: ['3.11', '3.12'],
    sourcePackages: [],
  },
];

/** The version of that name, or undefined. */
export const findVersion = (version: string): AirflowVersion | undefined =>
  airflowVersions.find((v) => v.version === version);

/** Text of the release's constraint file. */
export const constraintsOf = (version: AirflowVersion): string =>
  readFileSync(new URL(`./constraints/${version.version}.txt`, import.meta.url), 'utf8');

/** What is handed to the installer. */
export const requirementOf = (v: AirflowVersion): string =>
  `apache-airflow[${v.extras.join(',')}]==${v.version}`;
