import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Environment } from './setting.ts';

/** Where a running `npm start` or `coxswain up` says what it serves, below the folder that it was started in. */
export const localServicesFile = join('.coxswain', 'services.json');

/** What a running start serves. */
const localServices = z.object({
  temporalAddress: z.string(),
  temporalUiUrl: z.string().nullish(),
  mongoUrl: z.string(),
  apiUrl: z.string().nullish(),
  /** Of the process that serves them. */
  pid: z.int().positive(),
});
export type LocalServices = z.infer<typeof localServices>;

/**
 * The services of a start that runs in `folder` or in one above it; null when there is none, or its process is gone.
 */
export function findLocalServices(folder: string = process.cwd()): LocalServices | null {
  for (let current = folder; ; current = dirname(current)) {
    const services = readServices(join(current, localServicesFile));
    if (services !== null) return isAlive(services.pid) ? services : null;
    if (dirname(current) === current) return null;
  }
}

/** The environment, in which addresses that it does not name are those of the services. */
export function withLocalServices(services: LocalServices | null, environment: Environment = process.env): Environment {
  if (services === null) return environment;
  const namesMongo = Boolean(environment.MONGODB_URL || environment.MONGODB_URL_FILE);
  return {
    ...environment,
    TEMPORAL_ADDRESS: environment.TEMPORAL_ADDRESS || services.temporalAddress,
    ...(namesMongo ? {} : { MONGODB_URL: services.mongoUrl }),
  };
}

function readServices(path: string): LocalServices | null {
  try {
    return localServices.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
