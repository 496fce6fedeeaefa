import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { listenForStop } from '../../../scripts/stop-request.ts';

function listen(context: TestContext) {
  const clock = { now: 0 };
  context.mock.method(performance, 'now', () => clock.now);
  const events = new EventEmitter();
  const calls = { atOnce: 0 };
  const request = listenForStop(() => calls.atOnce++, events);
  return { clock, events, calls, request };
}

test('the first signal asks for an orderly stop', (context) => {
  const { events, calls, request } = listen(context);
  events.emit('SIGINT');
  assert.equal(request.signal.reason, 'SIGINT');
  assert.equal(calls.atOnce, 0);
});

test('the same Ctrl-C that arrives twice, from the terminal and from npm, is one wish', (context) => {
  const { clock, events, calls } = listen(context);
  events.emit('SIGINT');
  clock.now = 400;
  events.emit('SIGINT');
  assert.equal(calls.atOnce, 0);
});

test('a second wish ends at once', (context) => {
  const { clock, events, calls } = listen(context);
  events.emit('SIGINT');
  clock.now = 600;
  events.emit('SIGTERM');
  assert.equal(calls.atOnce, 1);
});
