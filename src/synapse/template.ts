import type { EndpointTemplate } from '../endpoints/template-endpoint.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { SequenceTemplate } from '../mediation/sequence-template.ts';
import { readEndpointTemplate } from './endpoint-template.ts';
import { readSequenceTemplate } from './sequence-template.ts';

/** Reads a `<template>`, of a sequence or of an endpoint (spec proxies 6.6); undefined after an error. */
export function readTemplate(
  element: ConfigElement,
  reader: ArtifactReader,
): EndpointTemplate | SequenceTemplate | undefined {
  const sequence = element.child('sequence');
  return sequence ? readSequenceTemplate(element, sequence, reader) : readEndpointTemplate(element, reader);
}
