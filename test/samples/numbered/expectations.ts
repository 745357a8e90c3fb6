import { corpusText, type RunningSample, runSample, type SampleSetup } from './running-sample.ts';

/** What the client prints of a quote, in its modes. */
export const STANDARD = /^Standard :: Stock price = \$\d+\.\d+$/;
export const CUSTOM = /^Custom :: Stock price = \$\d+\.\d+$/;

/** What the back end prints of a quote. */
export function quoteLine(symbol = 'IBM', service = 'samples.services.SimpleStockQuoteService'): string {
  return `${service} :: Generating quote for : ${symbol}`;
}

/** A request for a quote, without an envelope. */
export function getQuote(symbol: string): string {
  return `<m0:getQuote xmlns:m0="http://services.samples"><m0:request><m0:symbol>${symbol}</m0:symbol></m0:request></m0:getQuote>`;
}

/** Starts samples that are stopped after the test, with the back end that their files were written against (stockquote-samples 0). */
export function starter(onCleanUp: (what: string, action: () => unknown) => void) {
  return async (files: string | readonly string[], setup: Partial<SampleSetup> = {}): Promise<RunningSample> => {
    const running = await runSample(files, { flavour: flavourOf([files].flat()), ...setup });
    onCleanUp('the sample', () => running.stop());
    return running;
  };
}

function flavourOf(files: readonly string[]): SampleSetup['flavour'] {
  return files.some((file) => /samples\/service-bus|wso2|\/xsd/.test(corpusText(file))) ? 'wso2' : 'apache';
}
