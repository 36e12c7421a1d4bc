import { afterAll, beforeAll } from 'vitest';
import { prepare } from './golden.ts';
import { makePlace, type Place, type Running, removePlace, startServer, stopServer } from './server.ts';

export interface UseServerOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Airflow versions that are installed already, where that was prepared. */
  readonly airflow?: readonly string[];
}

/** A place and the server on it, from the first `beforeAll` of a suite to its end. */
export interface UsedServer {
  readonly place: Place;
  /** The one that was started last. */
  readonly server: Running;
  /** Starts another one, as the first was, after that has ended. */
  start(): Promise<Running>;
}

/** Gives the suite that calls it a server without environments; ends and removes it after everything else. */
export const useServer = (o: UseServerOptions = {}): UsedServer => {
  let place: Place | undefined;
  let server: Running | undefined;
  const placeOf = (): Place => {
    if (!place) throw new Error('there is no place yet');
    return place;
  };
  const start = async (): Promise<Running> => {
    const args = ['--no-demo', ...(o.args ?? [])];
    server = await startServer({ place: placeOf(), args, ...(o.env ? { env: o.env } : {}) });
    return server;
  };
  beforeAll(async () => {
    place = await makePlace();
    await prepare(place, o.airflow);
    await start();
  });
  afterAll(async () => {
    try {
      if (server && !server.hasEnded) await stopServer(server);
    } finally {
      if (place) removePlace(place);
    }
  });
  return {
    get place() {
      return placeOf();
    },
    get server() {
      if (!server) throw new Error('there is no server yet');
      return server;
    },
    start,
  };
};
