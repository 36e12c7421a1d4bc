import type { Checked } from '../../contract/constraints.ts';
import type { MintContext } from '../../identity/principal.ts';
import { stsValidation } from './errors.ts';

const mostTags = 50;

interface Tag {
  readonly Key: string;
  readonly Value: string;
}

const byLowerKey = (tags: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(Object.keys(tags).map((key) => [key.toLowerCase(), key]));

/** Tags and transitive keys of the session that assumes now: what it may pass on comes from the one before. */
export const newSessionTags = (
  input: Checked,
  before: Pick<MintContext, 'sessionTags' | 'transitiveTagKeys'>,
): Pick<MintContext, 'sessionTags' | 'transitiveTagKeys'> => {
  const given = (input['Tags'] ?? []) as readonly Tag[];
  const keys = given.map(({ Key }) => Key.toLowerCase());
  if (new Set(keys).size !== keys.length)
    throw stsValidation('Duplicate tag keys found. Please note that Tag keys are case insensitive.');
  if (keys.some((key) => key.startsWith('aws:'))) throw stsValidation('Tag keys cannot begin with aws:.');
  const inherited = inheritedTags(before);
  const taken = byLowerKey(inherited);
  const clash = given.find(({ Key }) => taken.has(Key.toLowerCase()));
  if (clash)
    throw stsValidation(`The tag ${clash.Key} is inherited from the session before and cannot be set anew.`);
  const sessionTags = { ...inherited, ...Object.fromEntries(given.map(({ Key, Value }) => [Key, Value])) };
  if (Object.keys(sessionTags).length > mostTags) throw stsValidation(`More than ${mostTags} session tags.`);
  const transitive = (input['TransitiveTagKeys'] ?? []) as readonly string[];
  const known = byLowerKey(sessionTags);
  const stray = transitive.find((key) => !known.has(key.toLowerCase()));
  if (stray !== undefined)
    throw stsValidation(`The transitive tag key ${stray} is not among the session tags.`);
  if (Object.keys(sessionTags).length === 0) return {};
  return { sessionTags, transitiveTagKeys: [...Object.keys(inherited), ...transitive] };
};

const inheritedTags = (before: Pick<MintContext, 'sessionTags' | 'transitiveTagKeys'>) => {
  const passed = new Set((before.transitiveTagKeys ?? []).map((key) => key.toLowerCase()));
  return Object.fromEntries(
    Object.entries(before.sessionTags ?? {}).filter(([key]) => passed.has(key.toLowerCase())),
  );
};
