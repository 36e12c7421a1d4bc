import { temporaryPrefix } from './deploy-rules.ts';

/** S3's own limit for a key ("Object key names", Amazon S3 user guide), in bytes of UTF-8. */
export const longestKey = 1024;

/** Linux's limit for one name, in bytes. */
const longestName = 255;

const isDots = (segment: string): boolean => segment === '.' || segment === '..';

const faultOfSegment = (segment: string): string | undefined => {
  if (segment === '') return 'it begins or ends with "/", or has "//" in it';
  if (isDots(segment)) return 'it has "." or ".." between slashes';
  if (Buffer.byteLength(segment) > longestName)
    return `it has more than ${longestName} bytes between two slashes`;
  if (segment.startsWith(temporaryPrefix)) return `a name in it begins with "${temporaryPrefix}"`;
  return undefined;
};

/** Why a relative path cannot be a file that stays below its folder; undefined when it can. */
export const pathFault = (path: string): string | undefined => {
  if (path.includes('\0')) return 'it has a NUL in it';
  if (Buffer.byteLength(path) > longestKey) return `it has more than ${longestKey} bytes`;
  for (const segment of path.split('/')) {
    const fault = faultOfSegment(segment);
    if (fault !== undefined) return fault;
  }
  return undefined;
};
