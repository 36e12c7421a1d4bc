import { z } from 'zod';
import { cloudTrailTarget, type lookupAttributes } from '../contract/cloudtrail.ts';
import type { ApiClient } from './api-client.ts';

const event = z.object({
  EventId: z.string(),
  EventName: z.string(),
  EventTime: z.number(),
  Username: z.string().optional(),
  CloudTrailEvent: z.string(),
});
export type LookedUpEvent = z.infer<typeof event>;

const page = z.object({ Events: z.array(event), NextToken: z.string().nullish() });

export interface Lookup {
  readonly attribute: { readonly key: (typeof lookupAttributes)[number]; readonly value: string } | undefined;
  /** Epoch seconds. */
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** Events of LookupEvents, newest first, page by page for as long as they are taken. */
export async function* lookupEvents(
  api: ApiClient,
  { attribute, from, to }: Lookup,
): AsyncGenerator<LookedUpEvent> {
  const question = {
    ...(attribute
      ? { LookupAttributes: [{ AttributeKey: attribute.key, AttributeValue: attribute.value }] }
      : {}),
    ...(from === undefined ? {} : { StartTime: from }),
    ...(to === undefined ? {} : { EndTime: to }),
  };
  let token: string | undefined;
  do {
    const body = { ...question, ...(token === undefined ? {} : { NextToken: token }) };
    const target = `${cloudTrailTarget}.LookupEvents`;
    const answer = await api.call(page, { method: 'POST', path: '/', service: 'cloudtrail', target, body });
    yield* answer.Events;
    token = answer.NextToken ?? undefined;
  } while (token !== undefined);
}
