"""Imports Airflow, the plugins and every DAG, and prints what could not be imported as one line of JSON.

Started by Windsock with the packages that an environment is to have, before they are switched to. The arguments: what is
printed before the JSON, and the file that names the packages which are not as in Airflow's own installation.
"""

import json
import os
import sys


# as much as Windsock reads (trial-result.ts)
MOST_FAULTS = 1_000
MOST_CHARACTERS = 500


def last_line(text):
    lines = [line.strip() for line in str(text).strip().splitlines() if line.strip()]
    return lines[-1][:MOST_CHARACTERS] if lines else "unknown"


def told(errors):
    """The first errors by name, each as its last line."""
    first = sorted(errors.items())[:MOST_FAULTS]
    return {name[:MOST_CHARACTERS]: last_line(error) for name, error in first}


def plugin_errors():
    from airflow import plugins_manager

    plugins_manager.ensure_plugins_loaded()
    # a function from Airflow 3.2 on (airflow/plugins_manager.py)
    if hasattr(plugins_manager, "get_import_errors"):
        errors = plugins_manager.get_import_errors()
    else:
        errors = plugins_manager.import_errors
    # Windsock's own is found twice: by its name among the packages, and by what they say of themselves
    return {str(name): error for name, error in errors.items() if "windsock_shim" not in str(name)}


def dag_errors():
    from airflow.configuration import conf

    try:
        # Airflow 3.2 and later
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:
        from airflow.models.dagbag import DagBag
    folder = conf.get("core", "dags_folder")
    try:
        errors = DagBag(folder).import_errors
    except Exception as error:  # the database may have the tables of another version
        return {"all of them": repr(error)}
    return {os.path.relpath(os.path.join(folder, file), folder): error for file, error in errors.items()}


def conflicts(lock):
    """What a package wants and does not find, of the packages that are not as in Airflow's own installation."""
    from importlib.metadata import distributions

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    with open(lock) as file:
        changed = {canonicalize_name(line.split("==")[0]) for line in file.read().split()}
    installed = {canonicalize_name(found.metadata["Name"]): found for found in distributions()}
    unmet = []
    for name, distribution in installed.items():
        for text in distribution.requires or []:
            wanted = Requirement(text)
            other = canonicalize_name(wanted.name)
            if name not in changed and other not in changed:
                continue
            if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
                continue
            found = installed.get(other)
            if found is None or not wanted.specifier.contains(found.version, prereleases=True):
                has = "it is not installed" if found is None else f"{found.version} is installed"
                unmet.append(f"{name} {distribution.version} needs {other}{wanted.specifier}, and {has}")
    return [text[:MOST_CHARACTERS] for text in sorted(unmet)[:MOST_FAULTS]]


def main():
    import airflow  # noqa: F401

    lock = sys.argv[2]
    found = {
        "conflicts": conflicts(lock) if os.path.exists(lock) else [],
        "plugins": told({os.path.basename(name): error for name, error in plugin_errors().items()}),
        "dags": told(dag_errors()),
    }
    sys.stdout.flush()
    print("\n" + sys.argv[1] + json.dumps(found), flush=True)


main()
