/**
 * A module in the place of the class of sample 380: every quote is the same.
 *
 * @type {import('../../../../../src/extensions/api.ts').OpenMediator}
 */
export const openMediator = () => ({
  mediate(message) {
    message.setXml((message.xml() ?? '').replace(/(<[\w:]*last>)[^<]*/, '$11.5'));
    return true;
  },
});
