/**
 * Where the processes of an environment get the credentials of its execution role, on the API's port. It is no bucket
 * (S3 names have three characters or more) and no path of Amazon MWAA.
 */
export const roleCredentialsPath = '/-/role-credentials';

/** The service that runs an environment, as the trust policy of its execution role names it (MWAA user guide, "Amazon MWAA execution role"). */
export const environmentService = 'airflow-env.amazonaws.com';

/** Where a process runs on behalf of a task, as it says itself: parameters of the query. */
export const roleCredentialsQuery = { dag: 'dag_id', task: 'task_id' } as const;
