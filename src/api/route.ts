import { malformedRequestException, unknownOperationException } from '../contract/errors.ts';
import { type OperationName, operations } from '../contract/operations.ts';
import {
  type CallBinding,
  type WindsockOperationName,
  windsockOperations,
} from '../contract/windsock-operations.ts';

/** The signing names that requests are signed for. */
export type Service = 'airflow' | 'windsock';

export interface Route {
  readonly operation: OperationName | WindsockOperationName;
  readonly service: Service;
  readonly binding: CallBinding;
  /** Percent-encoded path segments by member name. */
  readonly path: Readonly<Record<string, string>>;
}

const bindings: readonly Omit<Route, 'path'>[] = [
  ...Object.entries(operations).map(([name, binding]) => ({
    operation: name as OperationName,
    service: 'airflow' as const,
    binding,
  })),
  ...Object.entries(windsockOperations).map(([name, binding]) => ({
    operation: name as WindsockOperationName,
    service: 'windsock' as const,
    binding,
  })),
];

const matchPath = (pattern: string, path: string): Record<string, string> | undefined => {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const members: Record<string, string> = {};
  for (const [i, piece] of wanted.entries()) {
    const segment = given[i] ?? '';
    if (piece.startsWith('{')) members[piece.slice(1, -1)] = segment;
    else if (piece !== segment) return undefined;
  }
  return members;
};

/**
 * Finds the operation by method and raw path alone: the first segments are disjoint, so the host prefixes
 * `api.`, `env.` and `ops.` do not matter. Throws UnknownOperationException, or MalformedHttpRequestException
 * for a target that is not a plain path.
 */
export const route = (method: string, path: string): Route => {
  if (!path.startsWith('/') || path.includes('#') || path.includes('\\')) {
    throw malformedRequestException('The request target must be a path that starts with a slash.');
  }
  for (const found of bindings) {
    const members = found.binding.method === method ? matchPath(found.binding.uri, path) : undefined;
    if (members) return { ...found, path: members };
  }
  throw unknownOperationException(
    `No operation answers ${method} ${path.slice(0, 200)}. This endpoint speaks the Amazon MWAA API of 2020-07-01.`,
  );
};
