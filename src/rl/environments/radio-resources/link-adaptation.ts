/** Spectral efficiency of CQI 1 … 15 with up to 256QAM, bit/s/Hz (3GPP TS 38.214, table 5.2.2.1-3). */
const BROADBAND_EFFICIENCIES = [
  0.1523, 0.377, 0.877, 1.4766, 1.9141, 2.4063, 2.7305, 3.3223, 3.9023, 4.5234, 5.1152, 5.5547, 6.2266, 6.9141, 7.4063,
] as const;

/** The same for a block error rate of 0.00001 (3GPP TS 38.214, table 5.2.2.1-4). */
const RELIABLE_EFFICIENCIES = [
  0.0586, 0.0977, 0.1523, 0.2344, 0.377, 0.6016, 0.877, 1.1758, 1.4766, 1.9141, 2.4063, 2.7305, 3.3223, 3.9023, 4.5234,
] as const;

/** The highest channel quality indicator. */
export const HIGHEST_CQI = 15;

/**
 * Which modulation and code rate a signal-to-interference-and-noise ratio carries: the largest entry of a CQI table whose
 * efficiency is below log2(1 + SINR / Γ), where Γ = −ln(5 · BER) / 1.5 is the gap of adaptive modulation to Shannon's
 * bound (Goldsmith & Chua, "Variable-rate variable-power MQAM", 1997; as Piro et al. use it in LTE-Sim, 2011).
 */
export class LinkAdaptation {
  /** Efficiency of each CQI, 0 first, bit/s/Hz. */
  readonly efficiencies: Float64Array;
  /** The SINR from which on each CQI 1 … 15 is used. */
  private readonly thresholds: Float64Array;

  constructor(efficiencies: readonly number[], bitErrorRate: number) {
    const gap = -Math.log(5 * bitErrorRate) / 1.5;
    this.efficiencies = Float64Array.of(0, ...efficiencies);
    this.thresholds = Float64Array.from(efficiencies, (efficiency) => gap * (2 ** efficiency - 1));
  }

  /** The channel quality indicator, 0 (nothing can be sent) … 15. @param sinr linear, not dB. */
  cqi(sinr: number): number {
    const { thresholds } = this;
    let cqi = 0;
    while (cqi < HIGHEST_CQI && sinr >= thresholds[cqi]) cqi++;
    return cqi;
  }
}

/** For eMBB and mMTC, at a bit error rate of 5e-5. */
export const broadband = new LinkAdaptation(BROADBAND_EFFICIENCIES, 5e-5);
/** For URLLC, at a bit error rate of 1e-6. */
export const reliable = new LinkAdaptation(RELIABLE_EFFICIENCIES, 1e-6);

/**
 * Bits that one resource block carries in 1 ms at an efficiency of 1: 12 subcarriers × 28 symbols (30 kHz spacing), less
 * 14 % for control and reference signals (3GPP TS 38.306, section 4.1.2).
 */
export const BITS_PER_BLOCK = 12 * 28 * (1 - 0.14);
