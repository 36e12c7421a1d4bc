// Tokens of environments: each opens for its environment, and nothing else does.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { environmentOfToken, newEnvironmentToken } from './environment-token.ts';
import { identityBoxes } from './identity-key.ts';

const box = identityBoxes(Buffer.alloc(32, 1)).environmentTokens;
const others = identityBoxes(Buffer.alloc(32, 2)).environmentTokens;
const id = fc.stringMatching(/^[a-z2-7]{12}$/);

test('a token names its environment, and is one line', () => {
  fc.assert(
    fc.property(id, (own) => {
      const token = newEnvironmentToken(box, own);
      expect(environmentOfToken(box, token)).toBe(own);
      expect(token).toMatch(/^[\w.-]+$/);
    }),
  );
});

test('of another environment, another installation or another kind it is none', () => {
  fc.assert(
    fc.property(id, id, (own, other) => {
      fc.pre(own !== other);
      const sealed = newEnvironmentToken(box, own).slice(own.length);
      expect(environmentOfToken(box, `${other}${sealed}`)).toBeUndefined();
      expect(environmentOfToken(box, newEnvironmentToken(others, own))).toBeUndefined();
      const ofSession = identityBoxes(Buffer.alloc(32, 1)).sessionTokens.seal('', own);
      expect(environmentOfToken(box, `${own}.${ofSession}`)).toBeUndefined();
    }),
  );
});

test('no other text is one', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), id, (text, own) => {
      expect(environmentOfToken(box, text)).toBeUndefined();
      expect(environmentOfToken(box, `${own}.${text}`)).toBeUndefined();
    }),
  );
});
