import type { Socket } from 'node:net';
import pg from 'pg';
import { WindsockError } from '../lib/errors.ts';

const refuse = (client: pg.Client, what: string): void => {
  const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
  connection.emit(
    'error',
    new WindsockError(
      'WeakDatabaseLogin',
      `PostgreSQL asks for the password ${what}. Set its password_encryption and pg_hba.conf to scram-sha-256.`,
    ),
  );
};

/** Ends a connection, before it is made known to this, that is sent more than so many bytes. */
export const boundAnswers = (client: pg.Client, most: number): void => {
  const { connection } = client as unknown as { connection: { readonly stream: Socket } };
  const { stream } = connection;
  let received = 0;
  stream.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received > most)
      stream.destroy(new WindsockError('AnswerTooLarge', `The database answers more than ${most} bytes.`));
  });
};

/** A PostgreSQL client that gives its password to nobody who asks for it in clear text or as MD5. */
export class CautiousClient extends pg.Client {
  // The names that pg's own client registers for these two requests (pg, lib/client.js).
  _handleAuthCleartextPassword(): void {
    refuse(this, 'in clear text');
  }

  _handleAuthMD5Password(): void {
    refuse(this, 'as MD5');
  }
}
