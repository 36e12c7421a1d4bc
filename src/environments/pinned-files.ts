import type { EnvironmentSpec } from './record.ts';

/** What members of CreateEnvironment name files of the bucket: `PluginsS3Path`, for instance. */
export const namedFiles = ['Plugins', 'Requirements', 'StartupScript'] as const;

/** Those of which the object version must be given as well (API reference of CreateEnvironment). */
export const pinnedNames = ['Plugins', 'Requirements'] as const;

/** A file of the environment's bucket, by its object version: its bytes never change. */
export interface PinnedFile {
  readonly path: string;
  readonly version: string;
}

/** A file that an environment names, with its object version where that is named as well. */
export interface NamedFile {
  readonly path: string;
  readonly version?: string;
}

/** Undefined when the environment has no such file. */
export const pinnedFile = (
  spec: Readonly<Record<string, unknown>>,
  name: (typeof pinnedNames)[number],
): PinnedFile | undefined => {
  const [path, version] = [spec[`${name}S3Path`], spec[`${name}S3ObjectVersion`]];
  return typeof path === 'string' && typeof version === 'string' && path !== ''
    ? { path, version }
    : undefined;
};

/** Every file of the bucket that the environment names. */
export const filesNamedBy = (spec: EnvironmentSpec): readonly NamedFile[] =>
  namedFiles.flatMap((name) => {
    const [path, version] = [spec[`${name}S3Path`], spec[`${name}S3ObjectVersion`]];
    if (typeof path !== 'string' || path === '') return [];
    return [typeof version === 'string' && version !== '' ? { path, version } : { path }];
  });
