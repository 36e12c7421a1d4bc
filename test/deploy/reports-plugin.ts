// A plugin with one of everything that people write plugins for, for Airflow 2 and 3, and a DAG that uses it.
import { zipOf } from '../harness/wheels.ts';

/** Two links, and an operator with one of them whose words are a template. */
const operator = `try:
    from airflow.sdk import BaseOperator, BaseOperatorLink
except ImportError:  # Airflow 2
    from airflow.models.baseoperator import BaseOperator, BaseOperatorLink


class ReportLink(BaseOperatorLink):
    name = "Report"

    def get_link(self, operator, *, ti_key):
        return f"https://reports.example/{ti_key.dag_id}/{ti_key.task_id}"


class HelpLink(BaseOperatorLink):
    name = "Help"

    def get_link(self, operator, *, ti_key):
        return f"https://help.example/{ti_key.task_id}"


class SayOperator(BaseOperator):
    template_fields = ("words",)
    operator_extra_links = (ReportLink(),)

    def __init__(self, *, words, **kwargs):
        super().__init__(**kwargs)
        self.words = words

    def execute(self, context):
        return self.words
`;

/** Writes a line into the file `heard` for every task and every DAG run that succeeds. */
const listener = `import os

from airflow.listeners import hookimpl


def note(line):
    with open(os.path.join(os.environ["AIRFLOW_HOME"], "heard"), "a") as heard:
        heard.write(line + "\\n")


@hookimpl
def on_task_instance_success(task_instance):
    note(f"task {task_instance.task_id} of {task_instance.run_id}")


@hookimpl
def on_dag_run_success(dag_run):
    note(f"run {dag_run.run_id}")
`;

const common = `from airflow.plugins_manager import AirflowPlugin
from flask import Blueprint
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access

import reports_listener
from reports_operator import HelpLink, ReportLink


class ReportsView(BaseView):
    route_base = "/reports"
    default_view = "list"

    @expose("/")
    @has_access
    def list(self):
        return "the monthly reports"


blueprint = Blueprint("unchecked", __name__, url_prefix="/unchecked")


@blueprint.route("/")
def unchecked():
    return "a page that checks nothing"


def shout(words):
    return words.upper() + "!"


class Reports(AirflowPlugin):
    name = "reports"
    appbuilder_views = [{"name": "Monthly reports", "category": "Reporting", "view": ReportsView()}]
    flask_blueprints = [blueprint]
    macros = [shout]
    listeners = [reports_listener]
    operator_extra_links = [ReportLink()]
    global_operator_extra_links = [HelpLink()]
`;

/** What only Airflow 3 has. */
const added = `

from airflow.api_fastapi.core_api.security import AccessView, requires_access_view
from fastapi import Depends, FastAPI

app = FastAPI()


@app.get("/unchecked")
def unchecked_too():
    return "an app that checks nothing"


@app.get("/checked", dependencies=[Depends(requires_access_view(AccessView.PLUGINS))])
def checked():
    return "an app that asks Airflow"


Reports.fastapi_apps = [{"app": app, "url_prefix": "/figures", "name": "figures"}]
Reports.external_views = [{"name": "All figures", "href": "/figures/unchecked", "destination": "nav"}]
`;

/** The archive, with more files. */
export const reportsArchive = (airflow: 2 | 3, more: Readonly<Record<string, string>> = {}): Uint8Array =>
  zipOf({
    'reports_operator.py': operator,
    'reports_listener.py': listener,
    'reports_plugin.py': airflow === 2 ? common : common + added,
    ...more,
  });

export const reportingDag = 'reporting';

/** Its task `say` returns what the macro of the plugin makes of a word. */
export const reportingDagText = `from datetime import datetime

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
from reports_operator import SayOperator

with DAG("${reportingDag}", schedule=None, start_date=datetime(2024, 1, 1), is_paused_upon_creation=False):
    SayOperator(task_id="say", words='{{ macros.reports.shout("hello") }}')
`;

/** A DAG whose name says which version of a package it finds. */
export const versionDagText = (distribution: string): string => `from importlib.metadata import version

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG

with DAG("found_" + version("${distribution}"), schedule=None):
    pass
`;
