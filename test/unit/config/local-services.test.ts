import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { findLocalServices, withLocalServices } from '../../../config/local-services.ts';

const root = mkdtempSync(join(tmpdir(), 'coxswain-local-services-'));
const below = join(root, 'a', 'b');
mkdirSync(join(root, '.coxswain'));
mkdirSync(below, { recursive: true });
after(() => rmSync(root, { recursive: true }));

const services = { temporalAddress: '127.0.0.1:7300', mongoUrl: 'mongodb://127.0.0.1:27100', pid: process.pid };
const write = (text: string): void => writeFileSync(join(root, '.coxswain', 'services.json'), text);
beforeEach(() => write(JSON.stringify(services)));

test('services are found in the folder and from folders below it', () => {
  assert.equal(findLocalServices(root)?.temporalAddress, services.temporalAddress);
  assert.equal(findLocalServices(below)?.mongoUrl, services.mongoUrl);
  assert.equal(findLocalServices(tmpdir()), null);
});

test('a file of a process that is gone, or that is damaged, counts as none', () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  write(JSON.stringify({ ...services, pid }));
  assert.equal(findLocalServices(root), null);
  for (const damaged of ['', '{', '[]', '{"temporalAddress":1}']) {
    write(damaged);
    assert.equal(findLocalServices(root), null, damaged);
  }
});

test('addresses that the environment names stay', () => {
  const empty = withLocalServices(services, { HOME: '/home/somebody', TEMPORAL_ADDRESS: '' });
  assert.deepEqual(empty, {
    HOME: '/home/somebody',
    TEMPORAL_ADDRESS: services.temporalAddress,
    MONGODB_URL: services.mongoUrl,
  });
  const named = { TEMPORAL_ADDRESS: 'temporal.example:7233', MONGODB_URL: 'mongodb://db.example' };
  assert.deepEqual(withLocalServices(services, named), named);
  const byFile = withLocalServices(services, { MONGODB_URL_FILE: '/run/secrets/mongo' });
  assert.equal(byFile.MONGODB_URL, undefined);
  assert.equal(withLocalServices(null, named), named);
});
