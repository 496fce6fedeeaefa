import { createHash } from 'node:crypto';
import { errorTable } from '../contracts/errors.ts';
import { fieldsTable, typeOf } from './docs-schema.ts';
import { docsStyle } from './docs-style.ts';
import { Html, html, prose } from './html.ts';
import type { OpenApiDocument, OpenApiOperation, OpenApiParameter } from './openapi.ts';

/** The page and the policy that it needs. */
export interface DocsPage {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

interface Entry {
  readonly method: string;
  readonly path: string;
  readonly operation: OpenApiOperation;
}

/** The OpenAPI document as one page for people: no script, nothing from outside. */
export function docsPage(document: OpenApiDocument): DocsPage {
  const styleHash = createHash('sha256').update(docsStyle).digest('base64');
  const entries = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Entry => ({ method, path, operation })),
  );
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${document.info.title}</title>
        ${new Html(`<style>${docsStyle}</style>`)}
      </head>
      <body>
        ${navigation(document, entries)}
        <main>
          <header id="top">
            <h1>${document.info.title} <span class="version">${document.info.version}</span></h1>
            <p>${prose(document.info.description)}</p>
            <p>
              Machine-readable: <a href="/openapi.json">/openapi.json</a> (OpenAPI ${document.openapi}). Calls marked
              <span class="lock">token</span> need <code>Authorization: Bearer …</code> when COXSWAIN_API_TOKEN is set.
            </p>
          </header>
          ${document.tags.map((tag) => tagSection(tag, entries))} ${schemasSection(document)} ${errorsSection()}
        </main>
      </body>
    </html>`;
  return {
    html: page.text,
    contentSecurityPolicy: `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  };
}

function navigation(document: OpenApiDocument, entries: readonly Entry[]): Html {
  return html`<nav>
    <a class="brand" href="#top">Coxswain</a>
    ${document.tags.map(
      ({ name }) =>
        html`<h2>${name}</h2>
          <ul>
            ${taggedWith(name, entries).map(
              ({ method, operation }) =>
                html`<li>
                  <a href="#${operation.operationId}"><span class="dot ${method}"></span>${operation.summary}</a>
                </li>`,
            )}
          </ul>`,
    )}
    <h2>Reference</h2>
    <ul>
      <li><a href="#schemas">Schemas</a></li>
      <li><a href="#errors">Errors</a></li>
    </ul>
  </nav>`;
}

function tagSection(tag: OpenApiDocument['tags'][number], entries: readonly Entry[]): Html {
  return html`<section>
    <h2>${tag.name}</h2>
    <p>${tag.description}</p>
    ${taggedWith(tag.name, entries).map(operationSection)}
  </section>`;
}

function taggedWith(tag: string, entries: readonly Entry[]): readonly Entry[] {
  return entries.filter(({ operation }) => operation.tags.includes(tag));
}

function operationSection({ method, path, operation }: Entry): Html {
  const { operationId, summary, description, security, parameters, requestBody, responses } = operation;
  const events = operation['x-events'];
  const locks = security.flatMap((requirement) => Object.keys(requirement));
  return html`<article id="${operationId}">
    <h3>
      <span class="method ${method}">${method.toUpperCase()}</span> <code class="path">${path}</code>
      ${locks.map((lock) => html`<span class="lock">${lock}</span>`)}
    </h3>
    <p><strong>${summary}.</strong> ${description && prose(description)}</p>
    ${parameters.length > 0 && parameterTable(parameters)}
    ${
      requestBody &&
      html`<h4>Body</h4>
        <p>
          ${prose(requestBody.description)} Schema: ${typeOf(Object.values(requestBody.content)[0].schema)}; as
          ${Object.keys(requestBody.content).join(' or ')}.
        </p>`
    }
    <h4>Answers</h4>
    <table>
      <tbody>
        ${Object.entries(responses).map(
          ([status, response]) =>
            html`<tr>
              <td class="status"><span class="${Number(status) < 400 ? 'good' : 'bad'}">${status}</span></td>
              <td>${Number(status) < 400 ? prose(response.description) : codeLinks(response.description)}</td>
              <td>${contentOf(response.content)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${events && eventTable(events)}
    <pre><code>${curlOf(method, path, operation)}</code></pre>
  </article>`;
}

function eventTable(events: NonNullable<OpenApiOperation['x-events']>): Html {
  return html`<h4>Events</h4>
    <table>
      <tbody>
        ${Object.entries(events).map(
          ([name, schema]) =>
            html`<tr>
              <td class="name"><code>${name}</code></td>
              <td>${typeOf(schema)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`;
}

function contentOf(content: OpenApiOperation['responses'][string]['content']): Html[] {
  return Object.entries(content ?? {}).map(([type, { schema }]) =>
    schema.$ref ? typeOf(schema) : html`<span class="faint">${type}</span>`,
  );
}

function codeLinks(codes: string): Html[] {
  return codes.split(', ').map((code) => html`<a href="#${code}"><code>${code}</code></a> `);
}

function parameterTable(parameters: readonly OpenApiParameter[]): Html {
  return html`<h4>Parameters</h4>
    <table>
      <tbody>
        ${parameters.map(
          ({ name, in: place, required, description, schema }) =>
            html`<tr>
              <td class="name"><code>${name}</code>${!required && html` <span class="faint">optional</span>`}</td>
              <td><span class="faint">${place}</span> ${typeOf(schema)}</td>
              <td>${description && prose(description)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`;
}

/** A call to copy. */
function curlOf(method: string, path: string, { requestBody, security }: OpenApiOperation): string {
  const url = `http://127.0.0.1:8230${path.replace('{id}', 'nightly-2026-03-01').replace('{name}', 'online-boutique')}`;
  const token = security.some((requirement) => 'token' in requirement)
    ? ['-H "Authorization: Bearer $COXSWAIN_API_TOKEN"']
    : [];
  const body = requestBody ? ["-H 'Content-Type: application/yaml'", '--data-binary @pipeline.yaml'] : [];
  const stream = path.endsWith('/events') ? ['--no-buffer'] : [];
  const verb = method === 'post' && !requestBody ? ['-X POST'] : [];
  return [`curl ${[...verb, ...stream, url].join(' ')}`, ...token, ...body].join(' \\\n  ');
}

function schemasSection({ components }: OpenApiDocument): Html {
  return html`<section id="schemas">
    <h2>Schemas</h2>
    ${Object.entries(components.schemas).map(
      ([name, schema]) =>
        html`<article id="schema-${name}">
          <h3>${name}</h3>
          ${typeof schema.description === 'string' && html`<p>${prose(schema.description)}</p>`}
          ${fieldsTable(schema) ?? html`<p>${typeOf(schema)}</p>`}
        </article>`,
    )}
  </section>`;
}

function errorsSection(): Html {
  return html`<section id="errors">
    <h2>Errors</h2>
    <p>Every failure is a <a href="#schema-Problem">problem document</a> with one of these codes.</p>
    <table>
      <tbody>
        ${Object.entries(errorTable).map(
          ([code, { status, help }]) =>
            html`<tr id="${code}">
              <td class="name"><code>${code}</code></td>
              <td class="status"><span class="bad">${status}</span></td>
              <td>${prose(help)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}
