import type { EndpointTemplate } from '../../endpoints/template-endpoint.ts';
import { ConfigElement } from '../../grammar/element.ts';
import type { SequenceTemplate } from '../../mediation/sequence-template.ts';
import { parseXml } from '../../xml/index.ts';
import { configurationNamed, configurationOf, deployedArtifact, placeNamed } from '../artifact-places.ts';
import { named, SEARCH_KEY, searched } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { ManagementError } from '../management-error.ts';
import { resource } from '../resource.ts';
import { COUNT, object, TEXT } from '../schemas.ts';
import { artifactChangeBody } from '../status-change.ts';
import { SWITCHED, switchTracing, tracingWord } from '../tracing-switch.ts';

const ROW = object(
  { name: TEXT },
  { tracing: TEXT, stats: TEXT, Parameters: { type: 'array' }, configuration: TEXT, file: TEXT, line: COUNT },
);
const LISTS = object({
  sequenceTemplateList: { type: 'array', items: ROW },
  endpointTemplateList: { type: 'array', items: ROW },
});

/** `GET /management/templates` (spec proxies 8.2, 8.3). */
export const readTemplates = resource({
  method: 'GET',
  path: '/management/templates',
  role: 'viewer',
  summary: 'Templates of sequences and endpoints, or one of them in detail',
  tag: 'templates',
  query: { type: { type: 'string', enum: ['sequence', 'endpoint'] }, name: { type: 'string' }, searchKey: SEARCH_KEY },
  answers: { 200: { anyOf: [LISTS, { type: 'object' }, ROW] }, 404: { type: 'object' } },
  answer({ query: { type, name, searchKey } }, server) {
    const configuration = server.configuration();
    if (name !== undefined) {
      const template = named(configuration, 'template', name, `Specified template ('${name}') not found`);
      if (type !== undefined && template.kind !== type)
        throw new ManagementError(404, `Specified template ('${name}') not found`);
      return { status: 200, body: detailed(template, server) };
    }
    const templates = searched(configuration, 'template', searchKey);
    const list = (kind: string) => templates.filter((one) => one.kind === kind).map((one) => listed(one, server));
    if (type !== undefined) {
      const only = list(type);
      return { status: 200, body: { count: only.length, list: only } };
    }
    return { status: 200, body: { sequenceTemplateList: list('sequence'), endpointTemplateList: list('endpoint') } };
  },
});

/** `POST /management/templates`: the tracing switch. */
export const changeTemplate = resource({
  method: 'POST',
  path: '/management/templates',
  role: 'operator',
  summary: 'Switches the tracing of a template',
  tag: 'templates',
  body: artifactChangeBody('templateName'),
  answers: { 200: SWITCHED, 404: { type: 'object' } },
  answer({ body, audit }, server) {
    const name = body.name ?? body.templateName ?? '';
    audit({ type: 'template', name, action: body.trace ?? body.statistics ?? '', detail: 'tracing' });
    named(server.configuration(), 'template', name, `Specified template ('${name}') not found`);
    const done = switchTracing(server, body, { kind: 'template', name });
    if (!done) throw new ManagementError(400, 'Missing parameters in payload');
    return { status: 200, body: done };
  },
});

function listed({ name }: EndpointTemplate | SequenceTemplate, server: ManagedServer) {
  return { name, ...placeNamed(server, 'template', name) };
}

function detailed(template: EndpointTemplate | SequenceTemplate, server: ManagedServer) {
  const { name } = template;
  const base = { ...listed(template, server), ...configurationNamed(server, 'template', name) };
  if (template.kind === 'endpoint') return { ...base, Parameters: parametersOf(name, server) };
  const Parameters = template.parameters.map((parameter) => ({
    name: parameter.name,
    isMandatory: parameter.mandatory,
  }));
  return { ...base, tracing: tracingWord(server, 'template', name), stats: 'enabled', Parameters };
}

/** The parameters that an endpoint's template declares: only its text says them. */
function parametersOf(name: string, server: ManagedServer): string[] {
  const found = deployedArtifact(server, 'template', name);
  const root = found && parseXml(configurationOf(found.artifact)).documentElement;
  if (!root || !found) return [];
  const element = new ConfigElement(root, found.artifact.source);
  return element.childrenNamed('parameter').map((parameter) => parameter.attribute('name') ?? '');
}
