import type { Bucket } from '../../../bucket/objects.ts';
import { invalidArgument } from '../errors.ts';
import { afterToken, continuationToken, ownerElement } from '../lists.ts';
import type { S3Operation } from '../operation.ts';
import type { S3Request } from '../request.ts';
import { group, text, xmlDocument, xmlTime } from '../xml.ts';

/** Buckets of one page, where the client says how many. */
const mostBuckets = 10_000;

const pageSize = ({ query }: S3Request): number | undefined => {
  const value = query.get('max-buckets');
  if (value === undefined) return undefined;
  if (/^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= mostBuckets) return Number(value);
  throw invalidArgument(
    `Argument max-buckets must be an integer between 1 and ${mostBuckets}`,
    'max-buckets',
    value,
  );
};

const shown =
  (region: string) =>
  ({ name, createdAt }: Bucket): string =>
    group(
      'Bucket',
      text('Name', name),
      text('CreationDate', xmlTime(createdAt)),
      text('BucketRegion', region),
    );

/** ListBuckets (Amazon S3 API reference): all of them, or page by page, to whoever may list them. */
export const listBuckets: S3Operation = {
  name: 'ListBuckets',
  binding: { method: 'GET', level: 'service' },
  query: ['prefix', 'max-buckets', 'continuation-token', 'bucket-region'],
  readOnly: true,
  isDataEvent: false,
  // a policy may say either * or this
  checks: () => [{ action: 's3:ListAllMyBuckets', resources: ['arn:aws:s3:::*'] }],
  execute: async ({ request, buckets, deps }) => {
    const { query } = request;
    const [prefix, region] = [query.get('prefix') ?? '', query.get('bucket-region') ?? deps.region];
    const most = pageSize(request);
    const list = { bucket: '', prefix, delimiter: '' };
    const token = query.get('continuation-token');
    const after = token === undefined ? '' : afterToken(list, token);
    const found = (await buckets.list()).filter(
      ({ name }) => region === deps.region && name.startsWith(prefix) && name > after,
    );
    const page = found.slice(0, most);
    const last = page.length < found.length ? page.at(-1) : undefined;
    return {
      xml: xmlDocument(
        'ListAllMyBucketsResult',
        ownerElement(deps.accountId),
        group('Buckets', ...page.map(shown(deps.region))),
        text('Prefix', query.get('prefix')),
        text('ContinuationToken', last && continuationToken(list, last.name)),
      ),
    };
  },
};
