import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * What Airflow's pages ask for by POST, only because the question is long (airflow/www/views.py of 2.7 to 2.11), and
 * the lists of its REST API (openapi/v1.yaml, "batch" operations; the same paths in v2).
 */
const questions: Readonly<Record<DoorFacts['airflow'], RegExp>> = {
  2: /^\/(?:blocked|dag_stats|task_stats|last_dagruns|api\/v1\/dags\/~\/dagRuns\/(?:list|~\/taskInstances\/list))$/,
  3: /^\/api\/v2\/dags\/~\/dagRuns\/(?:list|~\/taskInstances\/list)$/,
};

/** Airflow 2.7 starts a run on a plain GET of these. */
export const isTriggerPage = (
  request: Pick<DoorRequest, 'target'>,
  door: Pick<DoorFacts, 'airflow'>,
): boolean => door.airflow === 2 && /^\/(dags\/[^/]+\/)?trigger\/?$/.test(request.target.path);

/** Whether a request may change something in Airflow; when in doubt it may. */
export const mayChange = (
  request: Pick<DoorRequest, 'method' | 'target'>,
  door: Pick<DoorFacts, 'airflow'>,
) =>
  isTriggerPage(request, door) ||
  (!safeMethods.has(request.method) &&
    !(request.method === 'POST' && questions[door.airflow].test(request.target.path)));
