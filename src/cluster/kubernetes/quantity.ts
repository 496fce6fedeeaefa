const suffixes: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const format = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?$/;

/**
 * The number that a Kubernetes quantity means: `250m` → 0.25, `64Mi` → 67108864, `1e3` → 1000. NaN for what is none.
 * `E` with digits behind it is a power of ten, without them 10^18, as Kubernetes reads it.
 */
export function parseQuantity(quantity: string | number): number {
  const match = format.exec(String(quantity));
  if (!match) return NaN;
  const [, digits, exponent = '', suffix = ''] = match;
  return Number(`${digits}${exponent}`) * suffixes[suffix];
}

/** Thousandths of a core, rounded up as Kubernetes does. */
export function millicores(quantity: string | number): number {
  return roundUp(parseQuantity(quantity) * 1000);
}

/** Bytes or pieces, rounded up. */
export function wholeNumber(quantity: string | number): number {
  return roundUp(parseQuantity(quantity));
}

/** A product such as 0.29 × 1000 lies a hair above the whole number that is meant. */
function roundUp(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value - nearest) <= 1e-9 * Math.max(1, Math.abs(value)) ? nearest : Math.ceil(value);
}
