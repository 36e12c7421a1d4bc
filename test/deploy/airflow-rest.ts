import { restPath, type Session } from '../harness/door.ts';
import { until } from '../harness/until.ts';

/** What Airflow says to a session. */
export class AirflowRest {
  readonly #session: Session;
  readonly #airflow: 2 | 3;

  constructor(session: Session, airflow: 2 | 3) {
    this.#session = session;
    this.#airflow = airflow;
  }

  /** An answer of the REST API. @throws Error for every status but 200 */
  async get<T>(path: string): Promise<T> {
    return JSON.parse(await this.#text(`${restPath(this.#airflow)}${path}`)) as T;
  }

  async #text(path: string): Promise<string> {
    const answer = await this.#session.get(path);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    return answer.text;
  }

  async dagIds(): Promise<readonly string[]> {
    const { dags } = await this.get<{ dags: { dag_id: string }[] }>('/dags?limit=100');
    return dags.map((dag) => dag.dag_id);
  }

  /** The list of plugins, as text: the REST API of Airflow 2.7.2 fails for one that has macros, its page does not. */
  plugins(): Promise<string> {
    return this.#text(this.#airflow === 2 ? '/plugin' : '/api/v2/plugins?limit=100');
  }

  /** Waits until a run has ended; gives its state. */
  endOf(dag: string, run: string): Promise<string> {
    return until(`the end of ${run}`, 120, async () => {
      const { state } = await this.get<{ state: string }>(`/dags/${dag}/dagRuns/${run}`);
      return /^(success|failed)$/.test(state) && state;
    });
  }
}
