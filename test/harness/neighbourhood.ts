import { isRoot } from './accounts.ts';
import { Probe, putProbe } from './probing.ts';
import { Rig, type RigOptions } from './rig.ts';
import { makePlace, removePlace } from './server.ts';

/** A server with two environments, and code in a DAG of each: what one may do to the other. */
export interface Neighbourhood {
  readonly rig: Rig;
  readonly attacker: Probe;
  readonly victim: Probe;
  remove(): Promise<void>;
}

/** Not below /tmp, which is the environment's own as long as the data folder is not in it. */
const below = isRoot ? '/opt' : undefined;

export const makeNeighbourhood = async (o: RigOptions = {}): Promise<Neighbourhood> => {
  const place = await makePlace(below);
  const remove = async (rig?: Rig) => {
    try {
      await rig?.remove();
    } finally {
      removePlace(place);
    }
  };
  let rig: Rig | undefined;
  try {
    rig = await Rig.make({ ...o, place });
    for (const name of ['attacker', 'victim']) {
      putProbe(place, name);
      await rig.create(name, '3.3.1');
    }
    for (const name of ['attacker', 'victim']) await rig.available(name);
    const made = rig;
    const [attacker, victim] = [await Probe.of(place, 'attacker'), await Probe.of(place, 'victim')];
    return { rig, attacker, victim, remove: () => remove(made) };
  } catch (error) {
    await remove(rig).catch(() => {});
    throw error;
  }
};
