import type { Probe } from './probing.ts';
import type { Key } from './raw.ts';

/** What an environment's process is answered that asks for the credentials of the execution role. */
export interface RoleAnswer {
  readonly status: number;
  readonly body: {
    readonly AccessKeyId?: string;
    readonly SecretAccessKey?: string;
    readonly Token?: string;
    readonly Expiration?: string;
    readonly RoleArn?: string;
    readonly code?: string;
    readonly message?: string;
  };
}

const program = `import json, os, urllib.error, urllib.request
url = os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"].partition("?")[0] + query
def own_token():
    if "AWS_CONTAINER_AUTHORIZATION_TOKEN" in os.environ:
        return os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    with open(os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]) as file:
        return file.read()
given = own_token() if token is None else token
request = urllib.request.Request(url, headers={} if given == "" else {"authorization": given})
try:
    with urllib.request.urlopen(request, timeout=30) as answer:
        return {"status": answer.status, "body": json.load(answer)}
except urllib.error.HTTPError as error:
    return {"status": error.code, "body": json.load(error)}`;

/** Asks as code of a DAG does: with the environment's own token, or with another one; an empty one is left out. */
export const askForRole = (
  probe: Probe,
  o: { readonly token?: string; readonly query?: string } = {},
): Promise<RoleAnswer> => {
  // JSON has no word for what Python calls None
  const lines = o.token === undefined ? `token = None\n${program}` : program;
  return probe.ask(lines, { query: o.query ?? '', ...(o.token === undefined ? {} : { token: o.token }) });
};

/** The credentials of an answer. @throws Error when it holds none */
export const keyOf = ({ status, body }: RoleAnswer): Key => {
  const { AccessKeyId, SecretAccessKey, Token } = body;
  if (!AccessKeyId || !SecretAccessKey || !Token) throw new Error(`${status} ${JSON.stringify(body)}`);
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token };
};
