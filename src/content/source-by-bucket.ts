import type { ContentLocation } from '../environments/record.ts';
import type { ContentSource } from './source.ts';

/** One source for all locations: each is in buckets of ours, or elsewhere. */
export const sourceByBucket = (o: {
  readonly ours: ContentSource;
  readonly remote: ContentSource;
  readonly isRemote: (where: ContentLocation) => boolean;
}): ContentSource => {
  const of = (where: ContentLocation): ContentSource => (o.isRemote(where) ? o.remote : o.ours);
  return {
    list: (where, signal) => of(where).list(where, signal),
    open: (where, path, version, signal) => of(where).open(where, path, version, signal),
    watch: (where, folders, hint) => of(where).watch(where, folders, hint),
    paceOf: (where) => of(where).paceOf(where),
  };
};
