import { z } from 'zod';

/** A process that is told from a later one with the same number, also after the machine started anew. */
const processShape = {
  pid: z.number().int().positive(),
  /** Clock ticks after boot: field 22 of /proc/PID/stat (proc(5)). */
  startTime: z.number(),
};

/** `server.json`: the server that last listened on this data folder. Times are epoch milliseconds. */
export const serverFileSchema = z.object({
  ...processShape,
  bootId: z.string(),
  version: z.string(),
  startedAt: z.number(),
  endpoint: z.string(),
});
export type ServerFile = z.infer<typeof serverFileSchema>;

const runningShape = {
  pid: processShape.pid.optional(),
  startTime: processShape.startTime.optional(),
  since: z.number(),
  restarts: z.number(),
  /** An earlier server started this process. */
  adopted: z.boolean(),
  lastError: z.string().optional(),
};

const postgresSchema = z.object({
  state: z.enum(['running', 'restarting', 'stopped', 'external']),
  ...runningShape,
});

const componentSchema = z.object({
  name: z.string(),
  state: z.enum(['running', 'waiting', 'stopped']),
  ...runningShape,
});

const environmentSchema = z.object({
  name: z.string(),
  id: z.string(),
  status: z.string(),
  since: z.number(),
  airflowVersion: z.string(),
  address: z.string().optional(),
  lastError: z.string().optional(),
  /** Why its processes get no credentials of the execution role. */
  roleFault: z.string().optional(),
  /** Which DAG files are live, and how many of them could not be imported when Airflow was last asked. */
  content: z
    .object({
      version: z.string(),
      since: z.number(),
      files: z.number(),
      failed: z.number().optional(),
      /** Why the bucket cannot be read, and since when. */
      fault: z.object({ since: z.number(), reason: z.string() }).optional(),
    })
    .optional(),
  components: z.array(componentSchema),
});

/** `status.json`: what the server knew when something last changed. Times are epoch milliseconds. */
export const statusFileSchema = z.object({
  /** What the server was doing; `stopped` is its last word. */
  state: z.enum(['running', 'stopping', 'stopped']),
  /** What a stop leaves: `end` nothing, `keep` PostgreSQL and Airflow. */
  leaving: z.enum(['end', 'keep']).optional(),
  writtenAt: z.number(),
  server: serverFileSchema,
  /** How Airflow sees the file system: by a mount namespace as root, by a user namespace, or as it is. */
  view: z
    .object({
      kind: z.enum(['root', 'user', 'none']),
      /** Why there is no view of its own. */
      missing: z.string().optional(),
      /** Why commands have no pid namespace. */
      missingPids: z.string().optional(),
    })
    .optional(),
  postgres: postgresSchema,
  environments: z.array(environmentSchema),
});
export type StatusFile = z.infer<typeof statusFileSchema>;
export type PostgresFacts = StatusFile['postgres'];
export type EnvironmentFacts = StatusFile['environments'][number];
export type ComponentFacts = EnvironmentFacts['components'][number];
