import { expect, test } from 'vitest';
import { machineTrouble } from './machine-trouble.ts';

const coded = (code: string, message = 'x') => Object.assign(new Error(message), { code });

test.each([
  [coded('53100'), /disk/],
  [coded('ENOSPC'), /disk/],
  [coded('XX000', 'could not write init file'), /disk/],
  [new Error('outer', { cause: coded('EMFILE') }), /ulimit/],
  [coded('57P01'), /database/],
  [new Error('Connection terminated unexpectedly'), /database/],
  [coded('ENOENT', 'connect ENOENT /d/run/.s.PGSQL.5432'), /database/],
])('%s has a text that says what to do', (error, text) => {
  expect(machineTrouble(error)).toMatch(text);
});

test.each([new Error('a secret of ours'), coded('23505'), undefined, 'text'])('%s says nothing', (error) => {
  expect(machineTrouble(error)).toBeUndefined();
});
