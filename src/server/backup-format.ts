import { z } from 'zod';

/** Changes when an older Windsock could not restore what this one writes. */
export const backupFormat = 1;

/** The first and the last member of a backup; everything else lies between them. */
export const [headName, endName] = ['windsock-backup.json', 'windsock-backup-end.json'] as const;

export const headSchema = z.object({
  format: z.number(),
  /** Version of Windsock that made it. */
  windsock: z.string(),
  /** Major version of PostgreSQL whose files it holds. */
  postgres: z.string(),
  /** PostgreSQL's files fit one kind of machine. */
  platform: z.string(),
  madeAt: z.string(),
  installationId: z.string(),
});
/** What a backup is of. */
export type BackupHead = z.infer<typeof headSchema>;

export const endSchema = z.object({
  /** SHA-256 of every byte of the archive before this member. */
  sha256: z.string(),
  environments: z.array(z.string()),
});
export type BackupEnd = z.infer<typeof endSchema>;

export const platform = `${process.platform}-${process.arch}`;
