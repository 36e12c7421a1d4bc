const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The packages of a virtual environment in the data folder: `airflow/models/dag.py` says as much. */
const packages = (data: string): RegExp =>
  new RegExp(`${escaped(data)}/bases/[^/\\s"']+/lib/python[\\d.]+/site-packages/`, 'g');

/** Tracebacks as people get them, without where the packages are on this machine. Nothing else is changed. */
export const withoutPackageFolders = (text: string, data: string): string =>
  text.includes(data) ? text.replace(packages(data), '') : text;

/** What Airflow says of a fault, without a path of the data folder: what is in it keeps its path from there. */
export const withoutDataFolder = (text: string, data: string): string =>
  withoutPackageFolders(text, data).replaceAll(`${data}/`, '').replaceAll(data, '.');
