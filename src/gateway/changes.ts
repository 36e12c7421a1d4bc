import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';

type Asked = Pick<DoorRequest, 'method' | 'target'>;
type Version = Pick<DoorFacts, 'airflow'>;

/**
 * The method that Airflow gets. HEAD goes as GET, whose answer is then cut to its head (RFC 9110 9.3.2): Flask gives
 * HEAD to every view that serves GET, but the views themselves only look for GET before they change something (Flask-AppBuilder,
 * `is_get_mutation_allowed`; airflow/www/views.py, `trigger`), and Flask-WTF asks HEAD for no CSRF token.
 */
export const methodForAirflow = ({ method }: Pick<DoorRequest, 'method'>): string =>
  method === 'HEAD' ? 'GET' : method;

/** OPTIONS is answered by Flask itself and refused by FastAPI: no view sees it. */
const safeMethods = new Set(['GET', 'OPTIONS']);

/**
 * What Airflow's pages ask for by POST, only because the question is long (airflow/www/views.py of 2.7 to 2.11), and
 * the lists of its REST API (openapi/v1.yaml, "batch" operations; the same paths in v2).
 */
const questions: Readonly<Record<DoorFacts['airflow'], RegExp>> = {
  2: /^\/(?:blocked|dag_stats|task_stats|last_dagruns|next_run_datasets_summary|api\/v1\/dags\/~\/dagRuns\/(?:list|~\/taskInstances\/list))$/,
  3: /^\/api\/v2\/dags\/~\/dagRuns\/(?:list|~\/taskInstances\/list)$/,
};

/**
 * Pages of Airflow 2 that change something on a plain GET (airflow/www/views.py): `trigger` of 2.7 starts a run,
 * `parse_dag` of 2.11 has a file parsed again. No GET of Airflow 3 does.
 */
const changingPage = /^\/(?:(?:dags\/[^/]+\/)?trigger\/?|parseDagFile\/[^/]+)$/;

/** Whether a GET of this page changes something. */
export const isChangingPage = (request: Pick<DoorRequest, 'target'>, door: Version): boolean =>
  door.airflow === 2 && changingPage.test(request.target.path);

/** Whether the method alone says that nothing changes. */
export const isSafeMethod = (request: Pick<DoorRequest, 'method'>): boolean =>
  safeMethods.has(methodForAirflow(request));

/** Whether a request may change something in Airflow; when in doubt it may. */
export const mayChange = (request: Asked, door: Version): boolean =>
  isChangingPage(request, door) ||
  (!isSafeMethod(request) &&
    !(request.method === 'POST' && questions[door.airflow].test(request.target.path)));
