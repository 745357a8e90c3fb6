import { counted } from '../../logging/counted.ts';
import type { FileRegistry } from '../../registry/file-registry.ts';
import { RegistryError } from '../../registry/file-registry.ts';
import { jsonBody, textBody } from '../bodies.ts';
import { listing, listOf } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { ManagementError, notFound } from '../management-error.ts';
import { maskedContent, maskedParameter, maskedParameters } from '../masking.ts';
import { resource } from '../resource.ts';
import { COUNT, MESSAGE, object, TEXT } from '../schemas.ts';
import { mayAct } from '../security/caller.ts';

const PREFIXES: Readonly<Record<string, string>> = { governance: 'gov:', config: 'conf:', local: 'local:' };
const MAX_RESOURCE_BYTES = 4 * 1024 * 1024;
const CONTENT_TYPES = [
  'text/plain',
  'application/xml',
  'text/xml',
  'application/json',
  'application/octet-stream',
  'text/html',
  'text/css',
  'application/javascript',
];
const PATH = {
  type: 'string',
  required: true,
  maxLength: 1000,
  description: 'registry/governance/…, registry/config/… or registry/local/…',
} as const;
const ROW = object(
  { name: TEXT, mediaType: TEXT },
  { properties: { type: 'array' }, files: { type: 'array' }, bytes: COUNT },
);

/** `GET /management/registry-resources` (spec proxies 8.2): what a folder of the registry has, with `expand` all that is below it. */
export const readRegistry = resource({
  method: 'GET',
  path: '/management/registry-resources',
  role: 'viewer',
  summary: 'What is in a folder of the registry',
  tag: 'registry',
  query: {
    path: { type: 'string', default: 'registry', maxLength: 1000 },
    expand: { type: 'boolean', default: false },
    searchKey: { type: 'string' },
  },
  answers: { 200: { anyOf: [listOf(ROW), ROW] }, 404: { type: 'object' } },
  answer({ query: { path, expand, searchKey } }, { registry }) {
    const folder = folderOf(path);
    const below = registry.list().filter((entry) => folder === '' || entry.path.startsWith(`${folder}/`));
    if (below.length === 0 && folder !== '' && !Object.hasOwn(PREFIXES, folder))
      throw notFound(`Can not find the registry directory: ${path}`, path, foldersOf(registry));
    if (expand) return { status: 200, body: tree(path.split('/').at(-1) ?? '', folder, below, registry) };
    const wanted = searchKey?.trim().toLowerCase() ?? '';
    const children = childrenOf(folder, below, registry).filter(({ name }) => name.toLowerCase().includes(wanted));
    return { status: 200, body: listing(children) };
  },
});

/** `GET /management/registry-resources/content`: a text, up to what the registry takes; those who may not change it see no secrets in it. */
export const readContent = resource({
  method: 'GET',
  path: '/management/registry-resources/content',
  role: 'viewer',
  summary: 'The content of a resource',
  tag: 'registry',
  query: { path: PATH },
  answers: { 200: { media: 'text/plain' }, 404: { type: 'object' } },
  answer({ query: { path }, caller }, { registry }) {
    const text = registry.text(keyOf(path));
    if (text === undefined) throw missing(path, registry);
    const shown = mayAct(caller, 'operator') ? text : maskedContent(path.split('/').at(-1) ?? '', text);
    return { status: 200, type: 'text/plain', text: shown };
  },
});

function writes(method: 'POST' | 'PUT') {
  const creates = method === 'POST';
  return resource({
    method,
    path: '/management/registry-resources/content',
    role: 'operator',
    summary: creates ? 'Makes a resource' : 'Changes the content of a resource',
    tag: 'registry',
    query: { path: PATH, mediaType: { type: 'string', maxLength: 100 } },
    body: textBody(CONTENT_TYPES, { maximumBytes: MAX_RESOURCE_BYTES }),
    answers: { 200: MESSAGE, 404: { type: 'object' }, 409: { type: 'object' } },
    async answer({ query: { path }, body, audit }, { registry }) {
      audit({
        type: 'registry_resource',
        action: creates ? 'created' : 'updated',
        name: path,
        detail: counted(body.length, 'character'),
      });
      const key = keyOf(path);
      const exists = registry.text(key) !== undefined;
      if (creates && exists) throw new ManagementError(409, `The registry resource ${path} exists already`);
      if (!creates && !exists) throw missing(path, registry);
      guarded(() => registry.store(key, body));
      const done = creates ? 'added the resource' : 'modified the resource';
      return { status: 200, body: { Message: `Successfully ${done} in registry/${pathOf(key)}` } };
    },
  });
}

