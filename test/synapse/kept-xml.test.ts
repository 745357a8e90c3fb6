import { queryObjects } from 'node:v8';
import { describe, expect, test } from 'vitest';
import { ConfigElement } from '../../src/grammar/element.ts';
import type { ArtifactFileReading } from '../../src/synapse/index.ts';
import { CORPUS, corpusFiles, readCorpusFile } from '../support/corpus-table.ts';
import { read } from './read.ts';

/** How many elements of configuration are there after a collection: one that is left keeps the whole file that it is in. */
function elements(): number {
  return queryObjects(ConfigElement, { format: 'count' });
}

/** The template of an endpoint is filled in for each endpoint that is made of it. */
function isEndpointTemplate({ artifacts }: ArtifactFileReading): boolean {
  return artifacts.some(({ kind, content }) => kind === 'template' && 'endpointWith' in content);
}

describe('what an artifact is read from is not kept with it', () => {
  test('a proxy', () => {
    const reading = read(`<proxy xmlns="http://ws.apache.org/ns/synapse" name="P">
      <target>
        <inSequence>
          <log level="custom"><property name="symbol" expression="//symbol"/></log>
          <filter xpath="//quantity &gt; 1000"><then><property name="large" value="true"/></then></filter>
          <payloadFactory media-type="xml"><format><a>$1</a></format><args><arg expression="//b"/></args></payloadFactory>
          <makefault version="soap11">
            <code xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" value="s:Server"/>
            <reason expression="get-property('ERROR_MESSAGE')"/>
          </makefault>
          <respond/>
        </inSequence>
      </target>
    </proxy>`);
    expect(reading.diagnostics).toEqual([]);
    expect(reading.artifacts).toHaveLength(1);
    expect(elements()).toBe(0);
    // It is still here, and can be asked.
    expect(reading.outdated()).toBe(false);
  });

  test.skipIf(CORPUS === undefined)('all artifacts of the corpus', () => {
    const corpus = CORPUS as string;
    const kept = corpusFiles(corpus)
      .map((file) => readCorpusFile(corpus, file))
      .filter((reading) => !isEndpointTemplate(reading));
    expect(elements()).toBe(0);
    expect(kept.length).toBeGreaterThan(2_000);
  });
});
