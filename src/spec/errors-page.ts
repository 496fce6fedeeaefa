import { errorTable } from '../contracts/errors.ts';

const introduction = `# Errors

Every failure that a user can meet has one of these codes. Activities carry it as the type of the Temporal failure, the
API as \`code\` of a problem document with the status given here, the command line prints it. A retryable failure inside
a run is repeated by itself.
`;

/** docs/errors.md, made of the error table. */
export function errorsPage(): string {
  const sections = Object.entries(errorTable).map(
    ([code, { status, retryable, help }]) =>
      `## ${code}\n\nStatus ${status}, ${retryable ? 'retryable' : 'not retryable'}.\n\n${help}\n`,
  );
  return [introduction, ...sections].join('\n');
}
