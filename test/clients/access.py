# Users, roles, policies and temporary credentials over boto3, told as what people may and may not do.
import json
import sys

import boto3
from botocore.exceptions import ClientError

given = json.load(sys.stdin)
endpoint, region, account = given["endpoint"], given["region"], given["account"]


def client(service, access=None):
    own = access or given["key"]
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=own["AccessKeyId"],
        aws_secret_access_key=own["SecretAccessKey"],
        aws_session_token=own.get("SessionToken"),
    )


def refused(work):
    try:
        work()
    except ClientError as error:
        return [error.response["Error"]["Code"], error.response["Error"]["Message"]]
    return "allowed"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


iam, sts = client("iam"), client("sts")
answers = {"root": sts.get_caller_identity()["Arn"]}

iam.create_user(UserName="ann", Path="/data/", Tags=[{"Key": "team", "Value": "data"}])
ann = iam.create_access_key(UserName="ann")["AccessKey"]
answers["ann"] = client("sts", ann).get_caller_identity()["Arn"]
answers["without policy"] = refused(lambda: client("mwaa", ann).list_environments())

iam.create_group(GroupName="readers")
iam.attach_group_policy(GroupName="readers", PolicyArn="arn:aws:iam::aws:policy/AmazonMWAAReadOnlyAccess")
iam.add_user_to_group(GroupName="readers", UserName="ann")
answers["as a reader"] = client("mwaa", ann).list_environments()["Environments"]
answers["a reader's token"] = refused(lambda: client("mwaa", ann).create_web_login_token(Name="demo"))

web = f"arn:aws:airflow:{region}:{account}:role/demo/User"
iam.put_user_policy(UserName="ann", PolicyName="web", PolicyDocument=policy(allow("airflow:CreateWebLoginToken", web)))
token = client("mwaa", ann).create_web_login_token(Name="demo")
answers["token"] = [token["IamIdentity"], token["AirflowIdentity"]]
environment = f"arn:aws:airflow:{region}:{account}:environment/demo"
answers["no passing of roles"] = refused(
    lambda: client("mwaa", ann).update_environment(Name="demo", ExecutionRoleArn=f"arn:aws:iam::{account}:role/x")
)
iam.put_user_policy(UserName="ann", PolicyName="update", PolicyDocument=policy(allow("airflow:UpdateEnvironment", environment)))
answers["still none"] = refused(
    lambda: client("mwaa", ann).update_environment(Name="demo", ExecutionRoleArn=f"arn:aws:iam::{account}:role/x")
)

iam.create_role(
    RoleName="ci",
    AssumeRolePolicyDocument=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": account},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"sts:ExternalId": "42"}},
                }
            ],
        }
    ),
)
ci = f"arn:aws:iam::{account}:role/ci"
iam.put_role_policy(RoleName="ci", PolicyName="cli", PolicyDocument=policy(allow("airflow:*")))
assume = lambda **more: client("sts", ann).assume_role(RoleArn=ci, RoleSessionName="run-1", **more)
answers["assume without right"] = refused(lambda: assume(ExternalId="42"))
iam.put_user_policy(UserName="ann", PolicyName="assume", PolicyDocument=policy(allow("sts:AssumeRole", ci)))
answers["assume without external id"] = refused(assume)
session = assume(ExternalId="42")
answers["session"] = client("sts", session["Credentials"]).get_caller_identity()["Arn"]
answers["session lists"] = client("mwaa", session["Credentials"]).list_environments()["Environments"]
limited = assume(ExternalId="42", Policy=policy(allow("airflow:GetEnvironment")))["Credentials"]
answers["limited session"] = refused(lambda: client("mwaa", limited).list_environments())
mangled = {**session["Credentials"], "SessionToken": session["Credentials"]["SessionToken"][:-2] + "AA"}
answers["mangled session token"] = refused(lambda: client("sts", mangled).get_caller_identity())
answers["too long"] = refused(lambda: assume(ExternalId="42", DurationSeconds=7200))

boundary = iam.create_policy(PolicyName="edge", PolicyDocument=policy(allow("airflow:Get*")))["Policy"]["Arn"]
iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=boundary)
answers["boundary"] = refused(lambda: client("mwaa", ann).list_environments())
answers["simulated"] = [
    [r["EvalDecision"], [s["SourcePolicyId"] for s in r["MatchedStatements"]]]
    for r in iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{account}:user/data/ann", ActionNames=["airflow:ListEnvironments"]
    )["EvaluationResults"]
]
answers["malformed"] = refused(
    lambda: iam.put_user_policy(UserName="ann", PolicyName="bad", PolicyDocument='{\n"Statement": {"Effect": "Allow", "Action": "x"}}')
)
iam.update_access_key(UserName="ann", AccessKeyId=ann["AccessKeyId"], Status="Inactive")
answers["inactive key"] = refused(lambda: client("sts", ann).get_caller_identity())
answers["in the way"] = refused(lambda: iam.delete_user(UserName="ann"))
print(json.dumps(answers))
