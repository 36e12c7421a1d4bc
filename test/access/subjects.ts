/** The two environments that every story is told in: the oldest Airflow on offer and the newest. */
export interface Subject {
  readonly name: string;
  readonly version: string;
  readonly airflow: 2 | 3;
  /** The value of its tag `team`. */
  readonly team: string;
}

export const two: Subject = { name: 'two', version: '2.7.2', airflow: 2, team: 'data' };
export const three: Subject = { name: 'three', version: '3.3.1', airflow: 3, team: 'web' };
export const subjects = [three, two];
export const otherOf = (s: Subject): Subject => (s === two ? three : two);

/** The DAGs of both: one that is triggered, and one that stays paused, so that its runs wait for ever. */
export const dag = 'story';
export const pausedDag = 'paused';
