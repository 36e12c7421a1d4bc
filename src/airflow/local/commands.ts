import type { AirflowVersion } from '../versions.ts';

export type ComponentName = 'webserver' | 'scheduler' | 'dag-processor' | 'triggerer';

/** The components of a version, in the order of their start. */
export const componentsOf = (v: AirflowVersion, triggerer = true): readonly ComponentName[] => [
  ...(['webserver', 'scheduler'] as const),
  ...(v.major === 2 ? [] : (['dag-processor'] as const)),
  ...(triggerer ? (['triggerer'] as const) : []),
];

/** The ones without which an environment is not AVAILABLE. */
export const neededToBeReady = (v: AirflowVersion): readonly ComponentName[] => componentsOf(v, false);

/** Threads of a web worker of Airflow 2: pages wait for the database most of the time. */
const webThreads = 8;

/**
 * Seconds that a web worker of Airflow 2 keeps an idle connection, as uvicorn does for Airflow 3. Of its own gunicorn
 * closes after 2: then a request of the gateway, which keeps connections for 3, can meet the end of one (upstream/pool.ts).
 */
const keepAlive = 5;

/**
 * The web server of Airflow 2 as `airflow webserver` would start it (airflow/cli/commands/webserver_command.py),
 * without the monitor process around it: one process less, and a fault at the start ends it at once.
 */
const gunicorn = (webPort: number, workers: number): string[] => [
  ...['-m', 'gunicorn', '--workers', String(workers), '--threads', String(webThreads)],
  ...['--worker-class', 'gthread', '--keep-alive', String(keepAlive)],
  ...[
    '--timeout',
    '120',
    '--bind',
    `127.0.0.1:${webPort}`,
    '--name',
    'airflow-webserver',
    '--error-logfile',
    '-',
  ],
  ...['--config', 'python:airflow.www.gunicorn_config', '--preload', 'airflow.www.app:cached_app()'],
];

/** The arguments for Python. All processes share one file system, so nobody serves logs to anybody. */
export const argumentsOf = (
  name: ComponentName,
  v: AirflowVersion,
  o: {
    readonly webPort: number;
    readonly pidFile: string;
    /** Worker processes of the web server. */
    readonly webWorkers: number;
  },
): string[] => {
  const airflow = ['-m', 'airflow'];
  const pid = ['--pid', o.pidFile];
  switch (name) {
    case 'webserver': {
      if (v.major === 2) return gunicorn(o.webPort, o.webWorkers);
      const address = ['--host', '127.0.0.1', '--port', String(o.webPort)];
      const workers = ['--workers', String(o.webWorkers)];
      return [...airflow, 'api-server', ...address, ...workers, '--proxy-headers', ...pid];
    }
    case 'scheduler':
      return [...airflow, 'scheduler', '--skip-serve-logs', ...pid];
    case 'dag-processor':
      return [...airflow, 'dag-processor', ...pid];
    case 'triggerer':
      return [...airflow, 'triggerer', '--skip-serve-logs', ...pid];
  }
};
