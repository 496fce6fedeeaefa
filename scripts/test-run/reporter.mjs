// A reporter of node:test for one test file in a process of its own: the spec reporter's text without its closing
// figures on standard output, and what the whole run needs to know, as JSON lines, on file descriptor 3.
import { writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { spec as SpecReporter } from 'node:test/reporters';

const eventsDescriptor = 3;

export default async function* reporter(source) {
  yield* Readable.from(tellAndPassOn(source)).pipe(new SpecReporter());
}

async function* tellAndPassOn(source) {
  for await (const event of source) {
    const { type, data } = event;
    if (type === 'test:pass' || type === 'test:fail') {
      tell({ type, name: data.name, skip: data.skip, todo: data.todo });
    }
    if (type === 'test:summary') tell({ type, counts: data.counts });
    else if (!isClosingFigure(event)) yield event;
  }
}

function isClosingFigure({ type, data }) {
  return (
    type === 'test:diagnostic' &&
    data.nesting === 0 &&
    /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(data.message)
  );
}

function tell(fact) {
  writeSync(eventsDescriptor, `${JSON.stringify(fact)}\n`);
}
