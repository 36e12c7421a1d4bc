import { suspending } from './suspend.ts';

/** Starts the Airflow of an environment that was stopped, as it was. */
export const startEnvironment = suspending('StartEnvironment', false);
