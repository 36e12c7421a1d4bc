import type { Decision, Layer } from './evaluate.ts';

const names: Readonly<Record<Layer, string>> = {
  identity: 'identity-based policy',
  boundary: 'permissions boundary',
  session: 'session policy',
  'guard-rail': 'service control policy',
  resource: 'resource-based policy',
};

const article = (name: string): string => (/^[aeiou]/.test(name) ? 'an' : 'a');

/** What AWS writes to a caller who is denied (IAM User Guide, "Troubleshoot access denied error messages"). */
export const deniedText = (d: {
  readonly principalArn: string;
  readonly action: string;
  readonly resource: string;
  readonly decision: Decision;
}): string => {
  const name = names[d.decision.layer ?? 'identity'];
  const why =
    d.decision.reason === 'policies-too-complex'
      ? 'because its policies are too complex to be evaluated: use fewer and shorter patterns and values'
      : d.decision.reason.startsWith('explicit-deny')
        ? `with an explicit deny in ${article(name)} ${name}`
        : `because no ${name} allows the ${d.action} action`;
  return `User: ${d.principalArn} is not authorized to perform: ${d.action} on resource: ${d.resource} ${why}`;
};
