"""Lets nobody into Airflow without an assertion that the gateway signed for this environment.

One module for Airflow 2.7 to 3.x. The assertion (an Ed25519 JWT of at most 60 seconds) carries the principal and
its core roles; Airflow's own login, sessions and tokens carry no identity. A person has one `ab_user` row, which
stores custom roles only: the core roles are attached to the loaded user for one request and never written.

No import of Airflow at the top: Airflow imports this module while it is being imported itself.
"""
from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
import time
import uuid
from collections import OrderedDict

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

log = logging.getLogger("windsock_shim")

CORE_ROLES = ("Admin", "Op", "User", "Viewer", "Public")
ENVIRON_KEY = "windsock.claims"
LONGEST_LIFETIME = 60
LEEWAY = 5
LONGEST_TOKEN = 4096
REMEMBERED_TOKENS = 512
REQUIRED_CLAIMS = ["iss", "aud", "sub", "iat", "nbf", "exp", "jti"]


MOST_LINES_A_MINUTE = 30


class Refused(jwt.InvalidTokenError):
    """No acceptable assertion."""


class _Said:
    """Warnings about requests, so many a minute at most: whoever sends requests must not fill the log."""

    def __init__(self):
        self._minute = None
        self._lines = 0

    def warn(self, text: str, *values) -> None:
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            if self._lines > MOST_LINES_A_MINUTE:
                log.warning("%d more warnings about requests were left out", self._lines - MOST_LINES_A_MINUTE)
            self._minute, self._lines = minute, 0
        self._lines += 1
        if self._lines <= MOST_LINES_A_MINUTE:
            log.warning(text, *values)


_said = _Said()


def _reason(error: Exception) -> str:
    """Why, in words; of an error of the database only what it is about: its text holds statements and values."""
    if isinstance(error, Refused):
        return str(error)
    origin = getattr(error, "orig", None)
    if origin is None:
        return f"{type(error).__name__}: {error}"
    constraint = getattr(getattr(origin, "diag", None), "constraint_name", None)
    return f"{type(origin).__name__}{f' ({constraint})' if constraint else ''}"


def loopback_name() -> str:
    """`[core] hostname_callable`: where the log server of a task would be; everything runs on this machine."""
    return "localhost"


# --- verification -----------------------------------------------------------------------------------------------


class _Keys:
    """The gateway's public keys, read again when the file changes. A missing or broken file refuses everybody."""

    def __init__(self):
        self._lock = threading.Lock()
        self._version = None
        self._keys = {}

    def current(self) -> dict:
        path = os.environ["WINDSOCK_ASSERTION_KEYS"]
        found = os.stat(path)
        version = (found.st_mtime_ns, found.st_ino)
        if version != self._version:
            with self._lock, open(path) as file:
                listed = json.load(file)
                self._keys = {kid: Ed25519PublicKey.from_public_bytes(bytes.fromhex(x)) for kid, x in listed.items()}
                self._version = version
                _verified.clear()  # a withdrawn key must stop working at once
        return self._keys


_keys = _Keys()
_verified: OrderedDict = OrderedDict()
_verified_lock = threading.Lock()


def _decode(token: str, keys: dict) -> dict:
    header = jwt.get_unverified_header(token)
    key = keys.get(header.get("kid")) if header.get("alg") == "EdDSA" else None
    if key is None:
        raise Refused("unknown key or algorithm")
    audience = os.environ["WINDSOCK_ENVIRONMENT_ID"]
    claims = jwt.decode(
        token,
        key,
        algorithms=["EdDSA"],
        leeway=LEEWAY,
        audience=audience,
        issuer=os.environ["WINDSOCK_ASSERTION_ISSUER"],
        options={"require": REQUIRED_CLAIMS},
    )
    if claims["exp"] - claims["iat"] > LONGEST_LIFETIME:
        raise Refused("lifetime too long")
    if claims["aud"] != audience:  # PyJWT also takes a list that holds it
        raise Refused("audience not acceptable")
    roles = claims.get("roles")
    if not isinstance(roles, list) or not roles or not all(role in CORE_ROLES for role in roles):
        raise Refused("roles not acceptable")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 64:
        raise Refused("subject not acceptable")
    return claims


