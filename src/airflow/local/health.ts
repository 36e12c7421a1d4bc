import type { WebTarget } from '../../environments/ports.ts';
import type { AirflowVersion } from '../versions.ts';

interface HealthAnswer {
  readonly [part: string]: { readonly status?: string | null } | undefined;
}

/** Parts of Airflow's health page that must say healthy. */
const partsOf = (v: AirflowVersion): readonly string[] =>
  v.major === 2 ? ['metadatabase', 'scheduler'] : ['metadatabase', 'scheduler', 'dag_processor'];

const pathOf = (v: AirflowVersion): string => (v.major === 2 ? '/health' : '/api/v2/monitor/health');

/** Parts that are not healthy yet; undefined while the web server does not answer. */
export const unhealthyParts = async (
  target: WebTarget,
  v: AirflowVersion,
): Promise<readonly string[] | undefined> => {
  try {
    const answer = await fetch(`http://${target.host}:${target.port}${pathOf(v)}`, {
      signal: AbortSignal.timeout(10_000),
      redirect: 'manual',
    });
    if (answer.status !== 200) return undefined;
    const health = (await answer.json()) as HealthAnswer;
    return partsOf(v).filter((part) => health[part]?.status !== 'healthy');
  } catch {
    return undefined;
  }
};
