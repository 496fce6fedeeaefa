import type { Setting } from './setting.ts';
import { settings } from './settings.ts';

const introduction = `# Settings

Every process of Coxswain reads its settings from environment variables, once, when it starts. Nothing else is read from
the environment. A wrong value stops the process with CONFIG_INVALID and one line for each wrong variable; an empty
variable counts as unset.

A variable marked _secret_ may also come from a file: set \`<VARIABLE>_FILE\` to its path, as containers mount secrets.
Secrets are never printed.

A RunSpec only names things. The folders that it may read and every address that receives credentials are settings.
`;

/** docs/configuration.md, made of the table of settings. */
export function configurationPage(): string {
  const sections = Object.entries<Setting<unknown, string | null>>(settings).map(([name, declaration]) =>
    section(name, declaration),
  );
  return [introduction, ...sections].join('\n');
}

function section(
  name: string,
  { help, allowed, fallback, whenUnset, secret }: Setting<unknown, string | null>,
): string {
  const unset = whenUnset ?? (fallback === null ? 'unset' : `\`${fallback}\``);
  const lines = [`- Allowed: ${allowed}`, `- Default: ${unset}`];
  if (secret) lines.push(`- Secret: may come from the file named by \`${name}_FILE\``);
  return `## ${name}\n\n${help}\n\n${lines.join('\n')}\n`;
}