def verify(token: str) -> dict:
    """The claims of an assertion; raises for anything else. Remembers what it verified until it expires."""
    if not token or len(token) > LONGEST_TOKEN:
        raise Refused("missing or oversized assertion")
    keys = _keys.current()
    with _verified_lock:
        claims = _verified.get(token)
    if claims is not None and claims["exp"] + LEEWAY > time.time():
        return claims
    claims = _decode(token, keys)
    with _verified_lock:
        if _keys.current() is keys:
            _verified[token] = claims
        while len(_verified) > REMEMBERED_TOKENS:
            _verified.popitem(last=False)
    return claims


def _bearer(value: str | None) -> str:
    scheme, _, token = (value or "").partition(" ")
    if scheme.lower() != "bearer":
        raise Refused("no assertion")
    return token.strip()


# --- the gates --------------------------------------------------------------------------------------------------


def _without_rivals(cookies: str) -> str:
    """Flask-Login's cookie would be asked instead of the assertion, Airflow 3's `_token` would be preferred to it."""
    parts = (part.strip() for part in cookies.split(";"))
    return "; ".join(part for part in parts if part.partition("=")[0].strip() not in ("remember_token", "_token"))


class Gate:
    """WSGI: nothing but the health page passes without an assertion, and the header never reaches Flask."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        environ.pop(ENVIRON_KEY, None)
        authorization = environ.pop("HTTP_AUTHORIZATION", None)
        if environ.get("PATH_INFO") != "/health":
            try:
                environ[ENVIRON_KEY] = verify(_bearer(authorization))
            except Exception as error:
                _said.warn("request refused: %s", _reason(error))
                start_response("401 Unauthorized", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])
                return [b"no valid gateway assertion\n"]
            if "HTTP_COOKIE" in environ:
                environ["HTTP_COOKIE"] = _without_rivals(environ["HTTP_COOKIE"])
        return self.app(environ, start_response)


async def _refuse(scope, send):
    if scope["type"] == "websocket":
        return await send({"type": "websocket.close", "code": 1008})
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    return await send({"type": "http.response.body", "body": b'{"detail":"no valid gateway assertion"}'})


class AsgiGate:
    """ASGI (Airflow 3): the same for the whole API server. `/execution` has task tokens of its own."""

    def __init__(self, app, **_):
        self.app = app

    async def __call__(self, scope, receive, send):
        path = scope.get("path", "").removeprefix(scope.get("root_path", "").rstrip("/"))
        is_open = path == "/api/v2/monitor/health" or path.startswith("/execution/")
        if scope["type"] == "lifespan" or is_open:
            return await self.app(scope, receive, send)
        values = [value for name, value in scope["headers"] if name == b"authorization"]
        try:
            verify(_bearer(values[0].decode("latin-1") if len(values) == 1 else None))
        except Exception as error:
            _said.warn("request refused: %s", _reason(error))
            return await _refuse(scope, send)
        # Airflow's refresh middleware stands outside of this one and prefers the cookie `_token`: undo that.
        scope.get("state", {}).pop("user", None)
        scope["headers"] = [
            (name, _without_rivals(value.decode("latin-1")).encode("latin-1") if name == b"cookie" else value)
            for name, value in scope["headers"]
        ]
        return await self.app(scope, receive, send)


# --- the user of a request --------------------------------------------------------------------------------------


def _import_first(*names: str):
    reasons = []
    for name in names:
        try:
            return __import__(name, fromlist=["_"])
        except ImportError as error:
            reasons.append(f"{name}: {error}")
            is_missing = isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}.")
            if not is_missing:  # it is there, and something that it needs is not
                log.warning("%s cannot be imported: %s", name, error)
    raise ImportError(f"none of these can be imported: {'; '.join(reasons)}")


def _models():
    return _import_first("airflow.providers.fab.auth_manager.models", "airflow.auth.managers.fab.models")


def _other_name(name: str) -> str:
    """A name that no identity has by itself: IAM allows no `~` in names of users, roles and sessions."""
    return f"{name}~{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _is_case_blind(name: str) -> bool:
    """True for names that IAM gives once in whatever case: users, and roles without the name of a session."""
    kind, *rest = name.split("/")
    return name == "root" or (kind in ("user", "assumed-role") and len(rest) == 1)


def _row_of(rows, name: str):
    """The row of an identity among those whose names differ by case only; never that of somebody else."""
    by_name = {row.username: row for row in rows}
    blind = rows[0] if rows and _is_case_blind(name) else None
    return by_name.get(name) or by_name.get(_other_name(name)) or blind


def _rows(session, user_model, name: str):
    """The rows whose names differ from these by case only: Airflow's table takes one of each."""
    from sqlalchemy import func, select

    wanted = select(user_model).where(func.lower(user_model.username).in_([name.lower(), _other_name(name).lower()]))
    return session.execute(wanted.execution_options(populate_existing=True)).scalars().unique().all()


