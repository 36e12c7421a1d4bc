import { SourceUnavailable } from '../environments/errors.ts';
import type { ContentLocation } from '../environments/record.ts';
import type { ContentSource, Pace } from './source.ts';

const paceOf = (of: (where: ContentLocation) => ContentSource, where: ContentLocation): Pace | undefined => {
  try {
    return of(where).paceOf(where);
  } catch (error) {
    if (error instanceof SourceUnavailable) return undefined;
    throw error;
  }
};

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
    canWatch: (where) => of(where).canWatch(where),
    watch: (where, folders, hint) => of(where).watch(where, folders, hint),
    // asked also while it cannot be read, when it may not be known where it is
    paceOf: (where) => paceOf(of, where) ?? o.ours.paceOf(where),
  };
};
