import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { putDag } from './dags.ts';
import { ask, type DoorAnswer, restPath, runCommand, type Session, signIn } from './door.ts';
import { machineOf } from './environments.ts';
import type { Random } from './random.ts';
import type { Rig } from './rig.ts';
import type { AirflowVersion } from './traffic.ts';
import { until } from './until.ts';

/** Its task writes down when it begins and ends; what ended it early is tried again. */
const countingDag = `import os, time
from datetime import datetime, timedelta

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task


@dag(dag_id="counting", schedule=None, start_date=datetime(2024, 1, 1), catchup=False, max_active_runs=1000)
def counting():
    @task(retries=8, retry_delay=timedelta(seconds=1))
    def count(dag_run=None):
        file = os.path.join(os.environ["AIRFLOW_HOME"], "counted")
        for moment in ("began", "ended"):
            with open(file, "a") as counted:
                counted.write(f"{dag_run.run_id} {moment}\\n")
            time.sleep(1)

    count()


counting()
`;

interface Known {
  readonly id: string;
  /** Answered with 200: it must be there. */
  readonly isAcknowledged: boolean;
  readonly askedAt: number;
}

interface FoundRun {
  readonly dag_run_id: string;
  readonly state: string;
  readonly end_date: string | null;
}

/** A time in which something other than the server was killed, and what it took to settle; Date.now(). */
export interface Disturbance {
  readonly from: number;
  readonly to: number;
}

/** By itself Airflow looks for tasks whose process is gone every five minutes (config.yml of Airflow, `scheduler`). */
const looksSoon = (airflow: 2 | 3): Readonly<Record<string, string>> => ({
  'scheduler.orphaned_tasks_check_interval': '30',
  [airflow === 2 ? 'scheduler.scheduler_zombie_task_threshold' : 'scheduler.task_instance_heartbeat_timeout']:
    '60',
});

/** A client that asks a real Airflow for DAG runs, with one session for all of its life. */
export class DagRunner {
  readonly name = 'soak-dags';
  readonly #rig: Rig;
  readonly #random: Random;
  readonly #version: AirflowVersion;
  readonly #runs: Known[] = [];
  #session: Session | undefined;

  constructor(o: { readonly rig: Rig; readonly random: Random; readonly version: AirflowVersion }) {
    this.#rig = o.rig;
    this.#random = o.random;
    this.#version = o.version;
  }

  /** Makes the environment, waits until it knows the DAG, and signs in. */
  async prepare(): Promise<void> {
    const { place, api, mint } = this.#rig;
    putDag(place, this.name, 'counting.py', countingDag);
    await api.create(this.name, this.#version, {
      AirflowConfigurationOptions: looksSoon(this.#airflow),
    });
    await this.#rig.wait(`${this.name} AVAILABLE`, 400, async () => {
      const found = await api.find(this.name);
      if (found?.Status === 'CREATE_FAILED') throw new Error(JSON.stringify(found.LastUpdate));
      return found?.Status === 'AVAILABLE';
    });
    this.#session = await signIn(place, mint, this.name, this.#airflow);
    await until('the DAG is known', 90, async () => (await this.#send('GET', '')).status === 200, 1000);
    await runCommand(place, mint, this.name, 'dags unpause counting');
  }

  /** Asks for runs until it is told to stop. */
  async run(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      await this.#trigger().catch(() => {});
      await delay(this.#random.between(200, 800));
    }
  }

  /** Asks for one run and waits until its task has begun. */
  async untilOneIsWorkedOn(): Promise<void> {
    const id = await this.#rig.wait('an acknowledged run', 60, async () => {
      await this.#trigger().catch(() => {});
      const run = this.#runs.at(-1);
      return run?.isAcknowledged && run.id;
    });
    await until(`the task of ${id} begins`, 120, async () => (await this.#counted()).includes(`${id} began`));
  }

  /** Every run that was acknowledged is there, and the session of the beginning is still good. @throws Error */
  async compare(): Promise<void> {
    const found = new Set((await this.#found()).map((run) => run.dag_run_id));
    const lost = this.#runs.filter(({ id, isAcknowledged }) => isAcknowledged && !found.has(id));
    if (lost.length > 0)
      throw new Error(`DAG runs that were acknowledged are lost: ${lost.map((r) => r.id)}`);
  }

  /**
   * Waits until every run has succeeded. One that only ever met ends of the server was worked on exactly once; gives
   * the numbers of all runs and of those. @throws Error
   */
  async finish(disturbances: readonly Disturbance[]): Promise<{ runs: number; undisturbed: number }> {
    let open: readonly FoundRun[] = [];
    await until('the end of every DAG run', 700, async () => {
      open = (await this.#found()).filter(({ state }) => state !== 'success');
      return open.length === 0;
    }).catch((cause: unknown) => {
      throw new Error(`${(cause as Error).message}: ${JSON.stringify(open)}`, { cause });
    });
    const counted = await this.#counted();
    const askedAt = new Map(this.#runs.map((run) => [run.id, run.askedAt]));
    const found = await this.#found();
    const undisturbed = found.filter(({ dag_run_id: id, end_date }) => {
      const [from, to] = [askedAt.get(id) ?? 0, Date.parse(end_date ?? '')];
      return !disturbances.some((d) => d.from <= to && from <= d.to);
    });
    for (const { dag_run_id: id } of found)
      if (!counted.includes(`${id} ended`)) throw new Error(`${id} succeeded, and its task never ended`);
    for (const { dag_run_id: id } of undisturbed) {
      const lines = counted.filter((line) => line.startsWith(`${id} `));
      if (lines.length !== 2) throw new Error(`${id} met no trouble and was worked on so: ${lines}`);
    }
    return { runs: found.length, undisturbed: undisturbed.length };
  }

  get #airflow(): 2 | 3 {
    return this.#version.startsWith('2') ? 2 : 3;
  }

  #send(method: string, path: string, body?: object): Promise<DoorAnswer> {
    const session = this.#session;
    if (!session) throw new Error('it has not signed in');
    return ask(this.#rig.place, session.hostname, `${restPath(this.#airflow)}/dags/counting${path}`, {
      method,
      headers: { ...session.headers, 'content-type': 'application/json' },
      seconds: 20,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  }

  async #trigger(): Promise<void> {
    const id = `run-${this.#runs.length + 1}`;
    const askedAt = Date.now();
    const run = { id, askedAt, isAcknowledged: false };
    this.#runs.push(run);
    const body = { dag_run_id: id, ...(this.#airflow === 3 ? { logical_date: null } : {}) };
    run.isAcknowledged = (await this.#send('POST', '/dagRuns', body)).status === 200;
  }

  /** All runs that Airflow has; waits while it is started again. */
  async #found(): Promise<readonly FoundRun[]> {
    const all: FoundRun[] = [];
    for (;;) {
      const page = await this.#page(all.length);
      all.push(...page.dag_runs);
      if (page.dag_runs.length === 0 || all.length >= page.total_entries) return all;
    }
  }

  async #page(offset: number): Promise<{ dag_runs: readonly FoundRun[]; total_entries: number }> {
    const path = `/dagRuns?limit=100&offset=${offset}&order_by=id`;
    const answer = await this.#rig.wait('the DAG runs', 120, async () => {
      const page = await this.#send('GET', path).catch(() => undefined);
      if (page && [401, 403].includes(page.status)) throw new Error(`the session ended: ${page.text}`);
      return page?.status === 200 && page;
    });
    return JSON.parse(answer.text);
  }

  async #counted(): Promise<readonly string[]> {
    const file = join((await machineOf(this.#rig.place, this.name)).home, 'counted');
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  }
}
