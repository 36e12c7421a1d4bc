"""Airflow 2's own logging, with a level of their own for tasks, as Amazon MWAA has it: `[logging] logging_config_class`."""
import os
from copy import deepcopy

from airflow.config_templates.airflow_local_settings import DEFAULT_LOGGING_CONFIG

LOGGING_CONFIG = deepcopy(DEFAULT_LOGGING_CONFIG)
LEVEL = os.environ.get("WINDSOCK_TASK_LOG_LEVEL")
if LEVEL:
    LOGGING_CONFIG["loggers"]["airflow.task"]["level"] = LEVEL
