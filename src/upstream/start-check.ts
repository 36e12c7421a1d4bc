import { Client } from 'undici';
import type { WebTarget } from '../environments/ports.ts';
import { connectorTo } from './connector.ts';

const deadlineMs = 5_000;

/** `open-to-strangers`: it answers pages without an assertion and must never get traffic. */
export type StartState = 'ready' | 'starting' | 'open-to-strangers';

interface Probes {
  readonly health: string;
  /** Pages that stock Airflow would serve or redirect; behind the gate each answers 401. */
  readonly guarded: readonly string[];
}

const probes = (airflowVersion: string): Probes =>
  airflowVersion.startsWith('2.')
    ? { health: '/health', guarded: ['/home', '/login/', '/api/v1/dags'] }
    : {
        health: '/api/v2/monitor/health',
        guarded: ['/', '/auth/login/', '/api/v2/version', '/api/v2/dags', '/openapi.json'],
      };

const statusOf = async (client: Client, path: string): Promise<number> => {
  const answer = await client.request({ method: 'GET', path, signal: AbortSignal.timeout(deadlineMs) });
  await answer.body.dump();
  return answer.statusCode;
};

/**
 * Looks at one start of a web server: healthy, and refusing whoever has no assertion. A missing configuration
 * file makes Airflow start open, so health alone proves nothing. Never throws: no answer is `starting`.
 */
export const checkStart = async (target: WebTarget, airflowVersion: string): Promise<StartState> => {
  const { health, guarded } = probes(airflowVersion);
  const client = new Client(`http://${target.host}:${target.port}`, {
    connect: connectorTo(target, deadlineMs),
  });
  try {
    if ((await statusOf(client, health)) !== 200) return 'starting';
    for (const path of guarded) {
      const status = await statusOf(client, path);
      if (status >= 500) return 'starting';
      if (status !== 401) return 'open-to-strangers';
    }
    return 'ready';
  } catch {
    return 'starting';
  } finally {
    await client.destroy().catch(() => {});
  }
};
