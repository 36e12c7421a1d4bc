/** The statuses of the MWAA model (botocore mwaa/2020-07-01, EnvironmentStatus). */
export const environmentStatuses = [
  'CREATING',
  'CREATE_FAILED',
  'AVAILABLE',
  'UPDATING',
  'DELETING',
  'DELETED',
  'UNAVAILABLE',
  'UPDATE_FAILED',
  'ROLLING_BACK',
  'CREATING_SNAPSHOT',
  'PENDING',
  'MAINTENANCE',
] as const;
