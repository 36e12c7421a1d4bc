import { expect, test } from 'vitest';
import { bounded } from './bounds.ts';

const event = { eventName: 'PutUserPolicy', requestParameters: null, responseElements: null };

test('what is within its bound stays as it is', () => {
  const given = { ...event, requestParameters: { PolicyDocument: 'x'.repeat(90_000) }, readOnly: false };
  expect(bounded(given)).toEqual(given);
});

test.each(['requestParameters', 'responseElements', 'additionalEventData'])(
  '%s that is too large says so, and keeps what is short',
  (field) => {
    const PolicyDocument = 'x'.repeat(200_000);
    const { [field]: cut } = bounded({ ...event, [field]: { UserName: 'ann', PolicyDocument } });
    expect(cut).toEqual({
      UserName: 'ann',
      omitted: true,
      originalSize: JSON.stringify({ UserName: 'ann', PolicyDocument }).length,
      reason: `${field} too large`,
      omittedMembers: { PolicyDocument: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    });
  },
);

test('a record has 256 KB at most, whatever is in it', () => {
  const long = 'é'.repeat(200_000);
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`m${i}`, i]));
  for (const field of [long, [long], { long }, { many }, many, Array(30_000).fill('a')]) {
    const fields = { requestParameters: field, responseElements: field, additionalEventData: field };
    const text = JSON.stringify(bounded({ ...event, ...fields, userAgent: long, errorMessage: long }));
    expect(Buffer.byteLength(text)).toBeLessThan(256 * 1024);
  }
});
