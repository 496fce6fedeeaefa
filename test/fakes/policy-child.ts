/** Plays a policy process for tests; the bytes of its policy say which part, as text. */
import type { FromPolicy, ToPolicy } from '../../workers/policy/protocol.ts';

process.once('disconnect', () => process.exit(0));
let part = '';

process.on('message', (message: ToPolicy) => {
  if (message.kind === 'load') {
    part = Buffer.from(message.onnx).toString();
    if (part !== 'never-loads') tell({ kind: 'loaded' });
  } else if (part === 'tells-its-pid' || message.observation[0] === 0) {
    tell({ kind: 'answer', id: message.id, action: [process.pid], memory: new Float32Array(0) });
  } else if (part === 'dies') process.kill(process.pid, 'SIGKILL');
  else if (part === 'hangs') for (;;);
});

function tell(message: FromPolicy): void {
  process.send?.(message);
}
