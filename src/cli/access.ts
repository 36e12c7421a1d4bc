import { z } from 'zod';
import type { ApiClient } from './api-client.ts';

const statement = z.object({
  Policy: z.string(),
  Layer: z.string(),
  Effect: z.string(),
  Number: z.number(),
  Sid: z.string().optional(),
  Line: z.number(),
});

const explanation = z.looseObject({
  Principal: z.string().optional(),
  Action: z.string(),
  Resource: z.string(),
  Allowed: z.boolean(),
  Reason: z.string(),
  Layer: z.string().optional(),
  Statements: z.array(statement),
  MissingContextKeys: z.array(z.string()),
  Remedy: z
    .object({
      AddTo: z.string().optional(),
      Statement: z.record(z.string(), z.string()).optional(),
      TakeAway: z.array(z.string()).optional(),
    })
    .optional(),
});
export type Explanation = z.infer<typeof explanation>;

const right = z.object({ AirflowRoles: z.array(z.string()), Why: z.array(z.string()) });
const environmentAccess = z.object({
  Environment: z.string(),
  Principals: z.array(
    z.object({
      Principal: z.string(),
      CreateWebLoginToken: right,
      InvokeRestApi: right,
      CreateCliToken: z.object({ Allowed: z.boolean(), Why: z.array(z.string()) }),
    }),
  ),
});
export type EnvironmentAccess = z.infer<typeof environmentAccess>;

const requestAccess = z.object({
  Decisions: z.array(explanation),
  Events: z.array(z.looseObject({ eventName: z.string(), errorCode: z.string().optional() })),
});
export type RequestAccess = z.infer<typeof requestAccess>;

/** A question to `ExplainAccess`. */
export interface AccessQuestion {
  readonly Principal: string;
  readonly Action: string;
  readonly Resource?: string;
  readonly Context?: Readonly<Record<string, string>>;
}

const ask = <T>(api: ApiClient, schema: z.ZodType<T>, body: object): Promise<T> =>
  api.call(schema, { method: 'POST', path: '/windsock/access', service: 'windsock', body });

export const explainAccess = (api: ApiClient, question: AccessQuestion): Promise<Explanation> =>
  ask(api, explanation, question);

export const explainRequest = (api: ApiClient, RequestId: string): Promise<RequestAccess> =>
  ask(api, requestAccess, { RequestId });

export const explainEnvironmentAccess = (api: ApiClient, name: string): Promise<EnvironmentAccess> =>
  api.call(environmentAccess, {
    method: 'GET',
    path: `/windsock/environments/${encodeURIComponent(name)}/access`,
    service: 'windsock',
  });

export const revokeRoleSessions = async (api: ApiClient, role: string): Promise<void> => {
  const path = `/windsock/roles/${encodeURIComponent(role)}/revoke-sessions`;
  await api.call(z.unknown(), { method: 'POST', path, service: 'windsock' });
};

const guardRail = { path: '/windsock/guard-rail', service: 'windsock' } as const;

export const putGuardRail = async (api: ApiClient, PolicyDocument: string): Promise<void> => {
  await api.call(z.unknown(), { ...guardRail, method: 'PUT', body: { PolicyDocument } });
};

const kept = z.object({ PolicyDocument: z.string(), CreatedAt: z.number() });

export const getGuardRail = (api: ApiClient): Promise<z.infer<typeof kept>> =>
  api.call(kept, { ...guardRail, method: 'GET' });

export const deleteGuardRail = async (api: ApiClient): Promise<void> => {
  await api.call(z.unknown(), { ...guardRail, method: 'DELETE' });
};
