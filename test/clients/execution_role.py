# What tools look up of the execution role of an environment, in the order of AWS's own verify_env.py: the role, its
# policies, and what the simulator of IAM says that they allow.
import json
import sys

import boto3
from botocore.exceptions import ClientError

given = json.load(sys.stdin)


def client(service):
    return boto3.client(
        service,
        endpoint_url=given["endpoint"],
        region_name=given["region"],
        aws_access_key_id=given["key"]["accessKeyId"],
        aws_secret_access_key=given["key"]["secretAccessKey"],
        config=boto3.session.Config(inject_host_prefix=False),
    )


iam, mwaa = client("iam"), client("mwaa")
region = given["region"]


def documents(role):
    """Of every policy of the role, attached or inline, as text."""
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        yield json.dumps(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield json.dumps(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])


def simulated(policies, environment):
    name, arn, bucket = environment["Name"], environment["Arn"], environment["SourceBucketArn"]
    account = arn.split(":")[4]
    logs = ["CreateLogStream", "CreateLogGroup", "PutLogEvents", "GetLogEvents", "GetLogRecord", "GetLogGroupFields"]
    queue = ["ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl", "ReceiveMessage"]
    key = {"ContextKeyName": "kms:viaservice", "ContextKeyValues": [f"sqs.{region}.amazonaws.com"]}
    for actions, resources in [
        (["airflow:PublishMetrics"], [arn]),
        (["s3:ListAllMyBuckets"], [bucket, bucket + "/"]),
        (["s3:GetObject*", "s3:GetBucket*", "s3:List*"], [bucket, bucket + "/"]),
        ([f"logs:{a}" for a in [*logs, "GetQueryResults"]], [f"arn:aws:logs:{region}:{account}:log-group:airflow-{name}-*"]),
        (["logs:DescribeLogGroups", "cloudwatch:PutMetricData"], ["*"]),
        ([f"sqs:{a}" for a in [*queue, "SendMessage"]], [f"arn:aws:sqs:{region}:*:airflow-celery-*"]),
        (["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"], ["arn:aws:kms:*:111122223333:key/*"]),
    ]:
        context = [{**key, "ContextKeyType": "string"}] if actions[0].startswith("kms") else []
        answer = iam.simulate_custom_policy(
            PolicyInputList=policies, ActionNames=actions, ResourceArns=resources, ContextEntries=context
        )
        for result in answer["EvaluationResults"]:
            yield result["EvalActionName"], result["EvalDecision"]


def main():
    environment = mwaa.get_environment(Name=given["environment"])["Environment"]
    environment["AirflowConfigurationOptions"].get("secrets.backend", None)
    role = environment["ExecutionRoleArn"].split("/")[-1]
    try:
        found = iam.get_role(RoleName=role)["Role"]
    except ClientError as error:
        return {"error": error.response["Error"]["Code"]}
    policies = list(documents(role))
    if given.get("delete"):
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            iam.delete_role_policy(RoleName=role, PolicyName=name)
        iam.delete_role(RoleName=role)
    return {
        "arn": found["Arn"] == environment["ExecutionRoleArn"],
        "trust": found["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"],
        "policies": len(policies),
        "decisions": sorted(set(map(tuple, simulated(policies, environment)))),
    }


json.dump(main(), sys.stdout)
