/** Plays a worker that asks a policy once, says the pid of the policy's process, and stays. */
import { fileURLToPath } from 'node:url';
import { createPolicyProcesses } from '../../workers/policy/policy-processes.ts';

const policies = createPolicyProcesses({
  environment: {},
  load: async () => Buffer.from('tells-its-pid'),
  program: fileURLToPath(new URL('./policy-child.ts', import.meta.url)),
});
const { action } = await policies.ask({
  deployment: 'shop',
  policy: { sha256: 'a', bytes: 1 },
  observation: new Float32Array(1),
  mask: null,
  memory: new Float32Array(0),
});
process.send?.(action[0]);
setInterval(() => {}, 1000);
