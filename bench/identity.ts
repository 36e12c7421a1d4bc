// What it costs to know the caller and to decide: signatures verified, as a ratio to signing the same request once more;
// decisions of the authorizer, as a ratio to reading all the policies for each.
// node bench/identity.ts [SECONDS]
import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { environmentArn } from '../src/contract/arn.ts';
import { createAuthorizer } from '../src/identity/authorizer.ts';
import { conditionContext } from '../src/identity/condition-context.ts';
import { systemClock } from '../src/lib/clock.ts';
import { Sha256 } from '../src/lib/sha256.ts';
import { evaluate } from '../src/policy/evaluate.ts';
import { parsePolicy } from '../src/policy/parse.ts';
import { accountId, callOf, credentials, directory, documents, region, verifier } from './identity-world.ts';

const seconds = Number(process.argv[2] ?? 1);
const rounds = 5;

type Work = (i: number) => unknown;

const perSecond = async (work: Work): Promise<number> => {
  const [begun, end] = [performance.now(), performance.now() + seconds * 1000];
  let done = 0;
  while (performance.now() < end) {
    for (let i = 0; i < 20; i += 1) await work(done + i);
    done += 20;
  }
  return (1000 * done) / (performance.now() - begun);
};

const middle = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Takes turns, so that what else the machine does meets all alike; the middle of the rounds counts. */
const compare = async (works: Readonly<Record<string, Work>>): Promise<void> => {
  const results = new Map(Object.keys(works).map((name): [string, number[]] => [name, []]));
  for (const work of Object.values(works)) await perSecond(work);
  for (let round = 0; round < rounds; round += 1)
    for (const [name, work] of Object.entries(works)) results.get(name)?.push(await perSecond(work));
  const base = middle([...results.values()][0] ?? []);
  for (const [name, all] of results)
    console.log(
      `  ${name.padEnd(34)} ${middle(all).toFixed(0).padStart(8)}/s ${(middle(all) / base).toFixed(2).padStart(8)}`,
    );
};

/** The digests of the runtime, as the AWS SDK for Node has them. */
class NodeSha256 {
  readonly #hash;

  constructor(secret?: ConstructorParameters<typeof Sha256>[0]) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Uint8Array);
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}

const request = {
  ...{ method: 'POST', protocol: 'http:', hostname: 'env.localhost', port: 7400, path: '/clitoken/demo' },
  headers: { host: 'env.localhost:7400', 'content-length': '0', 'amz-sdk-invocation-id': accountId },
  body: '',
};
const signer = (sha256: typeof Sha256 | typeof NodeSha256) =>
  new SignatureV4({ service: 'airflow', region, credentials, sha256 });
const [plain, native] = [signer(Sha256), signer(NodeSha256)];

const signedRequest = async () => ({
  method: 'POST',
  target: request.path,
  rawHeaders: Object.entries((await plain.sign(request)).headers).flat(),
  body: Buffer.alloc(0),
});

const signatures = async () => {
  const verify = verifier();
  const received = await signedRequest();
  return {
    'signed once more': () => plain.sign(request),
    "signed, with the runtime's digests": () => native.sign(request),
    verified: () => verify(received),
  };
};

const clock = systemClock;
const { decide } = createAuthorizer({ directory: () => directory, clock, region });
/** The environments of ten teams, so that one question is not all there is. */
const questions = Array.from({ length: 10 }, (_, i) => ({
  action: 'airflow:CreateCliToken',
  resource: environmentArn({ accountId, region }, `team-${i}`),
  context: { 'aws:ResourceTag/team': 'data' },
}));
const questionOf = (i: number) =>
  questions[i % questions.length] ?? { action: '', resource: '', context: {} };

const readAndDecide: Work = (i) => {
  const { identity, boundary } = documents;
  const named = (kind: 'identity' | 'boundary') => (text: string) => ({
    name: kind,
    policy: parsePolicy(text, kind),
  });
  const policies = { identity: identity.map(named('identity')), boundary: named('boundary')(boundary) };
  const mint = callOf(String(i));
  const { action, resource, context } = questionOf(i);
  const global = conditionContext(mint, { directory, clock, region });
  const { principal } = mint;
  return evaluate({ principal, action, resource, context: { ...global, ...context } }, policies);
};

const decisions: Readonly<Record<string, Work>> = {
  'policies read each time': readAndDecide,
  'by the authorizer': (i) => decide(callOf(String(i)), questionOf(i)),
};

console.log('CreateCliToken, signature:');
await compare(await signatures());
console.log(`CreateCliToken, decision from ${documents.identity.length} policies and a boundary:`);
await compare(decisions);
