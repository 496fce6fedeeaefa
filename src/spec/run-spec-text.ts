import { LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { CoxswainError } from '../contracts/errors.ts';
import { findDuplicateName } from './duplicate-name.ts';

/** Largest text of a spec, bytes of UTF-8. */
export const maxSpecBytes = 256 * 1024;

const maxAliases = 50;

/**
 * The value in a text of YAML 1.2 or JSON, not yet checked against the schema. YAML may hold no tags of its own, no
 * directives, one document, and at most 50 aliased nodes.
 * @throws CoxswainError SPEC_INVALID with the line for a syntax error or a name that occurs twice; also for a text above
 * 256 KiB.
 */
export function readRunSpecText(text: string, format: 'yaml' | 'json'): unknown {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxSpecBytes) throw unreadable(`found ${bytes} bytes; allowed: at most ${maxSpecBytes}`);
  return format === 'json' ? readJson(text) : readYaml(text);
}

/** The format that a file's name tells: `.json` is JSON, everything else YAML. */
export function specFormatOf(path: string): 'yaml' | 'json' {
  return /\.json$/i.test(path) ? 'json' : 'yaml';
}

function readJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(`no JSON: ${reasonOf(error)}`, error);
  }
  const duplicate = findDuplicateName(text);
  if (duplicate) throw unreadable(`line ${duplicate.line}: the name "${duplicate.name}" occurs twice in one object`);
  return value;
}

function readYaml(text: string): unknown {
  try {
    const lineCounter = new LineCounter();
    const document = parseDocument(text, {
      version: '1.2',
      schema: 'core',
      uniqueKeys: true,
      stringKeys: true,
      prettyErrors: false,
      lineCounter,
    });
    assertPlain(document, lineCounter);
    return document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    if (error instanceof CoxswainError) throw error;
    throw unreadable(`YAML that cannot be read: ${reasonOf(error)}`, error);
  }
}

function assertPlain(document: Document.Parsed, lineCounter: LineCounter): void {
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) throw unreadable(`line ${lineCounter.linePos(problem.pos[0]).line}: ${problem.message}`, problem);
  if (document.directives.yaml.explicit) throw unreadable('a %YAML directive is not allowed; the text is YAML 1.2');
}

function reasonOf(error: unknown): string {
  return error instanceof RangeError ? 'too deeply nested' : String(error instanceof Error ? error.message : error);
}

function unreadable(message: string, cause?: unknown): CoxswainError {
  return new CoxswainError('SPEC_INVALID', `the spec: ${message}`, { cause, details: [] });
}
