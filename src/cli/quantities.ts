const noBreakSpace = '\u00A0';

/** A whole number with its thousands apart: `12 345`. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return withSign(value, String(Math.round(Math.abs(value))).replace(/\B(?=(\d{3})+$)/g, noBreakSpace));
}

/** A number with `digits` digits after the point, thousands apart; `–` when it is not finite. */
export function formatFixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return '–';
  const [whole, decimals] = Math.abs(value).toFixed(digits).split('.');
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, noBreakSpace);
  return withSign(value, decimals === undefined ? spaced : `${spaced}.${decimals}`);
}

/** Digits after the point that show `significant` digits of the value, none for large numbers. */
export function decimalsFor(value: number, significant: number): number {
  if (!Number.isFinite(value) || value === 0) return 0;
  return Math.min(Math.max(significant - 1 - Math.floor(Math.log10(Math.abs(value))), 0), 6);
}

/** A relative difference (fraction) as per cent with its sign: `+3.1 %`. */
export function formatRelative(fraction: number): string {
  if (!Number.isFinite(fraction)) return '–';
  const percent = fraction * 100;
  const text = formatFixed(percent, Math.abs(percent) < 100 ? 1 : 0);
  return percent > 0 && /[1-9]/.test(text) ? `+${text} %` : `${text} %`;
}

/** A duration for people: `8 s`, `3 min 42 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.max(Math.round(seconds), 0);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return twoUnits(whole, 60, 'min', 's');
  if (whole < 86_400) return twoUnits(Math.round(whole / 60), 60, 'h', 'min');
  return twoUnits(Math.round(whole / 3600), 24, 'd', 'h');
}

function twoUnits(value: number, size: number, large: string, small: string): string {
  const rest = value % size;
  const head = `${Math.floor(value / size)} ${large}`;
  return rest === 0 ? head : `${head} ${rest} ${small}`;
}

function withSign(value: number, text: string): string {
  return value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
}
