import type { OpenMediator } from '../../../src/extensions/api.ts';

/*
 * A class mediator: gives every order a number, as the property `order`. The properties of the <class> element come as texts.
 */

export const openMediator: OpenMediator = ({ properties }) => {
  let last = Number(properties.get('start') ?? 0);
  return {
    mediate(message) {
      last += 1;
      message.setProperty('order', `${properties.get('prefix') ?? ''}${last}`);
      return true;
    },
  };
};
