import { binaryExtract } from './binary-extract.ts';
import type { BuiltInClass } from './built-in-class.ts';
import { calloutBlock } from './callout-block.ts';
import { contentRouter } from './content-router.ts';
import { discountQuote } from './discount-quote.ts';
import { dynamicRouter } from './dynamic-router.ts';
import { logMediator } from './log-mediator.ts';

/** The classes that need no mapping. A new one is one file beside these and one line here. */
const CLASSES: ReadonlyMap<string, BuiltInClass> = new Map(
  [logMediator, discountQuote, binaryExtract, calloutBlock, contentRouter, dynamicRouter].map((known) => [
    known.className,
    known,
  ]),
);

export function builtInClass(className: string): BuiltInClass | undefined {
  return CLASSES.get(className.trim());
}
