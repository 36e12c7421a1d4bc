import { suspending } from './suspend.ts';

/** Ends an environment's Airflow. Its database, DAGs, settings and address stay, also over restarts of the server. */
export const stopEnvironment = suspending('StopEnvironment', true);
