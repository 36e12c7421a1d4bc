export interface DeployPlan {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  /** There, and not in the folder that is deployed. */
  readonly others: readonly string[];
}

type Files = ReadonlyMap<string, string>;

/**
 * What differs between the folder that is deployed and the bucket's, both as SHA-256 by path. What is left out of the folder
 * is none of the others: it is there, though it cannot be deployed. Pure.
 */
export const deployPlan = (from: Files, to: Files, leftOut: readonly string[] = []): DeployPlan => ({
  added: [...from.keys()].filter((path) => !to.has(path)),
  changed: [...from]
    .filter(([path, sha256]) => to.has(path) && to.get(path) !== sha256)
    .map(([path]) => path),
  others: [...to.keys()].filter(
    (path) => !from.has(path) && !leftOut.some((left) => path === left || path.startsWith(`${left}/`)),
  ),
});
