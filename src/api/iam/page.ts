import type { Checked } from '../../contract/constraints.ts';
import type { Output } from '../operation.ts';
import { validationError } from './errors.ts';

const usual = 100;

const decode = (marker: string): string => {
  const key = Buffer.from(marker, 'base64url').toString('utf8');
  if (Buffer.from(key).toString('base64url') === marker) return key;
  throw validationError('Invalid Marker. Send the Marker of the previous answer, unchanged.');
};

/** One page of a list that is ordered by its keys (Marker and MaxItems of IAM's list operations). */
export const page = <T>(
  items: readonly T[],
  input: Checked,
  keyOf: (item: T) => string,
): { readonly items: readonly T[]; readonly end: Output } => {
  const most = typeof input['MaxItems'] === 'number' ? input['MaxItems'] : usual;
  const after = typeof input['Marker'] === 'string' ? decode(input['Marker']) : undefined;
  const sorted = [...items].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const left = after === undefined ? sorted : sorted.filter((item) => keyOf(item) > after);
  const shown = left.slice(0, most);
  const last = shown.at(-1);
  if (left.length <= most || last === undefined) return { items: shown, end: { IsTruncated: false } };
  return {
    items: shown,
    end: { IsTruncated: true, Marker: Buffer.from(keyOf(last)).toString('base64url') },
  };
};
