// What the execution role costs a task: the first call of boto3 in a new process, which fetches credentials before it,
// beside the same call with credentials in variables. In the Python of a real Airflow, as a DAG of it runs.
// node bench/credentials.ts [VERSION]
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ended, freePort, Running } from './harness.ts';

const version = process.argv[2] ?? '3.3.1';
const rounds = 20;

/**
 * One process for each call, in turns: `with` fetches credentials, `without` has them in variables. Milliseconds from
 * the making of the client to the answer, without the import of boto3; imported when Airflow parses the DAG.
 */
const dag = `import json, os, subprocess, sys

CALL = """import boto3, time
begun = time.perf_counter()
boto3.client("sts").get_caller_identity()
print((time.perf_counter() - begun) * 1000)
"""


def measure(variables):
    done = subprocess.run([sys.executable, "-c", CALL], env=variables, capture_output=True, text=True, check=True)
    return float(done.stdout)


def run():
    import boto3

    found = boto3.Session().get_credentials().get_frozen_credentials()
    bare = {name: value for name, value in os.environ.items() if not name.startswith("AWS_CONTAINER")}
    keys = {"AWS_ACCESS_KEY_ID": found.access_key, "AWS_SECRET_ACCESS_KEY": found.secret_key, "AWS_SESSION_TOKEN": found.token}
    times = {"with": [], "without": []}
    for _ in range(${rounds}):
        times["with"].append(measure(dict(os.environ)))
        times["without"].append(measure(bare | keys))
    path = os.environ["AIRFLOW_HOME"] + "/times.json"
    with open(path + ".tmp", "w") as file:
        json.dump(times, file)
    os.rename(path + ".tmp", path)


if not os.path.exists(os.environ["AIRFLOW_HOME"] + "/times.begun"):
    open(os.environ["AIRFLOW_HOME"] + "/times.begun", "w").close()
    # Airflow ends a file that takes long to parse
    if os.fork() == 0:
        os.setsid()
        run()
        os._exit(0)
`;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const data = mkdtempSync('/tmp/windsock-bench-');
// as root, other accounts work in it
chmodSync(data, 0o755);
let running: Running | undefined;
try {
  const folder = join(data, 'data');
  const dags = join(folder, 'buckets', 'demo', 'dags');
  running = new Running(folder, [await freePort(), await freePort()], '--airflow-version', version);
  await running.ready();
  mkdirSync(dags, { recursive: true });
  writeFileSync(join(dags, 'measures.py'), dag);
  const { environments } = JSON.parse(readFileSync(join(folder, 'status.json'), 'utf8')) as {
    environments: { id: string }[];
  };
  const file = join(folder, 'environments', environments[0]?.id ?? '', 'home', 'times.json');
  for (const until = performance.now() + 300_000; !existsSync(file); await delay(200))
    if (performance.now() > until) throw new Error(`There is no ${file} after five minutes`);
  const times = JSON.parse(readFileSync(file, 'utf8')) as Record<'with' | 'without', number[]>;
  const [withRole, without] = [median(times.with), median(times.without)];
  console.log(`Airflow ${version}, ${rounds} new processes each, median until the first answer of boto3:`);
  console.log(`  credentials in variables    ${without.toFixed(0).padStart(5)} ms  1.00`);
  console.log(
    `  of the execution role       ${withRole.toFixed(0).padStart(5)} ms  ${(withRole / without).toFixed(2)}`,
  );
} finally {
  if (running) await ended(running.child);
  rmSync(data, { recursive: true, force: true });
}
