import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** Whether a server at that port of this machine answers a second request on a connection that was idle for so long. */
export const outlivesIdleness = async (port: number, milliseconds: number): Promise<boolean> => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const isReused = (): Promise<boolean> =>
    new Promise((resolve, reject) => {
      const request = get({ host: '127.0.0.1', port, agent }, (answer) => {
        answer.resume();
        answer.once('end', () => resolve(request.reusedSocket));
      });
      request.once('error', reject);
    });
  try {
    await isReused();
    await delay(milliseconds);
    return await isReused();
  } finally {
    agent.destroy();
  }
};
