import type { AirflowVersion } from '../versions.ts';

export type ComponentName = 'webserver' | 'scheduler' | 'dag-processor' | 'triggerer';

/** The components of a version, in the order of their start. */
export const componentsOf = (v: AirflowVersion): readonly ComponentName[] =>
  v.major === 2
    ? ['webserver', 'scheduler', 'triggerer']
    : ['webserver', 'scheduler', 'dag-processor', 'triggerer'];

/** The ones without which an environment is not AVAILABLE. */
export const neededToBeReady = (v: AirflowVersion): readonly ComponentName[] =>
  componentsOf(v).filter((name) => name !== 'triggerer');

/** The words after `airflow`. All processes share one file system, so nobody serves logs to anybody. */
export const wordsOf = (
  name: ComponentName,
  v: AirflowVersion,
  o: { webPort: number; pidFile: string },
): string[] => {
  switch (name) {
    case 'webserver':
      return v.major === 2
        ? ['webserver', '--port', String(o.webPort), '--hostname', '127.0.0.1', '--pid', o.pidFile]
        : [
            'api-server',
            '--port',
            String(o.webPort),
            '--host',
            '127.0.0.1',
            '--workers',
            '1',
            '--proxy-headers',
            '--pid',
            o.pidFile,
          ];
    case 'scheduler':
      return ['scheduler', '--skip-serve-logs', '--pid', o.pidFile];
    case 'dag-processor':
      return ['dag-processor', '--pid', o.pidFile];
    case 'triggerer':
      return ['triggerer', '--skip-serve-logs', '--pid', o.pidFile];
  }
};