export const addContent = writes('POST');
export const changeContent = writes('PUT');

/** `DELETE /management/registry-resources/content`. */
export const removeContent = resource({
  method: 'DELETE',
  path: '/management/registry-resources/content',
  role: 'operator',
  summary: 'Removes a resource',
  tag: 'registry',
  query: { path: PATH },
  answers: { 200: MESSAGE, 404: { type: 'object' }, 409: { type: 'object' } },
  answer({ query: { path }, audit }, { registry }) {
    audit({ type: 'registry_resource', action: 'deleted', name: path });
    const key = keyOf(path);
    if (registry.text(key) === undefined) throw missing(path, registry);
    if (!guarded(() => registry.remove(key)))
      throw new ManagementError(409, `The registry resource ${path} belongs to a Carbon application`);
    return { status: 200, body: { Message: `Successfully deleted the resource in registry/${pathOf(key)}` } };
  },
});

/** `GET /management/registry-resources/metadata`. */
export const readMetadata = resource({
  method: 'GET',
  path: '/management/registry-resources/metadata',
  role: 'viewer',
  summary: 'Name and media type of a resource',
  tag: 'registry',
  query: { path: PATH },
  answers: { 200: ROW, 404: { type: 'object' } },
  answer({ query: { path } }, { registry }) {
    const key = keyOf(path);
    const text = registry.text(key);
    if (text === undefined) throw missing(path, registry);
    return {
      status: 200,
      body: { name: path.split('/').at(-1) ?? '', mediaType: mediaTypeOf(path), bytes: Buffer.byteLength(text) },
    };
  },
});

/** `GET /management/registry-resources/properties`: all, or the one with a name. */
export const readProperties = resource({
  method: 'GET',
  path: '/management/registry-resources/properties',
  role: 'viewer',
  summary: 'Properties of a resource',
  tag: 'registry',
  query: { path: PATH, name: { type: 'string' } },
  answers: {
    200: { anyOf: [listOf(object({ name: TEXT, value: TEXT })), { type: 'object' }] },
    404: { type: 'object' },
  },
  answer({ query: { path, name }, caller }, { registry }) {
    const found = registry.properties(keyOf(path));
    if (!found) throw missing(path, registry);
    const properties = mayAct(caller, 'operator') ? found : maskedParameters(new Map(Object.entries(found)));
    if (name === undefined)
      return { status: 200, body: listing(Object.entries(properties).map(([key, value]) => ({ name: key, value }))) };
    if (!Object.hasOwn(properties, name))
      throw notFound(`Property named ${name} does not exist`, name, Object.keys(properties));
    return { status: 200, body: { [name]: properties[name] } };
  },
});

/** `POST /management/registry-resources/properties` `{"name":"value", …}`. */
export const setProperties = resource({
  method: 'POST',
  path: '/management/registry-resources/properties',
  role: 'operator',
  summary: 'Sets properties of a resource',
  tag: 'registry',
  query: { path: PATH },
  body: jsonBody<Readonly<Record<string, string>>>({
    type: 'object',
    minProperties: 1,
    maxProperties: 100,
    propertyNames: { minLength: 1, maxLength: 200, not: { const: '__proto__' } },
    additionalProperties: { type: 'string', maxLength: 10_000 },
  }),
  answers: { 200: MESSAGE, 404: { type: 'object' } },
  answer({ query: { path }, body, audit }, { registry }) {
    audit({
      type: 'registry_resource',
      action: 'updated',
      name: path,
      detail: `properties ${Object.keys(body).join(', ')}`.slice(0, 500),
    });
    const key = keyOf(path);
    if (registry.text(key) === undefined) throw missing(path, registry);
    for (const [name, value] of Object.entries(body)) guarded(() => registry.setProperty(key, name, value));
    return { status: 200, body: { Message: `Successfully added properties to registry/${pathOf(key)}` } };
  },
});

/** `DELETE /management/registry-resources/properties`. */
export const removeProperty = resource({
  method: 'DELETE',
  path: '/management/registry-resources/properties',
  role: 'operator',
  summary: 'Removes a property of a resource',
  tag: 'registry',
  query: { path: PATH, name: { type: 'string', required: true } },
  answers: { 200: MESSAGE, 404: { type: 'object' } },
  answer({ query: { path, name }, audit }, { registry }) {
    audit({ type: 'registry_resource', action: 'updated', name: path, detail: `without property ${name}` });
    const properties = registry.properties(keyOf(path));
    if (!properties) throw missing(path, registry);
    if (!guarded(() => registry.removeProperty(keyOf(path), name)))
      throw notFound(`Property named ${name} does not exist`, name, Object.keys(properties));
    return { status: 200, body: { Message: `Successfully deleted property ${name}` } };
  },
});

