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
