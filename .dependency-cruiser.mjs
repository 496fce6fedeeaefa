/**
 * The import fence: imports point one way, workers, api, cli -> workflows, activities, adapters -> domain, tensor, rl …
 * -> contracts. Each rule's comment is the sentence that a person reads when it is broken. Type imports count as well.
 * test/fences plants one violation for every rule and expects red.
 */
const ours = '^(src|workflows|activities|workers|config|scripts|bench|test)/';
const productRooms = '^(src|workflows|activities|workers|config)/';

/** A rule against importing anything of ours beside `allowed`. */
function mayImportOnly(name, from, allowed, comment) {
  return { name, comment, severity: 'error', from: { path: from }, to: { path: ours, pathNot: allowed } };
}

/** A rule against importing what matches `to`. */
function mayNotImport(name, from, to, comment) {
  return { name, comment, severity: 'error', from, to };
}

const nodeBuiltins = { dependencyTypes: ['core'] };

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    mayNotImport(
      'workflows-and-activities-apart',
      { path: '^workflows/' },
      { path: '^activities/' },
      'A workflow never imports an activity, not even its type: write the signature into src/contracts/activities.ts and let both face it.',
    ),
    mayNotImport(
      'activities-and-workflows-apart',
      { path: '^activities/' },
      { path: '^workflows/' },
      'An activity never imports a workflow: move what both need to src/contracts or src/domain.',
    ),
    mayImportOnly(
      'workflows-stay-pure',
      '^workflows/',
      ['^workflows/', '^src/(contracts|domain)/', '^activities/'],
      'Workflows import src/contracts and src/domain only: move the pure part to src/domain, and the rest to an activity.',
    ),
    mayNotImport(
      'workflows-import-temporal-only',
      { path: '^workflows/' },
      { path: 'node_modules', pathNot: 'node_modules/@temporalio/(workflow|common)/' },
      'The only packages in a workflow are @temporalio/workflow and @temporalio/common: do the work in an activity or write it in src/domain.',
    ),
    mayNotImport(
      'no-node-builtins-in-workflows',
      { path: '^(workflows|src/(domain|contracts))/' },
      nodeBuiltins,
      'Workflows, src/domain and src/contracts run inside the workflow sandbox, which has no Node builtin: move the code that needs it to an activity.',
    ),
    mayNotImport(
      'no-packages-in-domain',
      { path: '^src/domain/' },
      { path: 'node_modules' },
      'src/domain is plain TypeScript (zod and other packages stay out of the workflow bundle): validate in src/spec and pass plain values in.',
    ),
    mayNotImport(
      'contracts-stay-light',
      { path: '^src/contracts/' },
      { path: 'node_modules', pathNot: 'node_modules/@temporalio/(workflow|common)/' },
      'src/contracts is loaded by every process and by the workflow bundle, so it imports no package but @temporalio/workflow and @temporalio/common: keep the schema in src/spec.',
    ),
    mayImportOnly(
      'contracts-import-nothing-of-ours',
      '^src/contracts/',
      ['^src/contracts/'],
      'src/contracts imports nothing of ours: move the type that it needs into src/contracts.',
    ),
    mayImportOnly(
      'domain-imports-contracts-only',
      '^src/domain/',
      ['^src/(domain|contracts)/'],
      'src/domain imports src/contracts only: pass the value in as an argument.',
    ),
    mayImportOnly(
      'spec-imports-contracts-only',
      '^src/spec/',
      ['^src/(spec|contracts|domain)/'],
      'src/spec imports src/contracts and src/domain only: check against the outside in the validating activity.',
    ),
    mayImportOnly(
      'tensor-imports-contracts-only',
      '^src/tensor/',
      ['^src/(tensor|contracts)/'],
      'src/tensor is a compiler that knows nothing of reinforcement learning: it imports src/contracts only, so move the code to src/rl.',
    ),
    mayImportOnly(
      'rl-imports-tensor-and-contracts',
      '^src/rl/',
      ['^src/(rl|tensor|domain|contracts)/'],
      'src/rl imports src/tensor, src/domain and src/contracts only: hand stores, trackers and recordings in as arguments.',
    ),
    mayImportOnly(
      'recordings-import-contracts',
      '^src/recordings/',
      ['^src/(recordings|domain|contracts)/', '^src/rl/random[.]ts$'],
      'src/recordings imports src/domain, src/contracts and the generator src/rl/random.ts only: hand adapters in as ports.',
    ),
    mayImportOnly(
      'twin-load-imports-rl-and-recordings',
      '^src/twin-load/',
      ['^src/(twin-load|recordings|rl|domain|contracts)/'],
      'src/twin-load plays a load by the simulator: it imports src/rl, src/recordings, src/domain and src/contracts only, and reads the cluster through the port ClusterReader.',
    ),
    ...['store', 'tracking', 'cluster'].map((room) =>
      mayImportOnly(
        `${room}-is-an-adapter`,
        `^src/${room}/`,
        [`^src/${room}/`, '^src/(contracts|domain)/'],
        `src/${room} is an adapter behind a port of src/contracts: it imports src/contracts and src/domain only.`,
      ),
    ),
    mayImportOnly(
      'control-imports',
      '^src/control/',
      ['^src/(control|rl|domain|contracts)/'],
      'src/control decides for live clusters: it imports src/rl, src/domain and src/contracts only; hand clusters, stores and policies in as ports.',
    ),
    mayImportOnly(
      'client-imports',
      '^src/client/',
      ['^src/(client|spec|domain|contracts)/'],
      'The SDK in src/client imports src/spec, src/domain and src/contracts only: what it must not carry to users belongs elsewhere.',
    ),
    mayImportOnly(
      'api-goes-through-client',
      '^src/api/',
      ['^src/(api|client|spec|domain|contracts)/', '^config/', '^src/(store|tracking)/'],
      'The API goes through src/client and the ports of src/contracts: it never imports workflows, activities, workers or numeric code.',
    ),
    mayNotImport(
      'only-the-api-main-wires-adapters',
      { path: '^src/api/', pathNot: '^src/api/main[.]ts$' },
      { path: '^src/(store|tracking)/' },
      'Only src/api/main.ts wires adapters in: take the port of src/contracts as an argument.',
    ),
    mayImportOnly(
      'cli-goes-through-client',
      '^src/cli/(?!main[.]ts$)',
      ['^src/(cli|client|spec|domain|contracts|rl|control|recordings|twin-load)/', '^config/'],
      'The command goes through src/client, or calls the learning core of src/rl or the twin of src/twin-load: it never imports adapters, workflows, activities or workers. Only src/cli/main.ts wires adapters in.',
    ),
    mayImportOnly(
      'activities-import-no-process',
      '^activities/',
      ['^activities/', '^src/(?!api/|cli/|client/)', '^workflows/', '^config/'],
      'An activity imports rooms of src below the API, the command and the SDK: take what it needs as a port.',
    ),
    mayImportOnly(
      'workers-import-no-api',
      '^workers/',
      ['^(workers|workflows|activities|config)/', '^src/(?!api/|cli/)'],
      'A worker imports neither the API nor the command nor scripts: move what both need to a lower room of src.',
    ),
    mayImportOnly(
      'config-imports-contracts-only',
      '^config/',
      ['^config/', '^src/contracts/'],
      'config/ is read by every process and imports src/contracts only.',
    ),
    mayNotImport(
      'settings-are-handed-in',
      { pathNot: '^(config|workers|scripts|bench|test)/|^src/api/main[.]ts$|^src/cli/' },
      { path: '^config/' },
      'Only workers, src/api/main.ts, the command, scripts, bench and tests read config/: take the setting as an argument.',
    ),
    mayNotImport(
      'no-second-way-to-the-environment',
      { path: productRooms, pathNot: '^config/' },
      { path: '^(node:)?process$' },
      'The environment is read in config/ only: take the setting as an argument, and use the global `process` for the rest.',
    ),
    mayNotImport(
      'nothing-depends-on-scripts-and-tests',
      { path: productRooms },
      { path: '^(scripts|bench|test)/' },
      'The product never imports scripts, benchmarks or tests: move what it needs into src.',
    ),
    mayNotImport(
      'declared-packages-only',
      { path: productRooms },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
      'The product imports only packages that are in dependencies or optionalDependencies of package.json, since an installed package has no others.',
    ),
    mayNotImport(
      'no-circles',
      {},
      // Type imports are gone when the program runs, so two files of types may name each other.
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
      'Imports make a circle: move what both files need into a third one.',
    ),
    mayNotImport(
      'imports-resolve',
      {},
      { couldNotResolve: true },
      'The import leads to nothing: correct the path (with its .ts extension) or declare the package.',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^test/fences/planted/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types', 'typings'],
    },
  },
};
