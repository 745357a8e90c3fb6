import { expression } from '../../expressions/attribute-types.ts';
import { javaBoolean, nonEmptyText } from '../../grammar/attributes.ts';
import { IsolationError } from '../../isolation/worker-pool.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { type Mediate, type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { isFlagSet } from '../../message/property-value.ts';
import { NOT_COMPILED, type XsltResult } from '../../transform/xslt-job.ts';
import type { XmlElement } from '../../xml/index.ts';
import { replaceSource, transformSource } from './transform-target.ts';
import {
  readXsltChildren,
  resultOf,
  runStylesheet,
  stylesheetKey,
  XSLT_CHILDREN,
  type XsltChildren,
} from './xslt-definition.ts';

const log = logger('XSLTMediator');

/** With this property set, a text result for a target stays plain text. */
const DISABLE_BUILD = 'transform.xslt.result.disableBuild';

const ATTRIBUTES = {
  key: stylesheetKey("The 'key' attribute is required for the XSLT mediator"),
  source: expression({
    invalid: 'Invalid XPath specified for the source attribute',
    doc: 'What is transformed and replaced; the first child of the Body if absent.',
  }),
  target: nonEmptyText({ doc: 'The property that gets the result; the payload then stays as it is.' }),
  useCache: javaBoolean({ default: true, doc: 'false compiles the stylesheet for every message.' }),
} as const;

/**
 * Transforms XML with an XSLT 1.0 stylesheet; of XSLT 2.0 what a 1.0 processor does in forwards-compatible mode (spec mediators 3.18).
 * The stylesheet runs in an isolated thread, bounded in time and memory, and reads nothing but the entries that it is given.
 */
export const xslt = mediator({
  element: 'xslt',
  packages: ['libxslt-wasm'],
  doc: 'Transforms the payload, or a part of the message, with an XSLT stylesheet.',
  attributes: ATTRIBUTES,
  children: XSLT_CHILDREN,
  compile({ element, attributes, reader }) {
    const children = readXsltChildren(element, reader);
    return children && mediation(attributes, children);
  },
});

function mediation(attributes: MediatorCompilation<typeof ATTRIBUTES>['attributes'], children: XsltChildren): Mediate {
  const { key, source: selection, target, useCache } = attributes;
  return async (message) => {
    const name = key.evaluate(message) ?? '';
    try {
      const source = transformSource(message, selection);
      if (!source) {
        log.warn(
          'Found empty soap body, skipping XSLT transformation and continuing the mediation',
          aboutMessage(message),
        );
        return true;
      }
      const result = await runStylesheet(message, name, children, source.xml, useCache);
      for (const said of result.messages) log.info(said, aboutMessage(message));
      if (target === undefined) replaceSource(message, source.node, resultOf(result));
      else message.properties.set(target, targetValue(message, result));
    } catch (cause) {
      throw failure(
        cause,
        name,
        selection?.source ?? 's11:Body/child::*[position()=1] | s12:Body/child::*[position()=1]',
      );
    }
    return true;
  };
}

function targetValue(message: MessageContext, result: XsltResult): string | XmlElement {
  return isFlagSet(message.properties.get(DISABLE_BUILD)) ? result.text : resultOf(result);
}

/** The reference's words; anything unexpected stays what it is. */
function failure(cause: unknown, key: string, source: string): unknown {
  if (!(cause instanceof IsolationError) && !(cause instanceof MediationError)) return cause;
  const lead = cause.message.startsWith(NOT_COMPILED)
    ? `Error compiling the XSLT with key : ${key}${cause.message.slice(NOT_COMPILED.length)}`
    : `Error performing XSLT transformation using : ${key}: ${cause.message}`;
  return new MediationError(
    `Unable to perform XSLT transformation using : ${key} against source XPath : ${source} reason : ${lead}`,
    { cause, ...(cause.detail !== undefined && { detail: cause.detail }) },
  );
}
