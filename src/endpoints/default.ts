import { endpointKind } from './component.ts';

/** `<default>`: wherever the message is addressed to (spec proxies 5.4). */
export const defaultKind = endpointKind({
  element: 'default',
  attributes: [],
  read: () => ({ staticAddress: undefined, address: (message) => message.to }),
});
