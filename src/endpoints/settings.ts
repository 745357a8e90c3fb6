import type { DynamicValue } from '../expressions/value.ts';
import { parseDynamicValue } from '../expressions/value.ts';
import { ValueError } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { Packaging } from '../message/related.ts';
import type { EndpointSecurity } from '../security/endpoint-security.ts';
import { readEndpointSecurity } from '../security/read-enable-sec.ts';
import { type Addressing, readAddressing } from './addressing.ts';
import { DEFAULT_SUSPENSION, type SuspensionRules } from './suspension.ts';

export type Format = 'pox' | 'get' | 'soap11' | 'soap12' | 'rest';
const FORMATS: readonly string[] = ['pox', 'get', 'soap11', 'soap12', 'rest'];

/** What happens when no answer comes in time; absent means none (spec proxies 5.1). */
export type ResponseAction = 'discard' | 'fault';

/** Settings that address, http, wsdl and default endpoints share (spec proxies 5.1). */
export interface EndpointSettings {
  readonly format: Format | undefined;
  /** How binary content goes with the envelope; undefined: as it came, or as the message's own properties say. */
  readonly optimize: Packaging | undefined;
  readonly encoding: string | undefined;
  /** `<enableAddressing>`: which WS-Addressing headers are written; undefined: none. */
  readonly addressing: Addressing | undefined;
  readonly timeout: {
    /** Undefined: the global timeout. Milliseconds as text when evaluated. */
    readonly duration: number | DynamicValue | undefined;
    readonly responseAction: ResponseAction | undefined;
  };
  readonly suspension: SuspensionRules;
  /** Inside a group: after which failures another child is tried. Without enabled codes, after all that are not disabled. */
  readonly retryConfig: {
    readonly disabledErrorCodes: readonly number[];
    readonly enabledErrorCodes: readonly number[];
  };
  /** `<enableSec>`: how messages are secured; undefined: not at all. */
  readonly security: EndpointSecurity | undefined;
}

/** Of a definition that says nothing. */
export const DEFAULT_SETTINGS: EndpointSettings = {
  format: undefined,
  optimize: undefined,
  encoding: undefined,
  addressing: undefined,
  timeout: { duration: undefined, responseAction: undefined },
  suspension: DEFAULT_SUSPENSION,
  retryConfig: { disabledErrorCodes: [], enabledErrorCodes: [] },
  security: undefined,
};

/** The children of a definition element that this reads. */
export const SETTING_CHILDREN: readonly string[] = [
  'timeout',
  'markForSuspension',
  'suspendOnFailure',
  'suspendDurationOnFailure',
  'retryConfig',
  'enableAddressing',
  'enableSec',
  'enableRM',
];
/** The attributes of a definition element that this reads. */
export const SETTING_ATTRIBUTES: readonly string[] = ['format', 'optimize', 'encoding', 'statistics', 'trace'];

/** Reads the shared settings of `<address>`, `<http>`, `<wsdl>` or `<default>`; problems go to the reader. */
export function readSettings(element: ConfigElement, reader: ArtifactReader): EndpointSettings {
  const security = readEndpointSecurity(element, reader);
  return {
    format: readFormat(element, reader),
    optimize: readOptimize(element, reader, security !== undefined),
    encoding: element.attribute('encoding'),
    addressing: readAddressing(element.child('enableAddressing'), reader),
    timeout: readTimeout(element, reader),
    suspension: readSuspension(element, reader),
    retryConfig: readRetryConfig(element.child('retryConfig'), reader),
    security,
  };
}

function readFormat(element: ConfigElement, reader: ArtifactReader): Format | undefined {
  const written = element.attribute('format');
  if (written === undefined) return undefined;
  const http = element.name === 'http';
  if (FORMATS.includes(written) && !http) return written as Format;
  reader.warning(element, `format="${written}" is ignored`, {
    attribute: 'format',
    expected: http ? 'no format: an http endpoint sends the message as it is' : `one of: ${FORMATS.join(', ')}`,
  });
  return undefined;
}

function readOptimize(element: ConfigElement, reader: ArtifactReader, secured: boolean): Packaging | undefined {
  const written = element.attribute('optimize');
  if (written === undefined) return undefined;
  const packaging = written.toLowerCase();
  const known = packaging === 'mtom' || packaging === 'swa';
  if (known && !secured) return packaging;
  const why = known ? ' beside <enableSec>: what is secured is sent as one envelope' : '';
  reader.warning(element, `optimize="${written}" is ignored${why}`, {
    attribute: 'optimize',
    expected: 'mtom or swa, without <enableSec>',
  });
  return undefined;
}

