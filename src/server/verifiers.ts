import type { ApiDeps } from '../api/deps.ts';
import type { Service } from '../api/route-types.ts';
import type { AccessKeyUses } from '../identity/access-key-uses.ts';
import { accessKeyLookup } from '../identity/access-keys.ts';
import type { IdentityBoxes } from '../identity/identity-key.ts';
import type { LivingDirectory } from '../identity/living-directory.ts';
import type { Caller } from '../identity/principal.ts';
import type { RootAccount } from '../identity/root-account.ts';
import { createVerifier } from '../identity/sigv4/verify.ts';
import { createS3HeadVerifier } from '../identity/sigv4/verify-s3.ts';
import type { Clock } from '../lib/clock.ts';

/** Where AWS signs for its global services, whatever Region a client is set to. */
const globalRegion = 'us-east-1';

/** Checks the signatures of every service that is spoken, and notes which access key was used. */
export const createVerifiers = (d: {
  readonly region: string;
  readonly clock: Clock;
  readonly root: RootAccount;
  readonly directory: LivingDirectory;
  readonly boxes: IdentityBoxes;
  readonly keyUses: Pick<AccessKeyUses, 'note'>;
}): Pick<ApiDeps, 'verify' | 'verifyS3'> => {
  const { region, clock } = d;
  const lookup = accessKeyLookup({ ...d, directory: () => d.directory.current });
  const verifierOf = (service: Service, alsoRegion?: string) =>
    createVerifier({ region, alsoRegion, service, clock, lookup });
  const verifiers = {
    airflow: verifierOf('airflow'),
    windsock: verifierOf('windsock'),
    iam: verifierOf('iam', globalRegion),
    sts: verifierOf('sts', globalRegion),
    cloudtrail: verifierOf('cloudtrail'),
  };
  // IAM is in one Region only, and told as used there
  const useOf = (service: Service) => ({ service, region: service === 'iam' ? globalRegion : region });
  const noteUse = ({ principal: { type, accessKeyId } }: Caller, service: Service): void => {
    if (type === 'IAMUser' && accessKeyId.startsWith('AKIA')) d.keyUses.note(accessKeyId, useOf(service));
  };
  const ofS3 = createS3HeadVerifier({ region, clock, lookup });
  return {
    verify: async (request, service) => {
      const caller = await verifiers[service](request);
      noteUse(caller, service);
      return caller;
    },
    verifyS3: async (head) => {
      const believed = await ofS3(head);
      noteUse(believed.caller, 's3');
      return believed;
    },
  };
};
