import { bucketNameOf } from '../../contract/arn.ts';
import { maxTeams } from '../../contract/shapes/members.ts';
import type { EnvironmentSpec } from '../../environments/record.ts';
import { compareVersions } from '../../lib/version-order.ts';
import { invalid } from './invalid.ts';

/** The folder of a bucket that holds DAGs. */
interface DagFolder {
  readonly SourceBucketArn: string;
  readonly DagS3Path: string;
}

/** TeamMap of the model: where each team's DAGs are, by the name of the team. */
export type Teams = Readonly<Record<string, DagFolder>>;

/** UpdateTeamsInput of the model. */
interface TeamChanges {
  readonly AddOrUpdate?: Teams;
  readonly Remove?: readonly string[];
}

/** The first version with teams on Amazon MWAA (MWAA user guide, "Managing teams"). */
const firstVersion = '3.3.1';

/** The teams of an environment; none where there are none. */
export const teamsOf = (spec: EnvironmentSpec): Teams => (spec['Teams'] ?? {}) as Teams;

/** A team may be called `constructor`: only own members count. */
const has = (teams: Teams, name: string): boolean => Object.hasOwn(teams, name);

const checkChanges = (before: Teams, { AddOrUpdate = {}, Remove = [] }: TeamChanges): void => {
  const twice = Remove.find((name, index) => Remove.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`Teams.Remove names ${twice} twice. Name each team once.`);
  const both = Remove.find((name) => has(AddOrUpdate, name));
  if (both !== undefined)
    throw invalid(`Teams names ${both} in AddOrUpdate and in Remove. Decide on one of them.`);
  const unknown = Remove.find((name) => !has(before, name));
  if (unknown !== undefined)
    throw invalid(`Teams.Remove names ${unknown}, which is no team of the environment. Leave it out.`);
};

/**
 * The teams after an update: those added or changed over those before, without those removed; undefined when none is
 * left, as the model has no empty map of teams.
 * @throws AwsError ValidationException for a removal of what is not there, a name given twice, or too many teams
 */
export const changedTeams = (before: Teams, changes: TeamChanges): Teams | undefined => {
  checkChanges(before, changes);
  const kept = Object.entries(before).filter(([name]) => changes.Remove?.includes(name) !== true);
  const after: Teams = { ...Object.fromEntries(kept), ...changes.AddOrUpdate };
  const count = Object.keys(after).length;
  if (count > maxTeams)
    throw invalid(`The environment would have ${count} teams, and ${maxTeams} is the limit. Remove some.`);
  return count === 0 ? undefined : after;
};

/** Amazon MWAA compares folders as S3 prefixes: a slash at the end counts. Slashes at the beginning do not, here. */
const prefixOf = ({ SourceBucketArn, DagS3Path }: DagFolder): string => {
  return `s3://${bucketNameOf(SourceBucketArn)}/${DagS3Path.replace(/^\/+/, '').replaceAll(/\/+/g, '/')}`;
};

const checkFolders = (spec: EnvironmentSpec): void => {
  const folders = [
    { whose: 'the environment', prefix: prefixOf(spec) },
    ...Object.entries(teamsOf(spec)).map(([name, team]) => ({
      whose: `team ${name}`,
      prefix: prefixOf(team),
    })),
  ].sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
  // Sorted, the prefixes that begin with another one follow it directly, so comparing neighbours is enough.
  for (const [index, next] of folders.slice(1).entries()) {
    const first = folders[index];
    if (first && next.prefix.startsWith(first.prefix))
      throw invalid(
        `The DAG folders of ${first.whose} (${first.prefix}) and of ${next.whose} (${next.prefix}) overlap. Give folders of which none is the beginning of another; a slash at the end makes the difference between dags/ and dags-team-a/.`,
      );
  }
};

/**
 * What teams ask of the environment that has them: Airflow 3.3.1, IAM Identity Center, and DAG folders that do not
 * overlap (API reference of CreateEnvironment and TeamConfig).
 * @throws AwsError ValidationException
 */
export const checkTeams = (spec: EnvironmentSpec): EnvironmentSpec => {
  if (Object.keys(teamsOf(spec)).length === 0) return spec;
  if (compareVersions(spec.AirflowVersion, firstVersion) < 0)
    throw invalid(
      `Teams need AirflowVersion ${firstVersion} or newer, not ${spec.AirflowVersion}. Update the environment, or leave out its teams.`,
    );
  if (spec['IdentityCenterConfiguration'] === undefined)
    throw invalid('Teams need IdentityCenterConfiguration. Give it before the first team, or with it.');
  checkFolders(spec);
  return spec;
};
