import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buildASTSchema, extendSchema, parse } from 'graphql';
import type { GraphQLSchema } from 'graphql';

/**
 * W&B's GraphQL schema, rebuilt from the type declarations that W&B publishes in `@wandb/sdk`, so that a stand-in server
 * refuses what the real one would: unknown fields, arguments and types. The declarations are generated, hence regular.
 */
export function wandbSchema(): GraphQLSchema {
  schema ??= readSchema();
  return schema;
}

let schema: GraphQLSchema | null = null;

function readSchema(): GraphQLSchema {
  const path = join(
    dirname(createRequire(import.meta.url).resolve('@wandb/sdk/package.json')),
    'dist/gql/graphql.d.ts',
  );
  const published = buildASTSchema(parse(schemaLanguage(readFileSync(path, 'utf8'))), { assumeValidSDL: true });
  return extendSchema(published, parse(newerFields));
}

/** What W&B's own client of 2026 asks for and the published declarations do not know yet. */
const newerFields = `
  extend type Mutation {
    createRunFiles(input: CreateRunFilesInput!): CreateRunFilesPayload
  }
  input CreateRunFilesInput { entityName: String! projectName: String! runName: String! files: [String!]! }
  type CreateRunFilesPayload { runID: ID! uploadHeaders: [String!]! files: [CreatedRunFile!]! }
  type CreatedRunFile { name: String! uploadUrl: String }
  extend input CreateArtifactInput { storageRegion: String ttlDurationSeconds: Int64 }
  extend input CreateArtifactFileSpecInput { uploadPartsInput: [UploadPartsInput!] }
  input UploadPartsInput { partNumber: Int! hexMD5: String! }
  extend type Project {
    internalId: ID
    artifactCollectionMembership(name: String!): ArtifactCollectionMembership
  }
  extend type ArtifactCollectionMembership {
    files(first: Int, after: String): FileConnection
  }
  extend type Artifact { ttlDurationSeconds: Int64 ttlIsInherited: Boolean tags: [Tag!] }
  extend type ServerInfo { features: [ServerFeature!]! }
  type ServerFeature { name: String! isEnabled: Boolean! }
  extend type Entity { xxhashDigestsEnabled: Boolean }
  extend type ArtifactSequence { digestAlgorithm: String }
  extend type File { uploadMultipartUrls: MultipartUrls }
  type MultipartUrls { uploadID: String! uploadUrlParts: [MultipartUrl!]! }
  type MultipartUrl { partNumber: Int! uploadUrl: String! }
`;

interface Declaration {
  readonly name: string;
  readonly interfaces: readonly string[];
  readonly fields: readonly (readonly [name: string, type: string])[];
}

function schemaLanguage(declarations: string): string {
  const source = declarations.split(/export type \w+(?:Query|Mutation)Variables = /)[0].replace(/\/\*\*.*?\*\//gs, '');
  const enums = [...source.matchAll(/export declare enum (\w+) \{(.*?)\n\}/gs)].map(
    ([, name, body]) => `enum ${name} { ${[...body.matchAll(/"(\w+)"/g)].map(([, value]) => value).join(' ')} }`,
  );
  const scalars = [...source.matchAll(/^ {4}(\w+): any;$/gm)].map(([, name]) => `scalar ${name}`);
  const unions = [...source.matchAll(/export type (\w+) = (\w+(?: \| \w+)*);/g)].map(
    ([, name, members]) => `union ${name} = ${members}`,
  );
  const types = [...source.matchAll(/export type (\w+) = ((?:\w+ & )*)\{\n(.*?)\n\};/gs)].map(declarationOf);
  const args = new Map(types.filter(({ name }) => name.endsWith('Args')).map((type) => [type.name, type]));
  const named = types.filter(({ name }) => !name.endsWith('Args') && name !== 'Scalars');
  const inputs = inputNames(types);
  return [...scalars, ...enums, ...unions, ...named.map((type) => typeDefinition(type, args, inputs))].join('\n');
}

/** Names of what may be given as an argument: named so, or part of an argument, at any depth. */
function inputNames(types: readonly Declaration[]): ReadonlySet<string> {
  const inputs = new Set(types.map(({ name }) => name).filter((name) => /(?:Args|Input)$/.test(name)));
  for (const name of inputs)
    for (const [, type] of types.find((other) => other.name === name)?.fields ?? [])
      inputs.add(typeOf(type).replace(/[[\]!]/g, ''));
  return inputs;
}

function declarationOf([, name, interfaces, body]: RegExpExecArray): Declaration {
  const fields = [...body.matchAll(/^ {4}(\w+)\??: (.*);$/gm)].map(([, field, type]) => [field, type] as const);
  return { name, interfaces: interfaces.split(' & ').filter((part) => part !== ''), fields };
}

function typeDefinition(
  { name, interfaces, fields }: Declaration,
  args: ReadonlyMap<string, Declaration>,
  inputs: ReadonlySet<string>,
): string {
  const isObject = fields.some(([field]) => field === '__typename');
  const kind = isObject ? 'type' : inputs.has(name) ? 'input' : 'interface';
  const lines = fields
    .filter(([field]) => field !== '__typename')
    .map(([field, type]) => `${field}${argumentsOf(args.get(`${name}${capitalised(field)}Args`))}: ${typeOf(type)}`);
  const implemented = interfaces.length > 0 ? ` implements ${interfaces.join(' & ')}` : '';
  return `${kind} ${name}${implemented} { ${lines.join('\n')} }`;
}

function argumentsOf(declaration: Declaration | undefined): string {
  if (declaration === undefined) return '';
  return `(${declaration.fields.map(([name, type]) => `${name}: ${typeOf(type)}`).join(', ')})`;
}

/** `Maybe<Array<Scalars['ID']>>` is `[ID!]`. */
function typeOf(type: string): string {
  const optional = /^(?:Input)?Maybe<(.*)>$/.exec(type)?.[1];
  const inner = optional ?? type;
  const element = /^Array<(.*)>$/.exec(inner)?.[1];
  const name = element === undefined ? inner.replace(/^Scalars\['(\w+)'\]$/, '$1') : `[${typeOf(element)}]`;
  return optional === undefined ? `${name}!` : name;
}

function capitalised(name: string): string {
  return name[0].toUpperCase() + name.slice(1);
}
