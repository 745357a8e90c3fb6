import { configurationNamed, containerOf, deployedArtifact } from '../artifact-places.ts';
import { LIST_QUERY, listing, named, partOf, partsOf, searched } from '../list.ts';
import { maskedParameters } from '../masking.ts';
import { resource } from '../resource.ts';
import { STORE_ROW, storeRows } from '../store-row.ts';

/** `GET /management/message-stores`, with `name` or `searchKey` (spec stores 7.2); state and counts are ours (OP-41). */
export const readStores = resource({
  method: 'GET',
  path: '/management/message-stores',
  role: 'viewer',
  summary: 'Message stores, or one of them in detail',
  tag: 'message-stores',
  query: { name: { type: 'string' }, ...LIST_QUERY },
  answers: { 200: { anyOf: [partsOf(STORE_ROW), STORE_ROW] }, 404: { type: 'object' } },
  async answer({ query: { name, searchKey, ...wanted } }, server) {
    const configuration = server.configuration();
    if (name === undefined) {
      const { part, beside } = partOf(searched(configuration, 'messageStore', searchKey), wanted);
      return { status: 200, body: listing(await storeRows(part, server), beside) };
    }
    const store = named(configuration, 'messageStore', name, `Specified message store ('${name}') not found`);
    const deployed = deployedArtifact(server, 'messageStore', name);
    const container = deployed && containerOf(server, deployed);
    const [row] = await storeRows([store], server);
    const details = {
      ...(container !== undefined && { container }),
      properties: maskedParameters(store.parameters),
      ...configurationNamed(server, 'messageStore', name),
    };
    return { status: 200, body: { ...row, ...details } };
  },
});
