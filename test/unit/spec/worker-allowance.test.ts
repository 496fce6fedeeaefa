import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadConfig } from '../../../config/index.ts';
import { parseRunSpec } from '../../../src/spec/run-spec.ts';
import { checkSpecAgainstWorker, isTrackingEnabled } from '../../../src/spec/worker-allowance.ts';

const layout = { kind: 'long', timeColumn: 't', countColumn: 'n' };
const fileSpec = (folder: string) =>
  parseRunSpec({ version: 1, name: 'x', collect: { source: { kind: 'file', folder, path: 'a.csv', layout } } });
const wandbSpec = (enabled: boolean | 'auto') =>
  parseRunSpec({ version: 1, name: 'x', tracking: { wandb: { enabled } } });

describe('checkSpecAgainstWorker', () => {
  test('allows a folder that the worker has', () => {
    checkSpecAgainstWorker(fileSpec('traces'), loadConfig({ COXSWAIN_DATA_FOLDERS: 'traces=/data' }));
  });

  test('refuses other folders and says which there are', () => {
    const worker = loadConfig({ COXSWAIN_DATA_FOLDERS: 'traces=/data,azure=/azure' });
    for (const folder of ['other', 'constructor'])
      assert.throws(() => checkSpecAgainstWorker(fileSpec(folder), worker), {
        code: 'NOT_ALLOWED',
        message: `collect.source.folder: found "${folder}"; allowed: azure | traces`,
      });
    assert.throws(
      () => checkSpecAgainstWorker(fileSpec('traces'), loadConfig({})),
      /COXSWAIN_DATA_FOLDERS .* is unset/,
    );
  });

  test('refuses W&B that is demanded but impossible', () => {
    checkSpecAgainstWorker(wandbSpec('auto'), loadConfig({}));
    checkSpecAgainstWorker(wandbSpec(true), loadConfig({ WANDB_API_KEY: 'k' }));
    checkSpecAgainstWorker(wandbSpec(true), loadConfig({ WANDB_MODE: 'offline' }));
    assert.throws(() => checkSpecAgainstWorker(wandbSpec(true), loadConfig({})), {
      code: 'NOT_ALLOWED',
      message: /WANDB_API_KEY is unset/,
    });
    const disabled = loadConfig({ WANDB_MODE: 'disabled', WANDB_API_KEY: 'k' });
    assert.throws(() => checkSpecAgainstWorker(wandbSpec(true), disabled), /WANDB_MODE is disabled/);
  });
});

describe('isTrackingEnabled', () => {
  test('follows the spec as far as the worker can', () => {
    const withKey = loadConfig({ WANDB_API_KEY: 'k' });
    assert.equal(isTrackingEnabled(wandbSpec('auto'), withKey), true);
    assert.equal(isTrackingEnabled(wandbSpec(false), withKey), false);
    assert.equal(isTrackingEnabled(wandbSpec('auto'), loadConfig({})), false);
    assert.equal(isTrackingEnabled(wandbSpec('auto'), loadConfig({ WANDB_MODE: 'offline' })), true);
    assert.equal(
      isTrackingEnabled(wandbSpec('auto'), loadConfig({ WANDB_MODE: 'disabled', WANDB_API_KEY: 'k' })),
      false,
    );
  });
});
