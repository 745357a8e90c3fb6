import { configurationNamed, containerOf, deployedArtifact } from '../artifact-places.ts';
import { LIST_QUERY, listing, named, partOf, partsOf, searched } from '../list.ts';
import { maskedParameters } from '../masking.ts';
import { PROCESSOR_ROW, processorRow } from '../processor-row.ts';
import { resource } from '../resource.ts';
import { object, TEXT } from '../schemas.ts';
import { isActivation, statusChangeBody } from '../status-change.ts';

/** `GET /management/message-processors` (spec stores 7.2); state, reason and counters are ours (OP-20, REQ-13). */
export const readProcessors = resource({
  method: 'GET',
  path: '/management/message-processors',
  role: 'viewer',
  summary: 'Message processors, or one of them in detail',
  tag: 'message-processors',
  query: { name: { type: 'string' }, ...LIST_QUERY },
  answers: { 200: { anyOf: [partsOf(PROCESSOR_ROW), PROCESSOR_ROW] }, 404: { type: 'object' } },
  answer({ query: { name, searchKey, ...wanted } }, server) {
    const configuration = server.configuration();
    if (name === undefined) {
      const { part, beside } = partOf(searched(configuration, 'messageProcessor', searchKey), wanted);
      return {
        status: 200,
        body: listing(
          part.map((processor) => processorRow(processor, server)),
          beside,
        ),
      };
    }
    const text = `Specified message processor ('${name}') not found`;
    const processor = named(configuration, 'messageProcessor', name, text);
    const deployed = deployedArtifact(server, 'messageProcessor', name);
    const container = deployed && containerOf(server, deployed);
    const row = processorRow(processor, server);
    const details = {
      ...(container !== undefined && { artifactContainer: container }),
      ...(row.file !== undefined && { fileName: row.file.slice(row.file.lastIndexOf('/') + 1) }),
      parameters: maskedParameters(processor.parameters),
      messageStore: processor.storeName,
      ...configurationNamed(server, 'messageProcessor', name),
    };
    return { status: 200, body: { ...row, ...details } };
  },
});

/** `POST /management/message-processors` (spec stores 7.2); the state that was reached is ours (OP-60). */
export const changeProcessor = resource({
  method: 'POST',
  path: '/management/message-processors',
  role: 'operator',
  summary: 'Activates or deactivates a message processor',
  tag: 'message-processors',
  body: statusChangeBody,
  answers: { 200: object({ Message: TEXT, state: TEXT }), 404: { type: 'object' } },
  async answer({ body: { name, status }, audit }, server) {
    const active = isActivation(status);
    audit({ type: 'message_processor', action: active ? 'enabled' : 'disabled', name });
    const processor = named(server.configuration(), 'messageProcessor', name, 'Message processor does not exist');
    const state = active ? await processor.activate('management API') : await processor.deactivate('management API');
    return { status: 200, body: { Message: `${name} : is ${active ? 'activated' : 'deactivated'}`, state } };
  },
});