def _add_row(claims: dict, username: str, email: str) -> None:
    """A plain insert on a connection of its own: through the ORM, the column defaults ask for the current user."""
    from airflow import settings
    from sqlalchemy import insert
    from sqlalchemy.exc import IntegrityError

    try:
        with settings.engine.begin() as connection:
            connection.execute(
                insert(_models().User.__table__).values(
                    username=username,
                    first_name=str(claims.get("name") or username)[:64],
                    last_name="-",  # the form in which an Admin gives somebody a role wants one
                    email=email,
                    active=True,
                    password="!",
                    created_by_fk=None,
                    changed_by_fk=None,
                )
            )
    except IntegrityError as error:  # another request was faster, or somebody else has the name or the address
        _said.warn("the Airflow user %s was not made in this try: %s", username, _reason(error))


def _remove_stored_core_roles(user) -> None:
    """Airflow asks the table once more for some questions, such as which DAGs to list: what is there would count."""
    from airflow import settings
    from sqlalchemy import delete

    stored = [role.id for role in user.roles if role.name in CORE_ROLES]
    if not stored:
        return
    link = _models().assoc_user_role
    with settings.engine.begin() as connection:
        connection.execute(delete(link).where(link.c.user_id == user.id, link.c.role_id.in_(stored)))


def _attach_roles(session, user, claims: dict) -> None:
    from sqlalchemy import select
    from sqlalchemy.orm.attributes import set_committed_value

    _remove_stored_core_roles(user)
    role = _models().Role
    core = session.execute(select(role).where(role.name.in_(claims["roles"]))).scalars().unique().all()
    roles = list(core) + [r for r in user.roles if r.name not in CORE_ROLES]
    shown = ", ".join(r.name for r in roles)
    set_committed_value(user, "roles", roles)
    set_committed_value(user, "last_name", f"as {shown}")  # Airflow 2 shows first and last name
    user.get_name = lambda: f"{user.username} ({shown})"  # Airflow 3 shows this, in its audit log too
    permissions = {(p.action.name, p.resource.name) for r in roles for p in r.permissions}
    user._perms = permissions or {("", "")}  # for an empty set Airflow would ask the tables


