/** Text that is HTML already; everything else is escaped by {@link html}. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | readonly Part[] | null | undefined | false;

/** Template tag: what is filled in is escaped unless it is {@link Html}; lists are joined, null and false leave nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.map((text, index) => text + (index < parts.length ? render(parts[index]) : '')).join(''));
}

/** Text whose `backticked` parts become code. */
export function prose(text: string): Html {
  return new Html(render(text).replace(/`([^`]+)`/g, '<code>$1</code>'));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function render(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'string' || typeof part === 'number')
    return String(part).replace(/[&<>"']/g, (sign) => entities[sign]);
  return part.map(render).join('');
}
