import type { Checked } from '../../contract/constraints.ts';
import type { Output } from '../operation.ts';
import { validationError } from './errors.ts';

const usual = 100;

const markerOf = (key: string): string => Buffer.from(key).toString('base64url');

const invalidMarker = () =>
  validationError('Invalid Marker. Send the Marker of the previous answer, unchanged.');

const decode = (marker: string): string => {
  const key = Buffer.from(marker, 'base64url').toString('utf8');
  if (Buffer.from(key).toString('base64url') === marker) return key;
  throw invalidMarker();
};

const mostOf = (input: Checked): number =>
  typeof input['MaxItems'] === 'number' ? input['MaxItems'] : usual;

/** Where a page begins of a list that goes by numbers from 0, and how much it may hold. Throws ValidationError. */
export const numberedPage = (
  input: Checked,
  total: number,
): { readonly start: number; readonly most: number } => {
  const marker = typeof input['Marker'] === 'string' ? decode(input['Marker']) : '0';
  if (!/^\d{1,7}$/.test(marker) || (Number(marker) >= total && total > 0)) throw invalidMarker();
  return { start: Number(marker), most: mostOf(input) };
};

/** The Marker of a list that goes on with this number. */
export const numberedMarker = (next: number): string => markerOf(String(next));

/** One page of a list that is ordered by its keys (Marker and MaxItems of IAM's list operations). */
export const page = <T>(
  items: readonly T[],
  input: Checked,
  keyOf: (item: T) => string,
): { readonly items: readonly T[]; readonly end: Output } => {
  const most = mostOf(input);
  const after = typeof input['Marker'] === 'string' ? decode(input['Marker']) : undefined;
  const sorted = [...items].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const left = after === undefined ? sorted : sorted.filter((item) => keyOf(item) > after);
  const shown = left.slice(0, most);
  const last = shown.at(-1);
  if (left.length <= most || last === undefined) return { items: shown, end: { IsTruncated: false } };
  return {
    items: shown,
    end: { IsTruncated: true, Marker: markerOf(keyOf(last)) },
  };
};
