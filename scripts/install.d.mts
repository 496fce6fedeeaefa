/**
 * Installs what is missing in the project at `root` and resolves to the Node program to go on with. Throws with a
 * sentence that says what to do.
 */
export function install(root: string): Promise<string>;

/** True when node_modules holds every package of package-lock.json that belongs on this platform, in its version. */
export function isComplete(root: string): boolean;

/** Where the pinned Node lies once it is installed. */
export function pinnedNode(root: string): string;