interface Entry {
  readonly path: string;
  readonly bytes: number;
}

/** The registry's key of `registry/governance/a/b`. @throws ManagementError 400 for a path that leads out of the registry */
function keyOf(path: string): string {
  const [part = '', ...rest] = partsOf(path);
  const prefix = Object.hasOwn(PREFIXES, part) ? PREFIXES[part] : undefined;
  if (prefix === undefined || rest.length === 0) throw invalid(path);
  return `${prefix}${rest.join('/')}`;
}

function folderOf(path: string): string {
  return partsOf(path).join('/');
}

function partsOf(path: string): string[] {
  const segments = path.split('/').filter((segment) => segment !== '');
  const wrong = segments.some(
    (segment) => segment.startsWith('.') || /[\\\u0000-\u001f]/.test(segment) || Buffer.byteLength(segment) > 200,
  );
  if (segments[0] !== 'registry' || wrong) throw invalid(path);
  return segments.slice(1);
}

function pathOf(key: string): string {
  const [prefix = '', rest = ''] = key.split(/(?<=^\w+:)/);
  const part = Object.entries(PREFIXES).find(([, own]) => own === prefix)?.[0];
  return `${part}/${rest}`;
}

function invalid(path: string): ManagementError {
  return new ManagementError(400, `Invalid registry path: ${path.slice(0, 200)}`, {
    details: ['expected registry/governance/…, registry/config/… or registry/local/…'],
  });
}

function missing(path: string, registry: FileRegistry): ManagementError {
  return notFound(
    `Can not find the registry: ${path}`,
    path,
    registry.list().map((entry) => `registry/${entry.path}`),
  );
}

function guarded<T>(change: () => T): T {
  try {
    return change();
  } catch (error) {
    if (error instanceof RegistryError) throw new ManagementError(400, error.message, {}, { cause: error });
    throw error;
  }
}

function foldersOf(registry: ManagedServer['registry']): string[] {
  const folders = registry.list().map(({ path }) => path.slice(0, path.lastIndexOf('/')));
  return [...new Set(folders)].map((folder) => `registry/${folder}`);
}

function childrenOf(folder: string, below: readonly Entry[], registry: FileRegistry) {
  const names = folder === '' ? new Set(Object.keys(PREFIXES)) : new Set<string>();
  const skip = folder === '' ? 0 : folder.length + 1;
  for (const { path } of below) names.add(path.slice(skip).split('/')[0] ?? '');
  return [...names].sort().map((name) => {
    const path = folder === '' ? name : `${folder}/${name}`;
    const file = below.find((entry) => entry.path === path);
    return file ? fileOf(name, file, registry) : { name, mediaType: 'directory', properties: [] };
  });
}

function fileOf(name: string, { path, bytes }: Entry, registry: FileRegistry) {
  const [part = '', ...rest] = path.split('/');
  const properties = registry.properties(`${PREFIXES[part] ?? ''}${rest.join('/')}`) ?? {};
  const list = Object.entries(properties).map(([key, value]) => ({ name: key, value: maskedParameter(key, value) }));
  return { name, mediaType: mediaTypeOf(name), properties: list, bytes };
}

interface TreeNode {
  readonly name: string;
  readonly mediaType: string;
  readonly files: readonly unknown[];
}

function tree(name: string, folder: string, below: readonly Entry[], registry: FileRegistry): TreeNode {
  const files = childrenOf(folder, below, registry).map((child) => {
    if (child.mediaType !== 'directory') return child;
    const inside = folder === '' ? child.name : `${folder}/${child.name}`;
    return tree(
      child.name,
      inside,
      below.filter(({ path }) => path.startsWith(`${inside}/`)),
      registry,
    );
  });
  return { name, mediaType: 'directory', files };
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  xml: 'application/xml',
  xsl: 'application/xslt+xml',
  xslt: 'application/xslt+xml',
  xsd: 'application/xml',
  wsdl: 'application/wsdl+xml',
  json: 'application/json',
  js: 'application/javascript',
  txt: 'text/plain',
};

function mediaTypeOf(path: string): string {
  return MEDIA_TYPES[path.slice(path.lastIndexOf('.') + 1).toLowerCase()] ?? 'text/plain';
}
