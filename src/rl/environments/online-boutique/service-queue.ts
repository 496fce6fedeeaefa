/**
 * A service as a queue whose mean number in system follows the pointwise stationary fluid flow approximation (Wang,
 * Tipper & Banerjee, "A new approximation for modeling nonstationary queues", 1996): x′ = λ − m·μ·G(x), with G the
 * inverse of the stationary queue x = F(ρ). F is that of M/G/m after Sakasegawa ("An approximation formula
 * Lq ≈ α·ρ^β/(1 − ρ)", 1977): F(ρ) = m·ρ + K·ρ^s/(1 − ρ), s = √(2(m + 1)), K = (1 + scv)/2.
 *
 * One implicit Euler step of length Δ solves F(ρ) + C·ρ = Y, where C = m·μ·Δ are the calls that m busy servers finish
 * in Δ, and Y the calls in the system before the step with those that arrive in it. C·ρ of them are served, F(ρ) stay.
 * ρ < 1 always, also when Y is far above C: then the queue carries the rest over.
 */

/** s of Sakasegawa's formula. */
export function queueExponent(servers: number): number {
  return Math.sqrt(2 * (servers + 1));
}

/** The utilisation and the waiting calls of a queue after a step; reused from call to call. */
export interface QueueSolution {
  /** ρ, 0 … 1. */
  utilisation: number;
  /** Waiting calls over ρ, K·ρ^(s−1)/(1 − ρ): the mean wait is this over m·μ. */
  waitingRatio: number;
}

/**
 * Solves F(ρ) + capacity·ρ = content within 0.3 %: the closed form for a heavily loaded queue (ρ^s ≈ 1 − s·(1 − ρ)),
 * then one Newton step.
 * @param content Y, calls; ≥ 0.
 * @param servers m, > 0.
 * @param capacity C, calls.
 */
export function solveQueue(
  content: number,
  servers: number,
  capacity: number,
  exponent: number,
  scale: number,
  solution: QueueSolution,
): void {
  if (content <= 0) {
    solution.utilisation = 0;
    solution.waitingRatio = 0;
    return;
  }
  const a = servers + capacity;
  let rho = content / a;
  if (rho > 0.5) {
    const b = content + scale * exponent - a;
    const root = Math.sqrt(b * b + 4 * a * scale);
    // Of the two forms of the quadratic's root the one without cancellation.
    const idle = b > 0 ? (2 * scale) / (b + root) : (root - b) / (2 * a);
    rho = idle < 1 ? 1 - idle : 0.5;
  }
  const power = Math.pow(rho, exponent - 1);
  const value = a * rho * (1 - rho) + scale * power * rho - content * (1 - rho);
  const slope = a * (1 - 2 * rho) + scale * exponent * power + content;
  const step = value / slope;
  const next = Math.min(MAX_UTILISATION, Math.max(0, rho - step));
  // ρ^(s−1) at the corrected ρ by its tangent: the step is at most some percent of ρ.
  const corrected = Math.max(0, power * (1 - ((exponent - 1) * step) / rho));
  solution.utilisation = next;
  solution.waitingRatio = (scale * corrected) / (1 - next);
}

const MAX_UTILISATION = 1 - 1e-12;
