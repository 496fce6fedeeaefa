/** Colours of the terminal output by meaning. */
export type Tone = 'good' | 'bad' | 'warning' | 'active' | 'faint' | 'strong';

/** Marks a text with a tone, or leaves it as it is when colours are off. */
export type Paint = (tone: Tone, text: string) => string;

const codes: Readonly<Record<Tone, readonly [number, number]>> = {
  good: [32, 39],
  bad: [31, 39],
  warning: [33, 39],
  active: [36, 39],
  faint: [2, 22],
  strong: [1, 22],
};

/** A {@link Paint} with ANSI colours, or one that changes nothing. */
export function createPaint(color: boolean): Paint {
  if (!color) return (_tone, text) => text;
  return (tone, text) => (text === '' ? '' : `\u001B[${codes[tone][0]}m${text}\u001B[${codes[tone][1]}m`);
}

/**
 * The text on one line and without control characters. Summaries and messages carry names that somebody else chose (file
 * names, descriptions); a terminal would obey escape sequences in them.
 */
export function plainText(text: string): string {
  return text.replace(/[\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]+/g, ' ').trim();
}

/** The text cut to `width` characters; the last one is `…` when something was cut. */
export function fit(text: string, width: number): string {
  const characters = [...text];
  if (characters.length <= width) return text;
  return width < 1 ? '' : `${characters.slice(0, width - 1).join('')}…`;
}

/** The text broken at spaces into lines of at most `width` characters, each after `indent`. A longer word stays whole. */
export function wrap(text: string, width: number, indent = ''): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/ +/).filter((part) => part !== '')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && indent.length + longer.length > width) {
      lines.push(indent + line);
      line = word;
    } else line = longer;
  }
  return line === '' ? lines : [...lines, indent + line];
}

/** A bar of `width` characters, `fraction` (0 … 1) of it filled. */
export function bar(fraction: number, width: number): string {
  const share = Number.isFinite(fraction) ? Math.min(Math.max(fraction, 0), 1) : 0;
  const filled = Math.round(share * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}
