import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderReport, renderReportJson } from '../../../src/cli/report-view.ts';
import type { RunReport } from '../../../src/contracts/runs.ts';
import { sampleReport } from './sample-run.ts';

test('the report shows every controller with mean and interval of every measure', () => {
  const text = renderReport(sampleReport);
  assert.match(text, /p95 latency, ms +212 +242 +180\n +95 % interval +202 … 222 +232 … 252 +170 … 190/);
  assert.match(text, /SLO violations, % +0\.310 +0\.210 +0\.0100/);
  assert.match(text, /pod-seconds +120\u00A0000 +160\u00A0000 +240\u00A0000/);
  assert.match(text, /actions a minute +1\.50 +3\.00 +0/);
});

test('the report says what the policy does differently in per cent', () => {
  const text = oneLine(renderReport(sampleReport));
  assert.match(
    text,
    /policy against HPA, calibrated: p95 latency −12\.4.%; SLO violations \+0\.10 percentage points; pod-seconds −25\.0.%; actions a minute −50\.0.%/,
  );
  assert.match(text, /policy against fixed: .*actions a minute \+1\.5/);
});

test('a policy that does not pass the gate is said not to beat the HPA, with the reasons', () => {
  const text = oneLine(renderReport(sampleReport));
  assert.match(text, /The gate is not passed: the policy does not beat the calibrated HPA/);
  assert.match(text, /Violations rise by up to 0\.30 percentage points/);
  assert.match(text, /boutique-scaler version 3 is registered; no alias was moved/);
});

test('a passed gate names the alias that moved', () => {
  const passed: RunReport = {
    ...sampleReport,
    gate: { passed: true, reasons: ['All bounds hold.'] },
    model: { name: 'boutique-scaler', version: 4, alias: 'champion' },
  };
  const text = oneLine(renderReport(passed));
  assert.match(text, /The gate is passed: the policy beats the calibrated HPA/);
  assert.match(text, /version 4 is registered; alias champion now points to it/);
});

test('a twin is shown with how near it is to the cluster, and what the recording did not tell', () => {
  assert.doesNotMatch(renderReport(sampleReport), /Twin/);
  const errors = { callsError: 0.01, latencyError: null };
  const twin: RunReport['twin'] = {
    artifact: { sha256: 'f'.repeat(64), bytes: 10 },
    services: [
      { service: 'frontend', cpuError: 0.02, ...errors },
      { service: 'cart', cpuError: 0.08, ...errors },
    ],
    serviceCount: 2,
    p95Error: 0.06,
    maxError: 0.2,
    notes: ['cart: no pod started.'],
  };
  const text = oneLine(renderReport({ ...sampleReport, twin }));
  assert.match(text, /Twin - 2 services, fitted to the recording/);
  assert.match(
    text,
    /Errors: CPU 5 % \(at most 8 %\), calls 1 % \(at most 1 %\), own latency not known; allowed 20 %\./,
  );
  assert.match(
    text,
    /95th percentile is off by 6 %\. - Furthest off: cart 8 %, frontend 2 %\. - cart: no pod started\./,
  );
});

test('repairs, placement, changes in mid-training and lost tracking points are told', () => {
  const text = oneLine(renderReport(sampleReport));
  assert.match(text, /repaired: 4 missing bins interpolated/);
  assert.match(text, /No GPU worker polls, so training ran on the CPU\./);
  assert.match(text, /seed 12: the CPU type changed in mid-training/);
  assert.match(text, /tracking: the server answered 503/);
  assert.match(text, /4 points did not reach W&B/);
});

test('the addresses lead to this run', () => {
  const text = renderReport(sampleReport, {
    addresses: { temporalUiUrl: 'http://127.0.0.1:8233/', apiUrl: 'http://127.0.0.1:7070' },
  });
  assert.match(
    text,
    /http:\/\/127\.0\.0\.1:8233\/namespaces\/default\/workflows\/online-boutique-20260301-101500-a1b2/,
  );
  assert.match(text, /http:\/\/127\.0\.0\.1:7070\/api\/v1\/runs\/online-boutique-20260301-101500-a1b2/);
});

test('a failed run shows code, message, step and what to do, and no empty table', () => {
  const failed: RunReport = {
    ...sampleReport,
    status: 'failed',
    model: null,
    gate: null,
    results: [],
    evaluation: null,
    failure: { code: 'TRACE_UNREADABLE', message: 'Line 7 of requests.csv: "x" is not a number.', step: 'collect' },
  };
  const text = oneLine(renderReport(failed));
  assert.match(text, /Failed in step collect TRACE_UNREADABLE: Line 7 of requests\.csv: "x" is not a number\./);
  assert.match(text, /The request-rate file cannot be used/);
  assert.doesNotMatch(text, /interval|gate/);
});

test('texts from outside cannot send control sequences to the terminal', () => {
  const text = renderReport({
    ...sampleReport,
    gate: { passed: false, reasons: ['bad\u001B]0;title\u0007\u001B[2J'] },
  });
  assert.ok(!text.includes('\u001B') && !text.includes('\u0007'));
});

test('no line is wider than 80 columns', () => {
  for (const line of renderReport(sampleReport).split('\n')) assert.ok(line.length <= 80, line);
});

test('the JSON report is one line of exactly the documented shape', () => {
  const line = renderReportJson(sampleReport);
  assert.ok(!line.includes('\n'));
  const report = JSON.parse(line);
  assert.deepEqual(Object.keys(report), ['runId', 'status', 'seconds', 'model', 'gate', 'results']);
  assert.deepEqual(report.model, { name: 'boutique-scaler', version: 3 });
  assert.deepEqual(report.gate, sampleReport.gate);
  assert.deepEqual(report.results, sampleReport.results);
});

test('the JSON report of a run that failed early says why', () => {
  const failure = { code: 'SPEC_INVALID', message: 'train.seeds: empty', step: 'validate' } as const;
  const failed: RunReport = { ...sampleReport, status: 'failed', model: null, gate: null, results: [], failure };
  const report = JSON.parse(renderReportJson(failed));
  assert.equal(report.model, null);
  assert.equal(report.gate, null);
  assert.deepEqual(report.failure, failure);
});

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
