import type { Decision, Layer, MatchedStatement } from './evaluate.ts';

/** What would have to change for a denied request to be allowed; undefined when it is allowed, or not decided. */
export type Remedy =
  | {
      readonly kind: 'add';
      /** Where the statement must stand. */
      readonly layer: Layer;
      /** The smallest one that allows exactly this. */
      readonly statement: { readonly Effect: 'Allow'; readonly Action: string; readonly Resource: string };
    }
  | { readonly kind: 'remove'; readonly statements: readonly MatchedStatement[] };

/** The next thing to change. Layers are asked one after another, so another may follow once this one is mended. */
export const remedyOf = (
  asked: { readonly action: string; readonly resource: string },
  decision: Decision,
): Remedy | undefined => {
  if (decision.allowed || decision.reason === 'policies-too-complex') return undefined;
  const denying = decision.matched.filter(({ effect }) => effect === 'Deny');
  if (denying.length > 0) return { kind: 'remove', statements: denying };
  const statement = { Effect: 'Allow', Action: asked.action, Resource: asked.resource } as const;
  return { kind: 'add', layer: decision.layer ?? 'identity', statement };
};
