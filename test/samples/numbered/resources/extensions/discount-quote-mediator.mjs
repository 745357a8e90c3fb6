/**
 * The class mediator of sample 380: takes `discountFactor` per cent off the price of a quote, and five more off the first `bonusFor` + 1
 * quotes.
 *
 * @type {import('../../../../../src/extensions/api.ts').OpenMediator}
 */
export const openMediator = ({ properties, log }) => {
  const factor = Number(properties.get('discountFactor') ?? 0);
  let bonusLeft = Number(properties.get('bonusFor') ?? 0) + 1;
  return {
    mediate(message) {
      const quote = message.xml();
      const price = Number(/<([\w:]*last)>([^<]*)<\/\1>/.exec(quote ?? '')?.[2] ?? Number.NaN);
      if (quote === undefined || Number.isNaN(price)) return true;
      let discounted = (price * (100 - factor)) / 100;
      if (bonusLeft > 0) {
        bonusLeft -= 1;
        discounted *= 0.95;
      }
      log.info('Quote value discounted.');
      log.info(`Original price: ${price}`);
      log.info(`Discounted price: ${discounted}`);
      message.setXml(quote.replace(/(<[\w:]*last>)[^<]*/, `$1${discounted}`));
      return true;
    },
  };
};
