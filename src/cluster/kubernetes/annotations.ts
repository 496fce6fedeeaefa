import type { ApiObject } from './api-objects.ts';

/** True when the object carries the annotation, with whatever value. */
export function hasAnnotation({ metadata }: ApiObject, name: string): boolean {
  return metadata.annotations?.[name] !== undefined;
}

/** What we kept in an annotation; undefined when it is not there, null when it says that there was nothing. */
export function annotationOf<T>({ metadata }: ApiObject, name: string): T | null | undefined {
  const text = metadata.annotations?.[name];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T | null;
  } catch {
    // Somebody edited it: what there was before is lost, and nothing is the default.
    return null;
  }
}

export function withAnnotation<T extends ApiObject>(object: T, name: string, value: string): T {
  const annotations = { ...object.metadata.annotations, [name]: value };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** Without the annotation, and without an empty set of them. */
export function withoutAnnotation<T extends ApiObject>(object: T, name: string): T {
  const { annotations: { [name]: _gone, ...rest } = {}, ...metadata } = object.metadata;
  const kept = Object.keys(rest).length === 0 ? metadata : { ...metadata, annotations: rest };
  return { ...object, metadata: kept };
}
