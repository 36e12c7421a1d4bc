import { join } from 'node:path';
import { type AuditKey, loadOrCreateAuditKey } from '../audit/audit-key.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { type IdentityBoxes, loadOrCreateIdentityKey } from '../identity/identity-key.ts';
import { loadOrCreateRootAccount, type RootAccount } from '../identity/root-account.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { systemClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { loadOrCreateAuthority } from '../tls/authority.ts';
import { caBundle } from '../tls/bundle.ts';
import { createTlsIdentity, type TlsIdentity } from '../tls/reload.ts';
import { loadOrCreateSigningKeys, type SigningKeys } from '../tokens/signing-keys.ts';

/** Everything by which this installation is known: its root access key, its keys, its certificate. */
export interface Identities {
  readonly root: RootAccount;
  /** Seals what only this installation may read. */
  readonly boxes: IdentityBoxes;
  readonly keys: SigningKeys;
  /** Vouches for the audit record. */
  readonly auditKey: AuditKey;
  readonly tls: TlsIdentity;
}

/** Where the audit key is. */
export const auditKeyFile = (folders: DataFolder): string => join(folders.secrets, 'audit-key');

/** Reads them from the secrets folder, or makes them on the first start. */
export const loadIdentities = async (
  folders: DataFolder,
  { log, signingKeyDays: days }: { readonly log: Log; readonly signingKeyDays: number },
): Promise<Identities> => {
  const authority = await loadOrCreateAuthority(folders.secrets, systemClock.now());
  return {
    root: loadOrCreateRootAccount(folders.rootAccessKey),
    boxes: loadOrCreateIdentityKey(join(folders.secrets, 'identity-key')),
    auditKey: loadOrCreateAuditKey(auditKeyFile(folders)),
    keys: await loadOrCreateSigningKeys(join(folders.secrets, 'signing-keys.json'), {
      ...{ clock: systemClock, days },
    }),
    tls: await createTlsIdentity({ authority, clock: systemClock, log }),
  };
};

/** Tells the command `windsock` and AWS clients of this machine where the API is and what to trust. */
export const publishEndpoint = (f: DataFolder, endpoint: string, region: string, rootPem: string): void => {
  writeFileAtomic(f.ca, rootPem, { mode: 0o644 });
  writeFileAtomic(f.caBundle, caBundle({ rootPem }), { mode: 0o644 });
  const facts = { endpoint, region, caBundle: f.caBundle, ca: f.ca };
  writeFileAtomic(f.endpoint, JSON.stringify(facts), { mode: 0o644 });
};
