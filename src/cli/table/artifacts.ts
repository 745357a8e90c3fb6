import type { CommandDescription } from '../command.ts';
import { HELP, REMOTE, YES } from './shared.ts';

export const ARTIFACT_SHOW = {
  name: 'artifact show',
  usage: 'FILE',
  summary: 'the text of an artifact file as it is served, secrets masked, and its problems',
  details: 'FILE as get artifacts names it.',
  options: { ...REMOTE, ...HELP },
  arguments: [{ names: 'artifacts' }],
  examples: ['mini-synapse artifact show proxies/Orders.xml'],
} as const satisfies CommandDescription;

export const ARTIFACT_VALIDATE = {
  name: 'artifact validate',
  usage: 'FILE...',
  summary: 'what the running server would say of artifact files; nothing is deployed',
  details: 'Names that are taken by other files of the server are problems, too. Exits with 1 when one is not valid.',
  options: {
    as: { type: 'string', value: 'PATH', description: 'Where it would stand in the artifact folder; default its name' },
    ...REMOTE,
    ...HELP,
  },
  arguments: [{ files: true }],
  examples: ['mini-synapse artifact validate Orders.xml --as proxies/Orders.xml'],
} as const satisfies CommandDescription;

export const ARTIFACT_DEPLOY = {
  name: 'artifact deploy',
  usage: 'FILE...',
  summary: 'upload artifact files (.xml), connectors (.zip) and applications (.car); what is not valid is not taken',
  details: 'Waits until an artifact file is served. Exits with 1 when one was not deployed.',
  options: {
    as: {
      type: 'string',
      value: 'PATH',
      description: 'Of one .xml or .zip: its place in the artifact folder; default its name',
    },
    ...REMOTE,
    ...HELP,
  },
  arguments: [{ files: true }],
  examples: [
    'mini-synapse artifact deploy Orders.xml --as proxies/Orders.xml',
    'mini-synapse artifact deploy Shop_1.0.0.car',
  ],
} as const satisfies CommandDescription;

export const ARTIFACT_UNDEPLOY = {
  name: 'artifact undeploy',
  usage: 'FILE.xml|FILE.zip|APPLICATION...',
  summary: 'remove artifact files, connectors or applications from the running server',
  details: 'FILE as get artifacts names it, APPLICATION as get applications does. Asks first; scripts say --yes.',
  options: { ...YES, ...REMOTE, ...HELP },
  arguments: [{ names: 'artifacts' }],
  examples: ['mini-synapse artifact undeploy proxies/Orders.xml -y'],
} as const satisfies CommandDescription;

export const ARTIFACT_VERSIONS = {
  name: 'artifact versions',
  usage: 'FILE',
  summary: 'what an artifact file was, the newest last',
  options: { ...REMOTE, ...HELP },
  arguments: [{ names: 'artifacts' }],
  examples: ['mini-synapse artifact versions proxies/Orders.xml'],
} as const satisfies CommandDescription;

export const ARTIFACT_DIFF = {
  name: 'artifact diff',
  usage: 'FILE',
  summary: 'what changed in an artifact file; secrets masked',
  options: {
    from: { type: 'string', value: 'N', description: 'Since this version; default the one before' },
    to: { type: 'string', value: 'N', description: 'Up to this version; default the newest' },
    ...REMOTE,
    ...HELP,
  },
  arguments: [{ names: 'artifacts' }],
  examples: ['mini-synapse artifact diff proxies/Orders.xml --from 3'],
} as const satisfies CommandDescription;

export const ARTIFACT_ROLLBACK = {
  name: 'artifact rollback',
  usage: 'FILE',
  summary: 'write an earlier version of an artifact file again, and wait until it is served',
  details: 'Asks first; scripts say --yes.',
  options: {
    version: { type: 'string', value: 'N', description: 'This one; default the last that was good' },
    ...YES,
    ...REMOTE,
    ...HELP,
  },
  arguments: [{ names: 'artifacts' }],
  examples: ['mini-synapse artifact rollback proxies/Orders.xml --version 3'],
} as const satisfies CommandDescription;

export const ARTIFACT_COMMANDS: readonly CommandDescription[] = [
  ARTIFACT_SHOW,
  ARTIFACT_VALIDATE,
  ARTIFACT_DEPLOY,
  ARTIFACT_UNDEPLOY,
  ARTIFACT_VERSIONS,
  ARTIFACT_DIFF,
  ARTIFACT_ROLLBACK,
];

const RESOURCE = 'PATH begins with registry/config, registry/governance or registry/local.';

export const REGISTRY_LIST = {
  name: 'registry list',
  usage: '[PATH]',
  summary: 'what is in a folder of the registry',
  options: {
    recursive: { type: 'boolean', short: 'r', description: 'All that is below it' },
    ...REMOTE,
    ...HELP,
  },
  examples: ['mini-synapse registry list registry/config'],
} as const satisfies CommandDescription;

export const REGISTRY_SHOW = {
  name: 'registry show',
  usage: 'PATH',
  summary: 'the content of a resource; with --about its media type and properties',
  details: RESOURCE,
  options: {
    about: { type: 'boolean', description: 'Not the content: media type and properties' },
    ...REMOTE,
    ...HELP,
  },
  examples: ['mini-synapse registry show registry/config/stocks.xsl > stocks.xsl'],
} as const satisfies CommandDescription;

export const REGISTRY_PUT = {
  name: 'registry put',
  usage: 'PATH [FILE]',
  summary: 'make a resource of the registry, or change its content',
  details: `Without FILE the content comes from the standard input. ${RESOURCE}`,
  options: { ...REMOTE, ...HELP },
  arguments: [{}, { files: true }],
  examples: ['mini-synapse registry put registry/config/stocks.xsl stocks.xsl'],
} as const satisfies CommandDescription;

export const REGISTRY_DELETE = {
  name: 'registry delete',
  usage: 'PATH',
  summary: 'remove a resource of the registry',
  details: 'Asks first; scripts say --yes.',
  options: { ...YES, ...REMOTE, ...HELP },
  examples: ['mini-synapse registry delete registry/config/stocks.xsl -y'],
} as const satisfies CommandDescription;

export const REGISTRY_SET = {
  name: 'registry set',
  usage: 'PATH NAME=VALUE...',
  summary: 'set properties of a resource',
  details: 'NAME= without a value removes the property.',
  options: { ...REMOTE, ...HELP },
  examples: ['mini-synapse registry set registry/config/stocks.xsl owner=olga'],
} as const satisfies CommandDescription;

export const REGISTRY_COMMANDS: readonly CommandDescription[] = [
  REGISTRY_LIST,
  REGISTRY_SHOW,
  REGISTRY_PUT,
  REGISTRY_DELETE,
  REGISTRY_SET,
];
