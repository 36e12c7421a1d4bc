/**
 * What AWS clients put in front of an endpoint's host, by operation ("endpoint" trait of the service model). Some
 * cannot be told not to.
 */
export const hostPrefixes = ['api.', 'env.', 'ops.'] as const;

/** The names that such clients call where the endpoint is at `localhost`. */
export const prefixedNames: readonly string[] = hostPrefixes.map((prefix) => `${prefix}localhost`);
