/**
 * A DAG whose one task writes what it sees to `seen-PID.json` in its home: paths, variables, rights. `data` is the data
 * folder of the server, `other` the folder of another environment, `server` the server's pid.
 */
export const lookingDag = (o: {
  readonly data: string;
  readonly other: string;
  readonly server: number;
}): string => `import json, os, resource, socket
from datetime import datetime

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

HOME = "/usr/local/airflow"
DATA = ${JSON.stringify(o.data)}
OTHER = ${JSON.stringify(o.other)}
SERVER = ${o.server}


def attempt(work):
    try:
        return work()
    except OSError as error:
        return type(error).__name__ + ": " + os.strerror(error.errno)


def write(path):
    with open(path, "w") as file:
        file.write("x")
    os.remove(path)
    return "written"


def names(path):
    return attempt(lambda: sorted(os.listdir(path)))


def field(name):
    with open("/proc/self/status") as file:
        return next(line.split()[1] for line in file if line.startswith(name + ":"))


def look():
    return {
        "cwd": os.getcwd(),
        "variables": dict(os.environ),
        "home": names(HOME),
        "dags": names(HOME + "/dags"),
        "relative": names("dags"),
        "data": names(DATA),
        "everything": [os.path.join(top, name) for top, _, files in os.walk(DATA) for name in files if "/bases/" not in top and "/programs/" not in top],
        "environments": names(DATA + "/environments"),
        "secrets": names(DATA + "/secrets"),
        "buckets": names(DATA + "/buckets"),
        "postgres": names(DATA + "/postgres"),
        "other": names(OTHER),
        "server": attempt(lambda: os.listdir(f"/proc/{SERVER}/root")),
        "serverVariables": attempt(lambda: open(f"/proc/{SERVER}/environ").read()),
        "local": names("/usr/local"),
        "writes": {path: attempt(lambda: write(path)) for path in [HOME + "/mine", HOME + "/dags/mine", HOME + "/plugins/mine", os.environ["AIRFLOW_CONFIG"] + ".mine", DATA + "/mine", "/usr/local/mine"]},
        "unprivileged": field("NoNewPrivs"),
        "capabilities": field("CapEff"),
        "uid": os.getuid(),
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "prefixed": attempt(lambda: socket.gethostbyname("env.localhost")),
    }


@dag(dag_id="looking", schedule=None, start_date=datetime(2024, 1, 1), catchup=False)
def looking():
    @task
    def see():
        path = os.environ["AIRFLOW_HOME"] + f"/seen-{os.getpid()}.json"
        with open(path + ".tmp", "w") as file:
            json.dump(look(), file)
        os.rename(path + ".tmp", path)

    see()


looking()
`;
