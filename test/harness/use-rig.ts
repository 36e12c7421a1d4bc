import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from 'vitest';
import { untilNothingWrong } from './invariants.ts';
import { Rig } from './rig.ts';
import { s3Client } from './s3.ts';

export interface UsedRig {
  readonly rig: Rig;
  /** A client of its buckets. */
  readonly s3: S3Client;
}

/** Gives the suite that calls it a rig; at the end nothing may be wrong with its environments, and it is removed. */
export const useRig = (): UsedRig => {
  let made: UsedRig | undefined;
  const used = (): UsedRig => {
    if (!made) throw new Error('there is no rig yet');
    return made;
  };
  beforeAll(async () => {
    const rig = await Rig.make();
    made = { rig, s3: s3Client(rig.place) };
  }, 120_000);
  afterAll(async () => {
    if (!made) return;
    const { rig, s3 } = made;
    s3.destroy();
    if (!rig.server.hasEnded) await untilNothingWrong(rig.place, rig.server.pid, 60);
    await rig.remove();
  }, 120_000);
  return {
    get rig() {
      return used().rig;
    },
    get s3() {
      return used().s3;
    },
  };
};
