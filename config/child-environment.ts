/** Variables that a program without secrets still needs: where programs, libraries, drivers and temporary files are. */
const systemVariables =
  /^(PATH|HOME|TMPDIR|TMP|TEMP|LANG|LC_ALL|TZ|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|CUDA_.*|NVIDIA_.*|VK_.*|SystemRoot)$/;

/**
 * The environment of the numeric child processes: an allow-list, so that no token or key of the worker reaches them.
 */
export function childEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Readonly<Record<string, string>> {
  const allowed = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && systemVariables.test(entry[0]),
  );
  return Object.fromEntries(allowed);
}
