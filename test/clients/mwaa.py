"""Runs MWAA operations with boto3. Reads {client, calls} from standard input, prints one answer a call.

A call is [operation, parameters]; `wait` follows GetEnvironment until it has a status (`until`), or is gone.
"""
import datetime
import json
import socket
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


def resolve_locally():
    """What a line `127.0.0.1 api.localhost env.localhost` in /etc/hosts does."""
    original = socket.getaddrinfo

    def resolve(host, *rest, **named):
        return original("127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **named)

    socket.getaddrinfo = resolve


def client_of(options):
    if options.get("resolveLocally"):
        resolve_locally()
    config = {"retries": {"total_max_attempts": 1}, "connect_timeout": 10, "read_timeout": 60}
    if options.get("injectHostPrefix") is not None:
        config["inject_host_prefix"] = options["injectHostPrefix"]
    session = boto3.Session(
        aws_access_key_id=options["accessKeyId"],
        aws_secret_access_key=options["secretAccessKey"],
        region_name=options["region"],
    )
    return session.client("mwaa", endpoint_url=options["endpoint"], config=Config(**config))


def error_of(error):
    if not isinstance(error, ClientError):
        return {"error": {"code": type(error).__name__, "message": str(error)}}
    meta = error.response["ResponseMetadata"]
    members = {name: value for name, value in error.response.items() if name not in ("Error", "ResponseMetadata")}
    status = {"status": meta["HTTPStatusCode"], "headers": meta["HTTPHeaders"]}
    return {"error": {**error.response["Error"], **status, "members": members}}


def call(client, operation, parameters):
    try:
        return {"result": getattr(client, operation)(**parameters)}
    except (ClientError, BotoCoreError) as error:
        return error_of(error)


def wait(client, name, until, seconds):
    seen = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = call(client, "get_environment", {"Name": name})
        status = answer["result"]["Environment"]["Status"] if "result" in answer else answer["error"]["Code"]
        if not seen or seen[-1] != status:
            seen.append(status)
        if status == until or status in ("CREATE_FAILED", "AVAILABLE") and until in ("CREATE_FAILED", "AVAILABLE"):
            return {**answer, "seen": seen}
        time.sleep(0.3)
    raise SystemExit(f"{name} was not {until} after {seconds} s; seen: {seen}; last: {answer}")


def main():
    order = json.load(sys.stdin)
    client = client_of(order["client"])
    answers = [
        wait(client, **parameters) if operation == "wait" else call(client, operation, parameters)
        for operation, parameters in order["calls"]
    ]
    plain = lambda value: value.timestamp() if isinstance(value, datetime.datetime) else str(value)
    json.dump(answers, sys.stdout, default=plain)


main()
