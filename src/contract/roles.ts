/** The five Airflow roles that MWAA's IAM resource `role/{env}/{Role}` can name, strongest first. */
export const airflowRoles = ['Admin', 'Op', 'User', 'Viewer', 'Public'] as const;
export type AirflowRole = (typeof airflowRoles)[number];