function readTimeout(element: ConfigElement, reader: ArtifactReader): EndpointSettings['timeout'] {
  const timeout = element.child('timeout');
  if (!timeout) return { duration: undefined, responseAction: undefined };
  reader.warnUnknownChildren(timeout, ['duration', 'responseAction', 'action']);
  return {
    duration: readDuration(timeout.child('duration'), reader),
    responseAction: readResponseAction(timeout.child('responseAction') ?? timeout.child('action'), reader),
  };
}

function readDuration(element: ConfigElement | undefined, reader: ArtifactReader): number | DynamicValue | undefined {
  const written = element?.text.trim();
  if (!element || !written) return undefined;
  if (/^\d{1,15}$/.test(written)) return Number(written);
  if (written.startsWith('{')) {
    try {
      return parseDynamicValue(written, element.prefixes());
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      reader.error(element, error.message, { expected: 'milliseconds or {expression}' });
      return undefined;
    }
  }
  reader.error(element, 'Endpoint timeout duration expected as a number but was not a number', {
    expected: 'milliseconds or {expression}',
  });
  return undefined;
}

function readResponseAction(element: ConfigElement | undefined, reader: ArtifactReader): ResponseAction | undefined {
  const written = element?.text.trim();
  if (!element || !written) return undefined;
  const action = written.toLowerCase();
  if (action === 'discard' || action === 'fault') return action;
  reader.error(element, `Invalid timeout action, action : ${written} is not supported`, {
    expected: 'discard or fault',
  });
  return undefined;
}

function readSuspension(element: ConfigElement, reader: ArtifactReader): SuspensionRules {
  const mark = element.child('markForSuspension');
  const suspend = element.child('suspendOnFailure');
  const legacy = element.child('suspendDurationOnFailure');
  const defaults = DEFAULT_SUSPENSION.suspendOnFailure;
  const seconds = readNumber(legacy, reader);
  if (legacy)
    reader.warning(legacy, '<suspendDurationOnFailure> is deprecated: use <suspendOnFailure><initialDuration>');
  return {
    markForSuspension: {
      errorCodes: readCodes(mark?.child('errorCodes'), reader),
      retriesBeforeSuspension: readNumber(mark?.child('retriesBeforeSuspension'), reader) ?? 0,
      retryDelayMs: readNumber(mark?.child('retryDelay'), reader) ?? 0,
    },
    suspendOnFailure: {
      errorCodes: readCodes(suspend?.child('errorCodes'), reader),
      initialDurationMs:
        seconds !== undefined
          ? seconds * 1000
          : (readNumber(suspend?.child('initialDuration'), reader) ?? defaults.initialDurationMs),
      progressionFactor: readNumber(suspend?.child('progressionFactor'), reader) ?? defaults.progressionFactor,
      maximumDurationMs: readNumber(suspend?.child('maximumDuration'), reader) ?? defaults.maximumDurationMs,
    },
  };
}

function readRetryConfig(element: ConfigElement | undefined, reader: ArtifactReader): EndpointSettings['retryConfig'] {
  if (!element) return DEFAULT_SETTINGS.retryConfig;
  reader.warnUnknownChildren(element, ['disabledErrorCodes', 'enabledErrorCodes']);
  const disabled = element.child('disabledErrorCodes');
  const enabled = element.child('enabledErrorCodes');
  if (disabled && enabled) {
    reader.warning(element, 'both disabledErrorCodes and enabledErrorCodes are given: a code must pass both', {
      expected: 'one of: disabledErrorCodes, enabledErrorCodes',
    });
  }
  return { disabledErrorCodes: readCodes(disabled, reader), enabledErrorCodes: readCodes(enabled, reader) };
}

function readCodes(element: ConfigElement | undefined, reader: ArtifactReader): number[] {
  const codes: number[] = [];
  for (const word of element?.text.split(/[\s,]+/) ?? []) {
    if (word === '') continue;
    if (/^-?\d{1,9}$/.test(word)) codes.push(Number(word));
    else if (element) {
      reader.error(
        element,
        `The error codes should be specified as valid numbers separated by commas or spaces : ${word}`,
        {
          expected: 'error codes such as 101503,101504',
        },
      );
    }
  }
  return codes;
}

function readNumber(element: ConfigElement | undefined, reader: ArtifactReader): number | undefined {
  const written = element?.text.trim();
  if (!element || !written) return undefined;
  if (/^-?\d{1,15}(\.\d+)?$/.test(written)) return Number(written);
  reader.error(element, `<${element.name}> is not a number: '${written}'`, { expected: 'a number' });
  return undefined;
}
