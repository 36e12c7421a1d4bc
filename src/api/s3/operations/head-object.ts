import type { S3Operation } from '../operation.ts';
import { objectRead, readObject } from '../read-object.ts';

/** HeadObject (Amazon S3 API reference). */
export const headObject: S3Operation = {
  ...objectRead,
  name: 'HeadObject',
  binding: { method: 'HEAD', level: 'object' },
  execute: async (work) => {
    const read = await readObject(work);
    return 'answer' in read ? read.answer : { status: read.status, headers: read.headers };
  },
};
