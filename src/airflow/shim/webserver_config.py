"""Flask configuration of every environment: identity comes from the gateway's assertion only."""
import os

from flask import current_app
from flask_appbuilder.const import AUTH_REMOTE_USER as AUTH_TYPE  # noqa: F401

import windsock_shim

WTF_CSRF_ENABLED = True
AUTH_USER_REGISTRATION = False
SECURITY_MANAGER_CLASS = windsock_shim.GatewaySecurityManager
# Ports of one host share a cookie jar: every environment has a cookie of its own.
SESSION_COOKIE_NAME = "airflow_" + os.environ["WINDSOCK_ENVIRONMENT_ID"]

current_app.wsgi_app = windsock_shim.Gate(current_app.wsgi_app)
