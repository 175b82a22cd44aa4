// Makes src/api/schema.d.ts from src/api/openapi.json, which is the API's own description (`make types`).
import { readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const at = (name) => new URL(`src/api/${name}`, import.meta.url);

/** The types of what the API takes and gives, as the text of schema.d.ts. */
export async function schema() {
  const { openapi, info, components } = JSON.parse(readFileSync(at('openapi.json'), 'utf8'));
  const ast = await openapiTS({ openapi, info, paths: {}, components: { schemas: components.schemas } }, { rootTypes: true, rootTypesNoSchemaPrefix: true });
  return `// Made from openapi.json by \`make types\`: do not edit.\n${astToString(ast)}`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) writeFileSync(at('schema.d.ts'), await schema());
