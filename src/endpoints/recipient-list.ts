import { dynamic } from '../expressions/attribute-types.ts';
import { integer, readAttributes } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { readChildren } from './children.ts';
import { groupKind } from './component.ts';
import { RecipientListGroup } from './recipient-list-group.ts';
import { AddressesInMessage, fixedRecipients, type Recipients } from './recipients.ts';

const DEFAULT_CACHE = 20;
const MAX_CACHE = 100_000;

/** `<recipientlist>`: a copy of the message for everyone (spec proxies 5.7). */
export const recipientList = groupKind({
  element: 'recipientlist',
  doc: 'Sends a copy of the message to each of its children, or to each address of a list that stands in the message.',
  attributes: {},
  children: ['endpoint', 'member', 'endpoints'],
  read({ element, reader, frame, session, readEndpoint }) {
    if (session) reader.warning(session, '<session> is ignored: only <loadbalance> keeps sessions together');
    const list = element.child('endpoints');
    if (list && (element.child('endpoint') || element.child('member'))) {
      reader.error(list, '<recipientlist> has a list of addresses or endpoints of its own, not both');
      return undefined;
    }
    const group = { title: 'RecipientList', name: frame.name };
    const children = list ? undefined : readChildren(element, reader, group, readEndpoint);
    const recipients = list
      ? readAddresses(list, reader)
      : children && fixedRecipients(children.map(({ endpoint }) => endpoint));
    return recipients && new RecipientListGroup({ ...frame, recipients });
  },
});

const ADDRESSES_ATTRIBUTES = {
  value: dynamic({
    required: true,
    missing: "The 'value' attribute is required for the endpoints of a recipient list",
    doc: 'Addresses, separated by commas.',
  }),
  'max-cache': integer({
    minimum: 1,
    maximum: MAX_CACHE,
    default: DEFAULT_CACHE,
    doc: 'For how many addresses the endpoint is kept with its state.',
  }),
} as const;

function readAddresses(element: ConfigElement, reader: ArtifactReader): Recipients | undefined {
  const attributes = readAttributes(element, ADDRESSES_ATTRIBUTES, reader);
  return attributes && new AddressesInMessage(attributes.value, element.position, attributes['max-cache']);
}
