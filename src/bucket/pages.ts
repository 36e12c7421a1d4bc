import type { ListPage, ListRequest } from './objects.ts';

interface Keyed {
  readonly key: string;
}

/** Rows in order, behind a place in that order. */
export interface RowsAfter<T> {
  /** The rows behind this key, or behind this row. */
  rows(after: string, row: T | undefined, limit: number): Promise<readonly T[]>;
}

const fewRows = 8;

/** Behind all keys that begin with this text: nothing is greater in the order of bytes. */
const behindAll = (prefix: string): string => `${prefix}\u{10ffff}`;

/** What several keys have in common; undefined where there is no delimiter behind the prefix. */
const commonPrefixOf = (key: string, { prefix, delimiter }: ListRequest): string | undefined => {
  const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
};

/** One page on its way. */
class Page<T extends Keyed> {
  readonly found: T[] = [];
  readonly commonPrefixes: string[] = [];
  readonly #o: ListRequest;
  last: string | undefined;
  isTruncated = false;

  constructor(o: ListRequest) {
    this.#o = o;
  }

  /** Takes the rows in; gives where to go on, or undefined when the page is over. */
  take(rows: readonly T[]): { readonly after: string; readonly row: T | undefined } | undefined {
    for (const row of rows) {
      const common = commonPrefixOf(row.key, this.#o);
      if (common !== undefined && common === this.commonPrefixes.at(-1)) continue;
      if (this.found.length + this.commonPrefixes.length >= this.#o.most) {
        this.isTruncated = true;
        return undefined;
      }
      if (common === undefined) this.found.push(row);
      else this.commonPrefixes.push(common);
      this.last = common ?? row.key;
      if (common !== undefined) return { after: behindAll(common), row: undefined };
    }
    const end = rows.at(-1);
    return end && { after: end.key, row: end };
  }
}

/** A page of keys and common prefixes, with no more rows read than it needs. */
export const pageOf = async <T extends Keyed>(o: ListRequest, source: RowsAfter<T>): Promise<ListPage<T>> => {
  const page = new Page<T>(o);
  if (o.most === 0) return { found: [], commonPrefixes: [], isTruncated: false, last: undefined };
  const isCommon = o.after !== '' && commonPrefixOf(o.after, o) === o.after;
  // behind a common prefix a few rows tell whether another one follows at once
  let limit = o.delimiter === '' ? o.most + 1 : fewRows;
  let next: { readonly after: string; readonly row: T | undefined } | undefined = {
    after: isCommon ? behindAll(o.after) : o.after,
    row: undefined,
  };
  while (next !== undefined) {
    const rows: readonly T[] = await source.rows(next.after, next.row, limit);
    next = rows.length === 0 ? undefined : page.take(rows);
    limit = next?.row === undefined ? fewRows : Math.min(limit * 4, o.most + 1);
  }
  const { found, commonPrefixes, isTruncated, last } = page;
  return { found, commonPrefixes, isTruncated, last };
};
