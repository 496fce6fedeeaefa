import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { CacheEntry } from './binary-cache.ts';
import { cacheFolder, fillCache, findCached, withCacheLock } from './binary-cache.ts';
import { cleanUpLeftovers } from './leftovers.ts';
import { obtainProgram } from './obtain-program.ts';
import type { ObtainOptions } from './obtain-temporal.ts';
import { findOnPath, runToEnd } from './run-to-end.ts';

/** The pinned version of Mesa: Debian 12's own, 22, lacks what WebGPU asks for. */
const mesaVersion = '25.0.7-2~bpo12+1';
const release = 'bookworm';

/** Mesa's processor-only driver, the Vulkan loader, and the libraries that they need; the last ones from Debian 12 itself. */
const packages = [
  `mesa-vulkan-drivers=${mesaVersion}`,
  ...['libdrm2', 'libdrm-amdgpu1'].map((name) => `${name}/${release}-backports`),
  ...['libvulkan1', 'libllvm15', 'libz3-4', 'libedit2', 'libbsd0', 'libmd0', 'libxml2', 'libicu72', 'libtinfo6'],
  ...['liblzma5', 'libzstd1', 'libelf1', 'libexpat1', 'libffi8', 'libwayland-client0', 'libx11-xcb1', 'libxshmfence1'],
  ...['libxcb1', 'libxau6', 'libxdmcp6', 'libxcb-dri3-0', 'libxcb-present0', 'libxcb-randr0', 'libxcb-shm0'],
  ...['libxcb-sync1', 'libxcb-xfixes0'],
];

const driver = 'libvulkan_lvp.so';
const driverFile = 'lvp_icd.json';
const entry: CacheEntry = { key: `software-vulkan-${mesaVersion.replaceAll('~', '-')}`, program: driver };
const limits = { timeoutMs: 4 * 60_000 };

const wayOut = 'Way out: Debian 12 on x64, with an apt that reaches Debian and its backports.';

/** Variables with which a process finds a Vulkan driver. */
export type VulkanEnvironment = Readonly<Record<string, string>>;

/**
 * What a child process needs in its environment to compute with Mesa's software Vulkan, on which WebGPU is tested where
 * there is no graphics processor: from the cache, or from Debian's packages, which are unpacked into the cache, not
 * installed. Throws an error that says what was tried and the ways out.
 */
export async function obtainSoftwareVulkan(options: ObtainOptions = {}): Promise<VulkanEnvironment> {
  const { cache = cacheFolder(), report = () => undefined } = options;
  const found = findCached(cache, entry) ?? (await obtain(cache, report));
  const driverFiles = join(dirname(found), driverFile);
  // Older loaders know the second name only.
  return { LD_LIBRARY_PATH: dirname(found), VK_DRIVER_FILES: driverFiles, VK_ICD_FILENAMES: driverFiles };
}

function obtain(cache: string, report: (line: string) => void): Promise<string> {
  return withCacheLock(cache, entry.key, report, async () => {
    await cleanUpLeftovers(join(cache, 'records'));
    const sources = [
      { name: 'the cache', obtain: async () => fromCache(cache) },
      { name: `Debian's packages of Mesa ${mesaVersion}`, obtain: () => fromDebian(cache, report) },
    ];
    return obtainProgram("Mesa's software Vulkan", sources, wayOut);
  });
}

/** The cache is asked again: another process may have filled it meanwhile. */
function fromCache(cache: string): string {
  const path = findCached(cache, entry);
  if (path === undefined) throw new Error(`nothing at ${cache} for ${entry.key}`);
  return path;
}

async function fromDebian(cache: string, report: (line: string) => void): Promise<string> {
  const mirror = debianMirror();
  report("Downloading Mesa's software Vulkan (55 MB, once for this user) …");
  return fillCache(cache, entry, async (folder) => {
    const work = join(folder, 'work');
    await download(mirror, work, cache);
    for (const file of readdirSync(work).filter((name) => name.endsWith('.deb')))
      execFileSync('dpkg-deb', ['-x', join(work, file), join(work, 'root')], { timeout: 60_000 });
    gather(join(work, 'root'), folder);
    rmSync(work, { recursive: true });
  });
}

/** The mirror that this machine's apt takes Debian 12 from. */
function debianMirror(): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`it is taken for Linux on x64 only, not ${process.platform} on ${process.arch}`);
  }
  const apt = findOnPath('apt-get');
  if (apt === undefined || findOnPath('dpkg-deb') === undefined) throw new Error('there is no `apt-get` on PATH');
  const targets = execFileSync(apt, ['indextargets', '--format', '$(RELEASE) $(REPO_URI)', 'Identifier: Packages'], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  const line = targets.split('\n').find((target) => target.startsWith(`${release} `));
  if (line === undefined) throw new Error(`this machine's apt knows no Debian ${release}`);
  return line.slice(release.length + 1);
}

/** Downloads the packages into `work` with apt, which checks Debian's signatures, without touching the machine's lists. */
async function download(mirror: string, work: string, cache: string): Promise<void> {
  for (const folder of ['lists/partial', 'archives/partial']) mkdirSync(join(work, folder), { recursive: true });
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const signed = existsSync(keys) ? `[signed-by=${keys}] ` : '';
  const suites = [release, `${release}-backports`];
  writeFileSync(join(work, 'sources.list'), suites.map((suite) => `deb ${signed}${mirror} ${suite} main\n`).join(''));
  const settings = {
    'Dir::Etc::sourcelist': join(work, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': join(work, 'lists'),
    'Dir::Cache': work,
    'APT::Sandbox::User': userInfo().username,
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '20',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await apt([...args, 'update'], work, cache);
  await apt([...args, 'download', ...packages], work, cache);
}

function apt(args: readonly string[], workingFolder: string, cache: string): Promise<void> {
  return runToEnd(
    {
      name: 'software-vulkan-download',
      command: findOnPath('apt-get')!,
      args,
      workingFolder,
      logFile: join(cache, 'logs', 'software-vulkan-download.log'),
      recordsFolder: join(cache, 'records'),
    },
    limits,
  );
}

/** Moves the libraries, without the drivers of graphics processors, and the driver's description into one folder. */
function gather(root: string, folder: string): void {
  for (const libraries of ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'].map((path) => join(root, path))) {
    if (!existsSync(libraries)) continue;
    for (const file of readdirSync(libraries)) {
      const wanted = file === driver || (file.includes('.so') && !file.startsWith('libvulkan_'));
      if (wanted) renameSync(join(libraries, file), join(folder, file));
    }
  }
  const description = readFileSync(join(root, 'usr/share/vulkan/icd.d', driverFile), 'utf8');
  writeFileSync(join(folder, driverFile), description);
  chmodSync(join(folder, driver), 0o755);
}
