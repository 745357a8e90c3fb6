import { IsolationError } from '../../isolation/worker-pool.ts';
import { mediator } from '../../mediation/component.ts';
import { MediationError } from '../../message/errors.ts';
import { transformSource } from './transform-target.ts';
import { readXsltChildren, resultOf, runStylesheet, stylesheetKey, XSLT_CHILDREN } from './xslt-definition.ts';

/** Transforms the payload as a whole with an XSLT stylesheet; shares the engine of `<xslt>` (spec mediators 3.41). */
export const fastXslt = mediator({
  element: 'fastXSLT',
  packages: ['libxslt-wasm'],
  doc: 'Transforms the payload with an XSLT stylesheet.',
  attributes: { key: stylesheetKey("The 'key' attribute is required for the FastXSLT mediator") },
  children: XSLT_CHILDREN,
  compile({ element, attributes, reader }) {
    const children = readXsltChildren(element, reader);
    if (!children) return undefined;
    return async (message) => {
      const source = transformSource(message, undefined);
      if (!source) return true;
      const key = attributes.key.evaluate(message) ?? '';
      try {
        const result = await runStylesheet(message, key, children, source.xml, true);
        message.payload.replaceBody(resultOf(result));
      } catch (cause) {
        if (!(cause instanceof IsolationError) && !(cause instanceof MediationError)) throw cause;
        throw new MediationError(`Error while transforming the Stream using : ${key}: ${cause.message}`, { cause });
      }
      return true;
    };
  },
});
