import { randomId } from '../lib/ids.ts';
import type { Versioning } from './objects.ts';

/** The id of what is written while a bucket keeps no versions ("Object overview", Amazon S3 user guide). */
export const nullVersion = 'null';

/** The id of a new version in a bucket of that versioning. */
export const newVersionId = (versioning: Versioning): string =>
  versioning === 'Enabled' ? randomId(32) : nullVersion;
