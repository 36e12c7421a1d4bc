"""Runs one Airflow command for somebody who sees only what it prints, and whom Airflow is to name.

No import of Airflow at the top: what is changed here must be changed before Airflow's commands are imported.
"""
import builtins
import importlib
import os
import sys
import traceback

# Where Airflow asks before it changes something. Whatever else reads standard input, a DAG for instance, finds its end.
ASKING = ("airflow.cli.", "airflow.utils.")
# Where Airflow asks who runs the command: for its audit log, and for who triggered a DAG run.
NAMING = ("airflow.utils.cli", "airflow.cli.commands.")


def _caller():
    """The module that called the function that calls this one."""
    return sys._getframe(2).f_globals.get("__name__", "")


def _name(person):
    """`getuser` gives the person for the records of Airflow, and the account for all else (jobs, `run_as_user`)."""
    platform = importlib.import_module("airflow.utils.platform")
    account = platform.getuser

    def getuser():
        return person if _caller().startswith(NAMING) else account()

    platform.getuser = getuser
    loaded = sys.modules.get("airflow.utils.cli")
    if loaded is not None:
        loaded.getuser = getuser


def _explain_questions():
    ask = builtins.input

    def answer(prompt=""):
        if not _caller().startswith(ASKING):
            return ask(prompt)
        if prompt:
            print(prompt, flush=True)
        sys.exit("The command asks for a confirmation that nobody can give here, and was ended. If you are sure, add --yes.")

    builtins.input = answer


def _show(error):
    """What happened first, then where."""
    lines = traceback.format_exception(type(error), error, error.__traceback__.tb_next)
    what = traceback.format_exception_only(type(error), error)
    print("".join([*what, "\n", *lines]), end="", file=sys.stderr, flush=True)


def main():
    person = os.environ.pop("WINDSOCK_PERSON", None)
    if person is not None:
        _name(person)
    _explain_questions()
    run = importlib.import_module("airflow.__main__").main
    try:
        run()
    except Exception as error:
        _show(error)
        sys.exit(1)
