import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLiveProgress } from '../../../src/cli/live-progress.ts';
import { sampleProgress } from './sample-run.ts';

test('off a terminal a line comes for each change, and none for a repetition', () => {
  const lines: string[] = [];
  const progress = createLiveProgress({ write: (text) => lines.push(text) }, Date.now());
  progress.show(sampleProgress);
  progress.show({ ...sampleProgress, fraction: 0.26 });
  progress.show({ ...sampleProgress, fraction: 0.31 });
  progress.show({ ...sampleProgress, fraction: 0.31, status: 'paused' });
  progress.notice('the store is away');
  progress.end();
  assert.deepEqual(
    lines.map((line) => line.slice(0, 12)),
    ['running 25 %', 'running 31 %', 'paused 31 % ', 'the store is'],
  );
  assert.ok(lines.every((line) => line.endsWith('\n') && !line.includes('\u001B')));
});

test('on a terminal the picture is drawn in place of the last one', () => {
  const written: string[] = [];
  const progress = createLiveProgress({ write: (text) => written.push(text), isTTY: true, columns: 80 }, Date.now());
  progress.show(sampleProgress);
  progress.show({ ...sampleProgress, fraction: 0.5 });
  progress.end();
  const height = written[0].split('\n').length - 1;
  assert.ok(written.includes(`\u001B[${height}A\u001B[0J`));
  assert.match(written.at(-1) ?? '', /50 %/);
});
