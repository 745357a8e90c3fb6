import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { javaDouble } from '../../message/property-value.ts';
import { elementChildren, textOf, type XmlElement } from '../../xml/index.ts';
import { type BuiltInClass, integerProperty } from './built-in-class.ts';

const log = logger('DiscountQuoteMediator');
const DEFAULT_DISCOUNT = 10;
const DEFAULT_BONUS = 10;
/** What the first quotes are reduced by once more. */
const BONUS_PART = 0.05;
/** Elements around the price: `getQuoteResponse/return/last`, and some more for other services. */
const MAX_DEPTH = 5;

/**
 * The class of sample 380 (stockquote-samples 3.1): takes `discountFactor` per cent off the price of a quote, and five more off the
 * first `bonusFor` + 1 quotes.
 */
export const discountQuote: BuiltInClass = {
  className: 'samples.mediators.DiscountQuoteMediator',
  properties: ['discountFactor', 'bonusFor'],
  open() {
    let bonuses = 0;
    return (message, properties) => {
      const discount = integerProperty(properties, 'discountFactor', DEFAULT_DISCOUNT);
      const bonusFor = integerProperty(properties, 'bonusFor', DEFAULT_BONUS);
      const quote = message.payload.firstBodyChild();
      const last = quote && priceIn(quote, MAX_DEPTH);
      const written = last && textOf(last).trim();
      const price = written ? Number(written) : Number.NaN;
      if (!last || Number.isNaN(price)) throw new Error('the message has no quote with a price in <last>');
      let discounted = price - (price * discount) / 100;
      if (bonuses <= bonusFor) {
        bonuses += 1;
        discounted -= discounted * BONUS_PART;
      }
      last.textContent = javaDouble(discounted);
      message.payload.changed();
      const about = aboutMessage(message);
      log.info('Quote value discounted.', about);
      log.info(`Original price: ${written}`, about);
      log.info(`Discounted price: ${last.textContent}`, about);
      return true;
    };
  },
};

function priceIn(element: XmlElement, depth: number): XmlElement | undefined {
  for (const child of elementChildren(element)) {
    const found = child.localName === 'last' ? child : depth > 1 ? priceIn(child, depth - 1) : undefined;
    if (found) return found;
  }
  return undefined;
}
