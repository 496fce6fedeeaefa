/** Plays a numeric child for tests; the job's `spec.name` says which part. */
const part = (message: { job?: { spec: { name: string } } }): string => message.job?.spec.name ?? '';
process.once('disconnect', () => process.exit(0));
let stored = (): void => {};

process.on('message', (message: { kind: string; job?: { spec: { name: string } } }) => {
  if (message.kind === 'stored') return stored();
  if (message.kind === 'stop') {
    if (behaviour !== 'deaf') process.send!({ kind: 'done', outcome: { status: 'cancelled' } });
    return;
  }
  behaviour = part(message);
  play(message);
});
let behaviour = '';
process.send!({ kind: 'ready' });

function play(message: object): void {
  if (behaviour === 'echo') process.send!({ kind: 'done', outcome: { status: 'completed', echoed: message } });
  else if (behaviour === 'environment')
    process.send!({ kind: 'done', outcome: { status: 'completed', environment: process.env } });
  else if (behaviour === 'fail') process.send!({ kind: 'failed', code: 'TRAINING_DIVERGED', message: 'NaN at step 3' });
  else if (behaviour === 'die') process.stderr.write('out of memory\n', () => process.kill(process.pid, 'SIGKILL'));
  else if (behaviour === 'checkpoint') checkpointThenFinish();
  else
    setInterval(() => process.send!({ kind: 'point', point: { series: 'train', step: process.pid, values: {} } }), 20);
}

/** Ends only once it is told that the checkpoint is stored. */
function checkpointThenFinish(): void {
  stored = () => process.send!({ kind: 'done', outcome: { status: 'completed' } });
  process.send!({ kind: 'checkpoint', step: 5, bytes: Uint8Array.of(1, 2, 3) });
}
