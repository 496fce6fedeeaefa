// `node download-mongod.mjs MODULES VERSION FOLDER`: lets mongodb-memory-server, which knows the archives of MongoDB's
// own download address for every distribution, fetch mongod and compare its checksum; the program ends up as
// FOLDER/mongod. MODULES is the folder that mongodb-memory-server-core is installed in.
import { renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [modules, version, folder] = process.argv.slice(2);
const { MongoBinary } = createRequire(join(modules, 'package.json'))(
  'mongodb-memory-server-core/lib/util/MongoBinary.js',
);
try {
  const program = await MongoBinary.getPath({ version, downloadDir: folder, checkMD5: true, systemBinary: '' });
  renameSync(program, join(folder, 'mongod'));
} catch (error) {
  // The message alone: it becomes a line of the list of sources that were tried.
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
