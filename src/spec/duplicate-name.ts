/** A name that occurs twice in one object of a JSON text, with its line. */
export interface DuplicateName {
  readonly name: string;
  readonly line: number;
}

/** The first name that occurs twice in an object, or null. JSON.parse would silently keep the last. @param json valid JSON */
export function findDuplicateName(json: string): DuplicateName | null {
  const open: (Set<string> | null)[] = [];
  let line = 1;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]\n]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token.startsWith('"') && token.endsWith(':')) {
      const name = nameOf(token);
      if (open.at(-1)?.has(name)) return { name, line };
      open.at(-1)?.add(name);
    }
    line += token.split('\n').length - 1;
  }
  return null;
}

function nameOf(token: string): string {
  return String(JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)));
}
