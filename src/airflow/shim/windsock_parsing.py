"""The DAG processor reads what changed first, and says what it has read.

Left alone, Airflow 2 lists its DAGs folder now and then and reads each file again when its turn comes. The server writes
the paths that changed into a file beside airflow.cfg. Each turn of the loop of the DAG processor looks at it: where it is
new, the folder is listed in this turn, which finds new and deleted files, and the paths go to the front of the queue.
Airflow 3 has a table for that, `dag_priority_parsing_request`. That of Airflow 2.10 and 2.11 is read after the listing
and knows nothing of deleted files.

Airflow notes in its database when a file was read that has a DAG or an error, not when that began, and nothing of other
files. The processor knows all of it, and writes it into a file from which the server sees what is live.
"""
from __future__ import annotations

import datetime
import functools
import json
import logging
import os
import time

log = logging.getLogger("windsock_parsing")

LONG_AGO = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
REPORT_EVERY = 0.5
MOST_FILES = 20_000


class Requests:
    """What the server asked for since the last look."""

    def __init__(self, file: str):
        self._file = file
        self._version = None
        self._last = 0.0

    def new(self) -> set[str] | None:
        """Paths below the DAGs folder; None when nothing was asked for."""
        try:
            found = os.stat(self._file)
        except FileNotFoundError:
            return None
        version = (found.st_mtime_ns, found.st_ino)
        if version == self._version:
            return None
        with open(self._file, encoding="utf-8") as file:
            asked = [(r["number"], r["paths"]) for r in json.load(file)["requests"]]
        self._version = version
        paths = {path for number, some in asked if number > self._last for path in some}
        self._last = max([self._last, *(number for number, _ in asked)])
        return paths


def _path_of(manager, key) -> str:
    """The path below the DAGs folder: keys are paths on Airflow 2, and know it themselves on Airflow 3."""
    relative = getattr(key, "rel_path", None)
    return str(relative) if relative is not None else os.path.relpath(str(key), str(manager._dag_directory))


def _reading(stat) -> list[int]:
    """When the last reading of a file began and ended, in milliseconds, and how many errors and DAGs it found; none before."""
    end, took = stat.last_finish_time, stat.last_duration
    if end is None:
        return []
    seconds = took.total_seconds() if isinstance(took, datetime.timedelta) else float(took or 0)
    ended = end.timestamp()
    return [int((ended - seconds) * 1000), int(ended * 1000), int(stat.import_errors), int(stat.num_dags)]


class Report:
    """The file from which the server sees what was read, written anew when that has changed."""

    def __init__(self, file: str):
        self._file = file
        self._seen: dict = {}
        self._next = 0.0

    def write(self, manager) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + REPORT_EVERY
        seen = dict(list(manager._file_stats.items())[:MOST_FILES])
        for queue in ("_file_path_queue", "_file_queue", "_processors"):  # these are read soon
            for key in list(getattr(manager, queue, ()))[:MOST_FILES]:
                seen.setdefault(key, None)
        if seen == self._seen:
            return
        files = {_path_of(manager, key): [] if stat is None else _reading(stat) for key, stat in seen.items()}
        with open(f"{self._file}.new", "w", encoding="utf-8") as file:
            json.dump({"files": files}, file)
        os.replace(f"{self._file}.new", self._file)
        self._seen = seen


def _safely(what: str, work):
    """The result, or None: Airflow goes on as it would without."""
    try:
        return work()
    except Exception as error:
        log.warning("%s: %s", what, error)
        return None


def _to_the_front(manager, paths: set[str]) -> None:
    folder = str(manager._dag_directory)
    wanted = {os.path.join(folder, path) for path in paths}
    first = [path for path in manager._file_paths if str(path) in wanted]
    named = set(first)
    manager._file_path_queue = type(manager._file_path_queue)(
        path for path in manager._file_path_queue if path not in named
    )
    manager._file_path_queue.extendleft(reversed(first))


def _asked_for_first(manager_class, requests: Requests) -> None:
    refresh = manager_class._refresh_dag_dir

    @functools.wraps(refresh)
    def refresh_what_is_asked_for(self):
        paths = _safely("the list of changed DAG files cannot be read", requests.new)
        if paths is None:
            return refresh(self)
        self.last_dag_dir_refresh_time = LONG_AGO
        refreshed = refresh(self)
        _safely("what is asked for cannot be put first", lambda: _to_the_front(self, paths))
        return refreshed

    manager_class._refresh_dag_dir = refresh_what_is_asked_for


def _reported(manager_class, name: str, report: Report) -> None:
    """After this method, which the loop calls in each turn, what was read is reported."""
    method = getattr(manager_class, name)

    @functools.wraps(method)
    def method_and_report(self, *args, **kwargs):
        result = method(self, *args, **kwargs)
        _safely("what was read cannot be reported", lambda: report.write(self))
        return result

    setattr(manager_class, name, method_and_report)


def watch_the_processor(module) -> None:
    """Changes `airflow.dag_processing.manager`."""
    manager_class = module.DagFileProcessorManager
    config = os.path.dirname(os.environ["AIRFLOW_CONFIG"])
    if hasattr(manager_class, "_refresh_dag_dir"):  # Airflow 2
        _asked_for_first(manager_class, Requests(os.path.join(config, "changed-files.json")))
    turns = [name for name in ("collect_results", "_collect_results") if hasattr(manager_class, name)]
    if not turns:
        log.warning("this version of Airflow has another DAG processor: what it has read cannot be reported")
        return
    _reported(manager_class, turns[0], Report(os.environ["WINDSOCK_READ_FILES"]))