def resolve(session, claims: dict):
    """The `ab_user` of an assertion with the roles of now, made at first sight; None when it was deactivated."""
    user_model = _models().User
    name = claims["sub"]
    for attempt in range(3):
        rows = _rows(session, user_model, name)
        user = _row_of(rows, name)
        if user is not None:
            if not user.is_active:
                _said.warn("%s is not let in: the user was deactivated in Airflow", name)
                return None
            _attach_roles(session, user, claims)
            return user
        username = _other_name(name) if rows else name
        if rows:
            _said.warn(
                "%s differs from the Airflow user %s by case only; it becomes the user %s, with rights of its own",
                name, rows[0].username, username,
            )
        session.rollback()
        # an Admin may have given somebody else the address
        _add_row(claims, username, f"{username if attempt == 0 else uuid.uuid4().hex}@windsock.invalid")
    _said.warn("%s is not let in: the Airflow user could not be made; the lines before say why", name)
    return None


# --- Flask: all of Airflow 2, the FAB pages of Airflow 3 --------------------------------------------------------


def _security_manager():
    from flask import redirect, request
    from flask_appbuilder import expose
    from flask_appbuilder.security.views import AuthView

    from airflow.version import version

    if version.startswith(("2.7.", "2.8.")):  # they have the module below too, but ask for this class
        from airflow.www.security import AirflowSecurityManager as base
    else:
        base = _import_first(
            "airflow.providers.fab.auth_manager.security_manager.override",  # 2.9 and newer
            "airflow.auth.managers.fab.security_manager.override",  # 2.8
        ).FabAirflowSecurityManagerOverride

    class GatewayAuthView(AuthView):
        @expose("/login/")
        def login(self):
            return "Your role does not allow this.", 403  # the gate guarantees that an assertion is there

        @expose("/logout/")
        def logout(self):
            return redirect(os.environ["WINDSOCK_SIGN_OUT_URL"])

    def asserted_user():
        from airflow import settings

        claims = request.environ.get(ENVIRON_KEY)
        return resolve(settings.Session(), claims) if claims else None

    class GatewaySecurityManager(base):
        authremoteuserview = GatewayAuthView

        def create_login_manager(self, *args):
            manager = super().create_login_manager(*args)
            manager.request_loader(lambda _request: asserted_user())
            return manager

        def load_user(self, pk):
            user = asserted_user()
            return user if user is not None and str(user.id) == str(pk) else None

        def auth_user_db(self, *_args, **_kwargs):
            return None

        def auth_user_remote_user(self, *_args, **_kwargs):
            return None

    return GatewaySecurityManager


# --- FastAPI: the interface and API of Airflow 3 ----------------------------------------------------------------


def _auth_manager():
    from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
    from airflow.utils.session import create_session
    from starlette.concurrency import run_in_threadpool

    def lookup(claims):
        with create_session(scoped=False) as session:
            user = resolve(session, claims)
            if user is None:
                raise Refused("the user is not active in Airflow, or could not be made")
            user.perms  # read while the session is open
            return user

    class GatewayFabAuthManager(FabAuthManager):
        async def get_user_from_token(self, token):
            return await run_in_threadpool(lookup, verify(token))

        def get_url_login(self, **_kwargs):
            return os.environ["WINDSOCK_SIGN_IN_URL"]

        def get_url_logout(self):
            return os.environ["WINDSOCK_SIGN_OUT_URL"]

        def generate_jwt(self, *_args, **_kwargs):
            return ""  # no credential of Airflow's own ever leaves

        def create_token(self, *_args, **_kwargs):
            raise ValueError("tokens are issued by the gateway only")

    return GatewayFabAuthManager


def _plugin():
    from airflow.plugins_manager import AirflowPlugin

    middleware = {"name": "windsock gate", "middleware": AsgiGate}
    return type("WindsockGatePlugin", (AirflowPlugin,), {"name": "windsock_gate", "fastapi_root_middlewares": [middleware]})


_made_on_demand = {
    "GatewaySecurityManager": _security_manager,
    "GatewayFabAuthManager": _auth_manager,
    "GatePlugin": _plugin,
}


def __getattr__(name):
    if name not in _made_on_demand:
        raise AttributeError(name)
    globals()[name] = value = _made_on_demand[name]()
    return value
