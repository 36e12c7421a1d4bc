"""What every Python process of an environment does before anything else.

Airflow's processes talk to their own web server and to nobody who took its port. Tasks of Airflow 3 send their tokens
to the web server of their environment and believe what it answers, by plain HTTP on a port of this machine. While that
server is started again, any account may listen there. So a connection to it counts only when the account of this
process accepted it; it is closed before a byte is sent otherwise. The same goes for the API of Windsock, whose
account is that of the server: what a task gives to S3 must not go to who took its port while the server was away.

The DAG processor of Airflow 2 reads DAG files that changed first (windsock_parsing).

Whoever asks for the credentials of the execution role for a task says for which one.

Tasks run in worker processes of the scheduler. They read MWAA_AIRFLOW_COMPONENT=worker, as on Amazon MWAA, where
workers are containers of their own. All of them end with the scheduler.

Python imports this module at each start (docs.python.org, `site`), so there is no import here that a start does not
need, and nothing in it may fail.
"""
import os
import re
import sys


def _own_port():
    """The port that airflow.cfg names; None for Airflow 2, whose processes share the database only."""
    try:
        with open(os.environ["AIRFLOW_CONFIG"], encoding="utf-8") as file:
            found = re.search(r"^execution_api_server_url = http://127\.0\.0\.1:(\d+)/", file.read(), re.MULTILINE)
        return int(found.group(1)) if found else None
    except KeyError:
        return None  # a program of a task that does not have Airflow's variables
    except (OSError, ValueError) as error:
        print(f"windsock: the web server's port is not watched: airflow.cfg cannot be read ({error})", file=sys.stderr)
        return None


def _written(address, port):
    """As /proc/net/tcp writes it: the address in host byte order, which is little-endian here."""
    return "".join(f"{int(part):02X}" for part in reversed(address.split("."))) + f":{port:04X}"


def _accepting_account(here, there):
    """Who accepted the connection with these ends; None as long as nobody has."""
    wanted = [_written(*there), _written(*here)]
    with open("/proc/net/tcp") as file:
        for line in file:
            fields = line.split()
            if fields[1:3] == wanted and fields[9] != "0":
                return int(fields[7])
    return None


def _check(connection, account, patience=30):
    import time

    end = time.monotonic() + (connection.gettimeout() or patience)
    here, there, wait = connection.getsockname(), connection.getpeername(), 0.001
    while (found := _accepting_account(here, there)) is None and time.monotonic() < end:
        time.sleep(wait)
        wait = min(wait * 2, 0.1)
    if found != account:
        connection.close()
        raise ConnectionRefusedError(f"port {there[1]} is in other hands (account {found})")


def _guard(accounts):
    """`accounts` has the account that must accept a connection to a port of this machine."""
    import socket

    plain = socket.socket.connect

    def connect(self, address):
        plain(self, address)
        if self.family == socket.AF_INET and address[1] in accounts and self.type & socket.SOCK_STREAM:
            if self.getpeername()[0].startswith("127."):
                _check(self, accounts[address[1]])

    socket.socket.connect = connect


def _guarded():
    found = {}
    if (port := _own_port()) is not None:
        found[port] = os.geteuid()
    api, _, account = os.environ.get("WINDSOCK_API", "").partition(":")
    if api.isdigit() and account.isdigit():
        found[int(api)] = int(account)
    return found


if _accounts := _guarded():
    _guard(_accounts)


def _as_worker(begin):
    import functools

    @functools.wraps(begin)
    def begin_as_worker(*args, **kwargs):
        os.environ["MWAA_AIRFLOW_COMPONENT"] = "worker"
        return begin(*args, **kwargs)

    return begin_as_worker


def _change_local_executor(module):
    """What a worker process begins with is a method on Airflow 2, a function on Airflow 3."""
    if hasattr(module, "LocalWorkerBase"):
        module.LocalWorkerBase.run = _as_worker(module.LocalWorkerBase.run)
    elif hasattr(module, "_run_worker"):
        module._run_worker = _as_worker(module._run_worker)
        _end_every_worker(module.LocalExecutor)


def _end_every_worker(executor):
    """Airflow 3 tells a worker to end only if it still lives when its turn comes. Workers that have ended by then, by what
    another one was sent, leave one without, and the scheduler waits for it for ever (LocalExecutor.end)."""
    import functools

    end = executor.end

    @functools.wraps(end)
    def end_every_worker(self):
        for _ in self.workers:
            self.activity_queue.put(None)
        return end(self)

    executor.end = end_every_worker


def _watch_the_processor(module):
    from windsock_parsing import watch_the_processor

    watch_the_processor(module)


def _role_credentials_of(dag, task):
    """The address of the execution role's credentials with the names of the task; whoever gives them records it."""
    from urllib.parse import urlencode

    address = os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"].partition("?")[0]
    return f"{address}?{urlencode({'dag_id': dag, 'task_id': task})}"


def _name_the_task(module):
    """Airflow asks for these variables when a task begins, in the process of the task, and sets them there."""
    import functools

    plain = getattr(module, "context_to_airflow_vars", None)
    if plain is None:
        return  # Airflow 3 has a module of the name that Airflow 2 uses, without this function

    @functools.wraps(plain)
    def context_to_airflow_vars(*args, **kwargs):
        found = plain(*args, **kwargs)
        try:
            dag, task = found.get("AIRFLOW_CTX_DAG_ID"), found.get("AIRFLOW_CTX_TASK_ID")
            if dag and task and "AWS_CONTAINER_CREDENTIALS_FULL_URI" in os.environ:
                os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = _role_credentials_of(dag, task)
        except Exception as error:  # without a name the task goes on
            print(f"windsock: the credentials are not named after the task ({error!r})", file=sys.stderr)
        return found

    module.context_to_airflow_vars = context_to_airflow_vars


class _Finder:
    """Finds some modules once, as Python would, and changes each when it was loaded."""

    changes = {
        "airflow.dag_processing.manager": _watch_the_processor,
        "airflow.utils.operator_helpers": _name_the_task,  # Airflow 2
        "airflow.sdk.execution_time.context": _name_the_task,  # Airflow 3
    }

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        change = cls.changes.pop(name, None)
        if change is None:
            return None
        import importlib.util

        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module):
                load(module)
                try:
                    change(module)
                except Exception as error:  # a module of Airflow must load whatever has become of it
                    print(f"windsock: {name} is left as it is ({error!r})", file=sys.stderr)

            spec.loader.exec_module = exec_module
        return spec


_component = os.environ.get("MWAA_AIRFLOW_COMPONENT")
if _component == "scheduler":
    _Finder.changes["airflow.executors.local_executor"] = _change_local_executor
if _component in ("scheduler", "hybrid", "worker"):
    sys.meta_path.insert(0, _Finder)
