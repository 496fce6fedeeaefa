import { stringify } from 'yaml';
import { applicationManifests } from '../twin-load/application-manifests.ts';
import type { CommandContext } from './command-context.ts';
import { exitCodes } from './exit-codes.ts';
import { applicationOf } from './twin-command.ts';

/** Options of `coxswain twin manifests`. */
export interface TwinManifestsOptions {
  readonly namespace: string;
  readonly application?: string;
  readonly image: string;
  readonly replicasFor?: number;
  readonly speed: number;
  readonly disruptionBudgets?: boolean;
}

/** Prints the objects of an application as YAML. @returns the exit code */
export async function twinManifestsCommand(
  { output }: CommandContext,
  { namespace, application, image, replicasFor, speed, disruptionBudgets = false }: TwinManifestsOptions,
): Promise<number> {
  const manifests = applicationManifests(await applicationOf(application), {
    namespace,
    image,
    speed,
    replicasFor: replicasFor ?? null,
    disruptionBudgets,
  });
  output.write(manifests.map((manifest) => stringify(manifest)).join('---\n'));
  return exitCodes.done;
}
