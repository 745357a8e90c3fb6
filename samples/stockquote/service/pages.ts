/** The few HTML pages of the sample server (stockquote-samples 1.1). */
import { escapeText } from '../wire/soap.ts';
import type { SampleService } from './operation.ts';

/** The list at `/services`. */
export function servicesPage(services: readonly SampleService[]): string {
  const entries = services.map(
    (service) =>
      `<h3><a href="/services/${service.name}?${service.description ? 'wsdl' : 'info'}">${service.name}</a></h3>` +
      operationList(service),
  );
  return page('Axis2: Services', `<h1>Deployed services</h1>${entries.join('')}`);
}

/** One service, at `?info`. */
export function infoPage(service: SampleService): string {
  return page(`Service ${service.name}`, `<h1>${service.name}</h1>${operationList(service)}`);
}

/** What went wrong, for a browser. */
export function errorPage(text: string): string {
  return page('Error', `<h1>Error</h1><p>${escapeText(text)}</p>`);
}

function operationList(service: SampleService): string {
  const names = [...service.operations.keys()].sort();
  return `<i>Available operations</i><ul>${names.map((name) => `<li>${name}</li>`).join('')}</ul>`;
}

function page(title: string, body: string): string {
  return `<!DOCTYPE html><html lang="en"><head><meta charset="UTF-8"><title>${title}</title></head><body>${body}</body></html>\n`;
}
