import type { Json, TestApi } from './support.js';

/** One operation as the document declares it. */
export interface Operation {
  /** `GET /jobs/{id}`, below the base path where it lies there. */
  key: string;
  method: string;
  /** With its placeholders. */
  path: string;
  /** Placeholders that name a thing. */
  idParameters: string[];
  /** Query parameters that name a thing. */
  idQueries: string[];
  /** Members of a JSON body that name a thing, as `music.assetId`. */
  bodyIds: string[];
  headers: string[];
  parameters: Parameter[];
  /** Schemas of its bodies, by content type. */
  bodies: Record<string, Json>;
  needsToken: boolean;
  statuses: number[];
  summary: string;
  tags: string[];
  hasBody: boolean;
  hasJsonBody: boolean;
}

/** Its schema stands for itself, without references. */
export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: Json;
}

/** All operations of the served document. */
export async function readOperations(api: TestApi): Promise<Operation[]> {
  const document = (await api.call('/openapi.json')).json;
  return Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, operation]) => {
      const parameters: Json[] = operation.parameters ?? [];
      const named = (place: string) => parameters.filter((one) => one.in === place);
      const body = operation.requestBody?.content?.['application/json']?.schema;
      return {
        key: `${method.toUpperCase()} ${path.replace('/api/v1', '')}`,
        method: method.toUpperCase(),
        path,
        idParameters: [...path.matchAll(/{(\w*[iI]d)}/g)].map(([, name]) => name ?? ''),
        idQueries: named('query')
          .filter((one) => isId(one.schema))
          .map((one) => one.name),
        bodyIds: [...new Set(idsIn(body, document, []))].toSorted(),
        parameters: parameters.map((one) => ({ ...one, schema: inFull(one.schema, document) })),
        bodies: Object.fromEntries(
          Object.entries<Json>(operation.requestBody?.content ?? {}).map(([type, content]) => [
            type,
            inFull(content.schema, document),
          ]),
        ),
        headers: named('header').map((one) => String(one.name).toLowerCase()),
        needsToken: (operation.security ?? []).length > 0,
        statuses: Object.keys(operation.responses).map(Number),
        summary: operation.summary ?? '',
        tags: operation.tags ?? [],
        hasBody: operation.requestBody !== undefined,
        hasJsonBody: body !== undefined,
      };
    }),
  );
}

/** A schema with what it refers to in place of each reference; no schema of ours holds itself. */
function inFull(schema: Json, document: Json): Json {
  if (Array.isArray(schema)) return schema.map((one) => inFull(one, document));
  if (typeof schema !== 'object' || schema === null) return schema;
  if (typeof schema.$ref === 'string') {
    return inFull(document.components.schemas[schema.$ref.split('/').at(-1) ?? ''], document);
  }
  return Object.fromEntries(
    Object.entries<Json>(schema).map(([name, member]) => [name, inFull(member, document)]),
  );
}

function isId(schema: Json): boolean {
  const alternatives: Json[] = schema?.anyOf ?? schema?.oneOf ?? [];
  return schema?.format === 'uuid' || alternatives.some(isId);
}

/** Paths of all members that are UUIDs, through references, alternatives and lists. */
function idsIn(schema: Json, document: Json, path: string[]): string[] {
  if (schema === undefined || path.length > 6) return [];
  if (schema.$ref !== undefined) {
    const name = String(schema.$ref).split('/').at(-1) ?? '';
    return idsIn(document.components.schemas[name], document, path);
  }
  if (schema.format === 'uuid') return [path.join('.')];
  const within: Json[] = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [
    ...within.flatMap((one) => idsIn(one, document, path)),
    ...Object.entries<Json>(schema.properties ?? {}).flatMap(([name, one]) =>
      idsIn(one, document, [...path, name]),
    ),
    ...(schema.items === undefined ? [] : idsIn(schema.items, document, [...path, '0'])),
  ];
}
