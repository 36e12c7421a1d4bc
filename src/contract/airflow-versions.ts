/** Versions that MWAA no longer creates or updates to (MWAA user guide, "Apache Airflow versions", September 2026). */
export const endedVersions: readonly string[] = ['1.10.12', '2.0.2', '2.2.2', '2.4.3', '2.5.1', '2.6.3'];
