/** JSON whose numbers come out as they went in: 64-bit ids, 1.0, 1e400. JavaScript's own number would change them. */

/** What TypeScript does not know yet of ECMAScript's "JSON.parse source text access". */
const json = JSON as typeof JSON & {
  rawJSON(text: string): { readonly rawJSON: string };
  isRawJSON(value: unknown): value is { readonly rawJSON: string };
};

const keepNumber = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || JSON.stringify(value) === source) return value;
  return json.rawJSON(source);
};

/** JSON.parse; a number that JavaScript cannot hold as it is written becomes an object that JSON.stringify writes so. */
export const parseExact = (text: string): unknown => JSON.parse(text, keepNumber);

/** The digits of a number that was read with `parseExact`; undefined for anything else. */
export const numberText = (value: unknown): string | undefined => {
  if (typeof value === 'number') return String(value);
  return json.isRawJSON(value) ? value.rawJSON : undefined;
};
