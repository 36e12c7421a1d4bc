import type { AuditEntry } from '../audit/record.ts';
import { textOf } from '../lib/errors.ts';
import type { Transaction } from '../lib/transaction.ts';
import type { WebSession } from '../tokens/session-store.ts';
import type { DoorDeps } from './deps.ts';
import { type DoorFacts, environmentOf } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';

/** What is particular to one event at a door. */
type DoorEvent = Pick<AuditEntry, 'eventName' | 'principal'> & Partial<AuditEntry>;

/** Keeps something that a request at a door did, with the transaction when one is given. Throws when it cannot be kept. */
export const recordAtDoor = (
  deps: DoorDeps,
  request: DoorRequest,
  door: DoorFacts,
  event: DoorEvent,
  tx?: Transaction,
): Promise<void> =>
  deps.audit.write(
    {
      readOnly: false,
      sourceIp: request.clientIp,
      userAgent: request.userAgent,
      requestId: request.requestId,
      environmentId: door.id,
      ...event,
      requestParameters: { Name: door.name, ...event.requestParameters },
    },
    tx,
  );

/** Keeps what has happened already: it cannot be undone when it cannot be kept, only told. */
export const recordAfterwards = (
  deps: DoorDeps,
  request: DoorRequest,
  door: DoorFacts,
  event: DoorEvent,
): Promise<void> =>
  recordAtDoor(deps, request, door, event).catch((error) =>
    deps.log.error('door event not recorded', {
      ...environmentOf(door),
      requestId: request.requestId,
      event: event.eventName,
      reason: textOf(error),
    }),
  );

/** How something ended that was handed on to Airflow. */
export type Outcome = { readonly status: number } | { readonly broken: string };

/**
 * Keeps that a session changes something in Airflow, before Airflow hears of it: without the record it does not
 * happen. Call what this resolves to with how it ended.
 */
export const recordIntent = async (
  deps: DoorDeps,
  request: DoorRequest,
  door: DoorFacts,
  session: WebSession,
): Promise<(outcome: Outcome) => Promise<void>> => {
  const event = {
    eventName: 'AirflowRequest',
    principal: session.mint.principal,
    session: session.mint,
    // what follows the path may hold secrets, and so may the body
    requestParameters: {
      method: request.method,
      path: request.target.path.slice(0, 1_000),
      AirflowIdentity: session.airflowIdentity,
    },
  };
  await recordAtDoor(deps, request, door, { ...event, phase: 'intent' });
  return (outcome) =>
    recordAfterwards(deps, request, door, {
      ...event,
      phase: 'outcome',
      ...('status' in outcome
        ? { responseElements: { status: outcome.status } }
        : { errorCode: 'NoAnswer', errorMessage: outcome.broken }),
    });
};
