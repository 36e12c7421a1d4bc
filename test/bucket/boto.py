"""Calls of S3 with boto3. Reads {client, calls} from standard input, prints one answer a call.

A call is [operation, parameters]. `{"$bytes": "text"}` and `{"$zeros": n}` stand for a body, `{"$upload": …}` for an id of
an answer before. Besides operations: `upload` and `download` (s3transfer), `presign`, which gives a URL.
"""
import datetime
import hashlib
import io
import json
import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

given = json.load(sys.stdin)
how = given["client"]
client = boto3.client(
    "s3",
    endpoint_url=how["endpoint"],
    region_name="us-east-1",
    aws_access_key_id=how["accessKeyId"],
    aws_secret_access_key=how["secretAccessKey"],
    config=Config(
        signature_version=how.get("signature", "s3v4"),
        s3={"addressing_style": "path"},
        retries={"total_max_attempts": 1},
    ),
)
results = []


def body(value):
    if isinstance(value, dict) and "$bytes" in value:
        return value["$bytes"].encode()
    if isinstance(value, dict) and "$zeros" in value:
        return bytes(value["$zeros"])
    if isinstance(value, dict) and "$of" in value:
        found = results[value["$of"]]["result"]
        for name in value["path"]:
            found = found[name]
        return found
    if isinstance(value, dict):
        return {name: body(one) for name, one in value.items()}
    return [body(one) for one in value] if isinstance(value, list) else value


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if hasattr(value, "read"):
        data = value.read()
        return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "text": data[:200].decode("latin-1")}
    raise TypeError(type(value))


def call(operation, parameters):
    config = TransferConfig(multipart_threshold=8 * 1024 * 1024, multipart_chunksize=8 * 1024 * 1024)
    if operation == "upload":
        data = parameters.pop("Body")
        client.upload_fileobj(io.BytesIO(data), Config=config, **parameters)
        return {}
    if operation == "download":
        data = io.BytesIO()
        client.download_fileobj(Fileobj=data, Config=config, **parameters)
        return {"size": len(data.getvalue()), "sha256": hashlib.sha256(data.getvalue()).hexdigest()}
    if operation == "presign":
        return client.generate_presigned_url(parameters["operation"], parameters["parameters"], ExpiresIn=60)
    answer = getattr(client, operation)(**parameters)
    answer.pop("ResponseMetadata", None)
    return answer


for operation, parameters in given["calls"]:
    try:
        result = json.loads(json.dumps(call(operation, body(parameters)), default=plain))
        results.append({"result": result})
    except ClientError as error:
        said = error.response
        results.append({"error": f'{said["ResponseMetadata"]["HTTPStatusCode"]} {said["Error"]["Code"]}'})
    except BotoCoreError as error:
        results.append({"error": repr(error)})
json.dump(results, sys.stdout)
