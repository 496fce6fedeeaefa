/**
 * How long workers take to end after SIGTERM, milliseconds. Activities get their grace time, then they are cancelled; a
 * trainer's have until the force time to store a last checkpoint. Who kills a worker (the chart's termination grace
 * period) must wait longer.
 */
export const shutdownTimes = {
  trainer: { shutdownGraceTime: 1_000, shutdownForceTime: 30_000 },
  orchestrator: { shutdownGraceTime: 5_000 },
} as const;
