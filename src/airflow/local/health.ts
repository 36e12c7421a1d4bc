import type { WebTarget } from '../../environments/ports.ts';
import type { AirflowVersion } from '../versions.ts';
import type { ComponentName } from './commands.ts';

interface HealthAnswer {
  readonly [part: string]: Readonly<Record<string, string | null | undefined>> | undefined;
}

/** The health page of a web server as JSON, whatever is in it; undefined when there is none. Never throws. */
export type HealthPage = (target: WebTarget, path: string) => Promise<unknown>;

/** What Airflow says of one part. */
export interface PartHealth {
  readonly isHealthy: boolean;
  /** Epoch milliseconds of its last sign of life, where it gives any. */
  readonly heartbeat: number | undefined;
}

/** A part of Airflow's health page: the metadata database or a component by its own name. */
export type Part = 'metadatabase' | ComponentName;

const names: readonly (readonly [inAnswer: string, part: Part])[] = [
  ['metadatabase', 'metadatabase'],
  ['scheduler', 'scheduler'],
  ['dag_processor', 'dag-processor'],
  ['triggerer', 'triggerer'],
];

const pathOf = (v: AirflowVersion): string => (v.major === 2 ? '/health' : '/api/v2/monitor/health');

/** Which parts are healthy, without those that say nothing; undefined while the web server does not answer. */
export const healthOf = async (
  target: WebTarget,
  v: AirflowVersion,
  healthPage: HealthPage,
): Promise<ReadonlyMap<Part, PartHealth> | undefined> => {
  const health = (await healthPage(target, pathOf(v))) as HealthAnswer | null | undefined;
  if (typeof health !== 'object' || health === null) return undefined;
  return new Map(
    names.flatMap(([inAnswer, part]) => {
      const said = health[inAnswer];
      if (typeof said?.['status'] !== 'string') return [];
      const heartbeat = Date.parse(said[`latest_${inAnswer}_heartbeat`] ?? '');
      const isHealthy = said['status'] === 'healthy';
      return [[part, { isHealthy, heartbeat: Number.isNaN(heartbeat) ? undefined : heartbeat }] as const];
    }),
  );
};

/** How long each part has been unwell without a break. */
export class Unwell {
  readonly #since = new Map<string, number>();

  /** Milliseconds for which this part has been unwell now; 0 when it is well. */
  note(part: string, isWell: boolean): number {
    if (isWell) this.#since.delete(part);
    else if (!this.#since.has(part)) this.#since.set(part, performance.now());
    return this.for(part);
  }

  for(part: string): number {
    const since = this.#since.get(part);
    return since === undefined ? 0 : performance.now() - since;
  }

  forget(part: string): void {
    this.#since.delete(part);
  }
}
