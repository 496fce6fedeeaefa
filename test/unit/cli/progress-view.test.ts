import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderProgress, renderProgressLine, secondsLeft } from '../../../src/cli/progress-view.ts';
import type { RunProgress } from '../../../src/contracts/runs.ts';
import { sampleProgress } from './sample-run.ts';

test('the progress lists every step with its mark and the seeds under the training', () => {
  const lines = renderProgress(sampleProgress).split('\n');
  assert.match(lines[0], /^ {2}running {2}█+░+ +25 %$/);
  assert.equal(lines[1], '  ✓ validate   spec accepted');
  assert.equal(lines[3], '  ▶ train      2 seeds');
  assert.match(lines[4], /seed 11 +█{10}░{10} +50 % +reward −12\.00/);
  assert.match(lines[5], /seed 12 +█{20} +100 %/);
  assert.equal(lines[6], '  · evaluate');
});

test('episodes add up over seeds, speed only over those that still train', () => {
  const text = renderProgress(sampleProgress, { elapsedSeconds: 60 });
  assert.match(text, /episodes 100 · 4\u00A0000 steps\/s · reward −12\.25 · about 3 min left/);
});

test('time left follows from the share done and is not guessed at the very start or while paused', () => {
  assert.equal(secondsLeft(sampleProgress, 60), 180);
  assert.equal(secondsLeft({ ...sampleProgress, fraction: 0.01 }, 60), null);
  assert.equal(secondsLeft({ ...sampleProgress, status: 'paused' }, 60), null);
  assert.equal(secondsLeft({ ...sampleProgress, fraction: 1, status: 'completed' }, 60), null);
});

test('the bar is full only when the run is over', () => {
  assert.match(renderProgressLine({ ...sampleProgress, fraction: 0.9999 }), /^running 99 %/);
  assert.match(renderProgressLine({ ...sampleProgress, fraction: 1, status: 'completed' }), /^completed 100 %/);
});

test('a line for logs tells status, step, summary and figures', () => {
  assert.equal(
    renderProgressLine(sampleProgress, { elapsedSeconds: 60 }),
    'running 25 % · step train running: 2 seeds · episodes 100 · 4\u00A0000 steps/s · reward −12.25 · about 3 min left',
  );
});

test('no line is wider than the terminal', () => {
  const steps = sampleProgress.steps.map((step) => ({ ...step, summary: 'x'.repeat(300) }));
  for (const line of renderProgress({ ...sampleProgress, steps }, { width: 50, elapsedSeconds: 9 }).split('\n')) {
    assert.ok(line.length <= 50, line);
  }
});

test('a terminal that claims to have no columns gets 80', () => {
  assert.equal(renderProgress(sampleProgress, { width: 0 }), renderProgress(sampleProgress, { width: 80 }));
});

test('colours are off unless asked for', () => {
  assert.ok(!renderProgress(sampleProgress).includes('\u001B'));
  assert.ok(renderProgress(sampleProgress, { color: true }).includes('\u001B[36m'));
});

test('a run before its first report is drawn without figures', () => {
  const early: RunProgress = { ...sampleProgress, step: 'validate', fraction: 0, metrics: {}, training: [] };
  assert.doesNotMatch(renderProgress(early), /steps\/s|reward|NaN|undefined/);
});
