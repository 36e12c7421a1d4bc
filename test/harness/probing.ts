import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { putDag } from './dags.ts';
import { type Machine, machineOf } from './environments.ts';
import type { Place } from './server.ts';
import { until } from './until.ts';

/**
 * Code of a DAG that does what it is asked: every file `N.py` in the folder `asks` of its home is run in a process of
 * its own, and what its function `probe` returns is written beside it as `N.json`. As a DAG of a real Airflow it is
 * one task that goes on for ever; the trivial Airflow's scheduler runs the file as a program.
 */
const probingDag = `import json, os, runpy, signal, time, traceback

ASKS = os.environ.get("AIRFLOW_HOME", "/nonexistent") + "/asks"


def attempt(work, *words):
    """What a piece of work gives, or the name and the text of the error that keeps it from it."""
    try:
        return work(*words)
    except OSError as error:
        return type(error).__name__ + ": " + (os.strerror(error.errno) if error.errno else str(error))


def run(path):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        names = runpy.run_path(path, {"attempt": attempt})
        said = {"answer": names["probe"]()}
    except BaseException:
        said = {"fault": traceback.format_exc()}
    with open(path + ".tmp", "w") as file:
        json.dump(said, file)
    os.rename(path + ".tmp", path.removesuffix(".taken.py") + ".json")
    os._exit(0)


def serve():
    os.makedirs(ASKS, exist_ok=True)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        for name in os.listdir(ASKS):
            if not name.endswith(".py") or ".taken" in name:
                continue
            path = os.path.join(ASKS, name.removesuffix(".py") + ".taken.py")
            os.rename(os.path.join(ASKS, name), path)
            if os.fork() == 0:
                run(path)
        time.sleep(0.05)


if __name__ == "__main__":
    serve()
else:
    from datetime import datetime

    from airflow.sdk import dag, task

    @dag(dag_id="probing", schedule=None, start_date=datetime(2024, 1, 1), catchup=False)
    def probing():
        task(serve)()

    probing()
`;

/** Puts the DAG into the bucket of an environment, which need not be there yet. */
export const putProbe = (place: Place, name: string): void => putDag(place, name, 'probing.py', probingDag);

/** Hostile code in a DAG of one environment, with all that such code has: its account, its view, its descriptors. */
export class Probe {
  readonly machine: Machine;
  #asked = 0;

  private constructor(machine: Machine) {
    this.machine = machine;
  }

  /** Waits until the DAG of `putProbe` runs. */
  static async of(place: Place, name: string): Promise<Probe> {
    const machine = await machineOf(place, name);
    await until(`the probe of ${name}`, 60, () => existsSync(join(machine.home, 'asks')));
    return new Probe(machine);
  }

  /**
   * What a piece of Python returns: the body of a function, in which `attempt(work, *words)` gives the text of an
   * OSError instead of raising it. Processes that it forks outlive it. @throws Error with the traceback
   */
  async ask<T>(code: string, names: Readonly<Record<string, unknown>> = {}): Promise<T> {
    this.#asked += 1;
    const base = join(this.machine.home, 'asks', String(this.#asked));
    const lines = code.split('\n').map((line) => `    ${line}\n`);
    const given = `import json\nglobals().update(json.loads(${JSON.stringify(JSON.stringify(names))}))\n`;
    writeFileSync(`${base}.tmp`, `${given}def probe():\n${lines.join('')}`, { mode: 0o644 });
    renameSync(`${base}.tmp`, `${base}.py`);
    await until(`what the probe ${this.machine.id} was asked`, 60, () => existsSync(`${base}.json`), 30);
    const { answer, fault } = JSON.parse(readFileSync(`${base}.json`, 'utf8'));
    if (fault !== undefined) throw new Error(`${fault}`);
    return answer as T;
  }
}

/**
 * For `ask`, with `folder`, `user` and `database`: PostgreSQL's first answer to somebody who says who he is (PostgreSQL documentation, "Message
 * Formats").
 */
export const greetPostgres = `import socket, struct
spoken = socket.socket(socket.AF_UNIX)
spoken.connect(folder + "/.s.PGSQL.5432")
words = struct.pack("!i", 196608) + b"\\0".join([b"user", user.encode(), b"database", database.encode(), b"", b""])
spoken.sendall(struct.pack("!i", len(words) + 4) + words)
return spoken.recv(4096).decode("latin-1")`;

/**
 * For `ask`, with `port`: takes the port as soon as it is free, answers everything with `stolen`, and writes down in the
 * home what it hears: `taken`, `connections` (a letter each) and `heard`.
 */
export const stealPort = `import os, socket, threading
home = os.environ["AIRFLOW_HOME"]
def note(file, text):
    with open(f"{home}/{file}", "ab") as out:
        out.write(text)
def serve(connection):
    note("connections", b"x")
    while heard := connection.recv(65536):
        note("heard", heard)
        connection.sendall(b"HTTP/1.1 200 OK\\r\\ncontent-length: 6\\r\\n\\r\\nstolen")
def take():
    while True:
        taken = socket.socket()
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            taken.setsockopt(socket.SOL_SOCKET, option, 1)
        try:
            taken.bind(("127.0.0.1", port))
            break
        except OSError:
            taken.close()
    taken.listen(256)
    note("taken", b"x")
    while True:
        threading.Thread(target=serve, args=[taken.accept()[0]], daemon=True).start()
if os.fork() == 0:
    take()
return "waiting"`;

/** What `stealPort` has written to one of its files. */
export const heardBy = ({ machine }: Probe, file: string): string => {
  const path = join(machine.home, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};
