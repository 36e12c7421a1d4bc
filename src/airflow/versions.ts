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

/** Graphviz, because without it every `dags` command prints a warning before its answer. */
const extras = ['postgres', 'amazon', 'graphviz'];
/** FAB left the core with Airflow 3. */
const extras3 = ['postgres', 'amazon', 'fab', 'graphviz'];

/** What Amazon MWAA runs first; the other one installs with the same constraints. */
const newPythons = ['3.12', '3.11'];
const oldPythons = ['3.11'];

/** The versions that Amazon MWAA offers, oldest first. Constraint files are Airflow's own for that release, in `constraints/`. */
export const airflowVersions: readonly AirflowVersion[] = [
  {
    version: '2.7.2',
    major: 2,
    extras,
    pythons: oldPythons,
    sourcePackages: ['cron-descriptor', 'dill', 'pendulum', 'python-nvd3', 'unicodecsv'],
  },
  {
    version: '2.8.1',
    major: 2,
    extras,
    pythons: oldPythons,
    sourcePackages: ['cron-descriptor', 'dill', 'python-nvd3', 'unicodecsv'],
  },
  {
    version: '2.9.2',
    major: 2,
    extras,
    pythons: oldPythons,
    sourcePackages: ['dill', 'python-nvd3', 'unicodecsv'],
  },
  {
    version: '2.10.1',
    major: 2,
    extras,
    pythons: oldPythons,
    sourcePackages: ['dill', 'python-nvd3', 'unicodecsv'],
  },
  {
    version: '2.10.3',
    major: 2,
    extras,
    pythons: oldPythons,
    sourcePackages: ['dill', 'python-nvd3'],
  },
  { version: '2.11.0', major: 2, extras, pythons: newPythons, sourcePackages: ['python-nvd3'] },
  { version: '2.11.2', major: 2, extras, pythons: newPythons, sourcePackages: ['python-nvd3'] },
  { version: '3.0.6', major: 3, extras: extras3, pythons: newPythons, sourcePackages: ['dill'] },
  { version: '3.2.1', major: 3, extras: extras3, pythons: newPythons, sourcePackages: [] },
  { version: '3.3.1', major: 3, extras: extras3, pythons: newPythons, sourcePackages: [] },
];

/** The version of that name, or undefined. */
export const findVersion = (version: string): AirflowVersion | undefined =>
  airflowVersions.find((v) => v.version === version);

/** Text of the release's constraint file. */
export const constraintsOf = (version: AirflowVersion): string =>
  readFileSync(new URL(`./constraints/${version.version}.txt`, import.meta.url), 'utf8');

const botocores = new Map<string, readonly [major: number, minor: number]>();

/** The version of botocore that the release is installed with. */
export const botocoreOf = (version: AirflowVersion): readonly [major: number, minor: number] => {
  const known = botocores.get(version.version);
  if (known) return known;
  const [, major, minor] = /^botocore==(\d+)\.(\d+)\./m.exec(constraintsOf(version)) ?? [];
  const found = [Number(major), Number(minor)] as const;
  botocores.set(version.version, found);
  return found;
};

/**
 * Text of the constraints that a requirements.txt cannot be without, whatever constraints it names: the packages that
 * Airflow's own processes are made of. In `essential-pins/`.
 */
export const essentialPinsOf = (version: AirflowVersion): string =>
  readFileSync(new URL(`./essential-pins/${version.version}.txt`, import.meta.url), 'utf8');

/** What is handed to the installer. aiobotocore, as on Amazon MWAA: deferrable operators of AWS need it. */
export const requirementsOf = (v: AirflowVersion): readonly string[] => [
  `apache-airflow[${v.extras.join(',')}]==${v.version}`,
  'aiobotocore',
];
