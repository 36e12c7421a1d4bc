import { AwsCredentials, awsCredentialsOf } from '../aws/aws-credentials.ts';
import type { Settings } from '../config/settings.ts';
import type { RolesFrom } from '../contract/roles-from.ts';
import type { Clock } from '../lib/clock.ts';

type RoleSettings = Pick<Settings, 'awsEndpoints' | 'awsCredentials' | 'region' | 'roleSessionMinutes'>;

/** Who gives environments the credentials of their execution roles. */
export const rolesFrom = ({ awsEndpoints, awsCredentials }: RoleSettings): RolesFrom => {
  if (awsEndpoints === 'windsock') return 'windsock';
  return awsCredentials === 'none' ? 'nowhere' : 'aws';
};

/** Credentials of AWS for environments; undefined unless the settings ask for them. */
export const awsCredentialsFor = (settings: RoleSettings, clock: Clock): AwsCredentials | undefined => {
  const of = awsCredentialsOf(settings.awsCredentials);
  if (of === undefined || rolesFrom(settings) !== 'aws') return undefined;
  const seconds = Math.round(settings.roleSessionMinutes * 60);
  return new AwsCredentials({ of, region: settings.region, seconds, now: () => clock.now() });
};
