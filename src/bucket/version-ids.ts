import { randomId } from '../lib/ids.ts';
import type { Versioning } from './objects.ts';

/** The id of what is written while a bucket keeps no versions ("Object overview", Amazon S3 user guide). */
export const nullVersion = 'null';

/** Whether a text looks like the id of a version, of this service or another. What does not is malformed. */
export const canBeVersionId = (text: string): boolean =>
  text === nullVersion || /^[0-9A-Za-z]{20,64}$/.test(text);

/** The id of a new version in a bucket of that versioning. */
export const newVersionId = (versioning: Versioning): string =>
  versioning === 'Enabled' ? randomId(32) : nullVersion;
