import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createProcessGroup } from '../../../scripts/process-group.ts';
import { startedAt } from '../../../scripts/process-identity.mjs';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-group-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a program that runs `body`; its number is in the message that tells that it is ready. */
function program(name: string, body: string): { name: string; program: string } {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, body);
  return { name, program: file };
}

const ready = "process.send({ kind: 'ready', pid: process.pid });";
const stays = 'setInterval(() => undefined, 1000);';
const endsWithChannel = "process.on('disconnect', () => process.exit(0));";

async function untilGone(pid: number): Promise<void> {
  for (let waited = 0; waited < 100 && startedAt(pid) !== undefined; waited++) await sleep(20);
  assert.equal(startedAt(pid), undefined, `process ${pid} still runs`);
}

test('a program is started with its log, and stopped in good order', async () => {
  const group = createProcessGroup({ logFolder: folder });
  const polite = `console.log('began'); process.on('SIGTERM', () => { console.log('ended'); process.exit(0); }); ${stays} ${ready}`;
  const { pid } = await group.start(program('polite', polite));
  await group.stop();
  await untilGone(Number(pid));
  assert.equal(readFileSync(join(folder, 'polite.log'), 'utf8'), 'began\nended\n');
});

test('a program that ignores SIGTERM is killed together with its own children', async () => {
  const group = createProcessGroup({ logFolder: folder, stopTimeoutMs: 100 });
  const stubborn = `
    import { spawn } from 'node:child_process';
    process.on('SIGTERM', () => undefined);
    const child = spawn(process.execPath, ['-e', '${stays}']);
    ${stays}
    process.send({ kind: 'ready', pid: process.pid, child: child.pid });`;
  const { pid, child } = await group.start(program('stubborn', stubborn));
  await group.stop();
  await Promise.all([untilGone(Number(pid)), untilGone(Number(child))]);
});

test('a program that ends before it is ready is an error with the end of its log', async () => {
  const group = createProcessGroup({ logFolder: folder });
  await assert.rejects(
    group.start(program('broken', "console.error('no such port'); process.exit(3);")),
    (error: Error) => {
      assert.match(error.message, /^broken ended with code 3\./);
      assert.match(error.message, /no such port/);
      return true;
    },
  );
  await group.stop();
});

test('a program that never gets ready is an error and is stopped with the group', async () => {
  const group = createProcessGroup({ logFolder: folder, readyTimeoutMs: 100 });
  await assert.rejects(group.start(program('slow', `${endsWithChannel} ${stays}`)), /slow was not ready within 0.1 s/);
  await group.stop();
});

test('a program that ends unasked is told with the end of its log', async () => {
  const group = createProcessGroup({ logFolder: folder });
  await group.start(program('dying', `${ready} setTimeout(() => { console.error('lost it'); process.exit(7); }, 50);`));
  const sentence = await group.failed;
  assert.match(sentence, /^dying ended with code 7\./);
  assert.match(sentence, /lost it/);
  await group.stop();
});

test('kill -9 of the process that started the group ends its programs', async () => {
  const member = program('tied', `${endsWithChannel} ${stays} ${ready}`);
  const owner = program(
    'owner',
    `import { createProcessGroup } from '${join(import.meta.dirname, '../../../scripts/process-group.ts')}';
     const group = createProcessGroup({ logFolder: '${folder}' });
     const { pid } = await group.start(${JSON.stringify(member)});
     console.log(pid);`,
  );
  const child = spawn(process.execPath, [owner.program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = await new Promise((resolve) => child.stdout.once('data', (text) => resolve(Number(text))));
  child.kill('SIGKILL');
  await untilGone(Number(pid));
});
