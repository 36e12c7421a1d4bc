import { Client } from 'undici';
import type { WebTarget } from '../environments/ports.ts';
import { connectorTo } from './connector.ts';

/** Milliseconds for the connection, and again for the answer. */
const usualDeadline = 10_000;
/** Bytes: Airflow's page has some hundred. */
const longestPage = 65_536;

/**
 * The health page of a web server as JSON; undefined when it gives none. It comes from a program of the environment, so
 * it may be anything: from another account nothing is read, and of the environment's own no more than a page.
 */
export const healthPage = async (
  target: WebTarget,
  path: string,
  deadlineMs = usualDeadline,
): Promise<unknown> => {
  const client = new Client(`http://${target.host}:${target.port}`, {
    connect: connectorTo(target, deadlineMs),
  });
  try {
    const signal = AbortSignal.timeout(deadlineMs);
    const answer = await client.request({ method: 'GET', path, signal });
    if (answer.statusCode !== 200) return undefined;
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > longestPage) return undefined;
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  } finally {
    await client.destroy().catch(() => {});
  }
};
