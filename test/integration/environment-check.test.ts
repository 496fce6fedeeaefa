import assert from 'node:assert/strict';
import test from 'node:test';
import { checkEnvironment } from '../../src/rl/environment-check/check-environment.ts';
import { environments } from '../../src/rl/environments/index.ts';

for (const kind of Object.values(environments)) {
  test(`${kind.name} keeps the contract, and the lint finds nothing but what its registration explains`, (t) => {
    const { violations, findings, rules, microsecondsPerStep } = checkEnvironment(kind);
    assert.deepEqual(violations, []);
    assert.deepEqual(
      findings.filter(({ accepted }) => accepted === null),
      [],
    );
    assert.ok(rules.length >= 7);
    for (const { kind: found, where } of kind.acceptedFindings ?? []) {
      const isMet = (seen: typeof findings): boolean =>
        seen.some((finding) => finding.kind === found && where.test(finding.where));
      // What depends on luck may show with another seed.
      const met = isMet(findings) || isMet(checkEnvironment(kind, { seed: 2 }).findings);
      assert.ok(met, `${found} at ${where.source} is accepted, but is not found any more: take it out`);
    }
    t.diagnostic(`${microsecondsPerStep?.toFixed(1)} µs a step`);
  });
}
