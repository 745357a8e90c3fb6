import { expect, it } from 'vitest';
import { readArtifactFile } from '../../src/synapse/index.ts';
import { type ArtifactLookup, ENVIRONMENT_ONLY } from '../../src/synapse/lookup.ts';

const SECRET = 'hun"ter2';
const LOOKUP: ArtifactLookup = {
  ...ENVIRONMENT_ONLY,
  environment: (name) => (name === 'DB_PASSWORD' ? SECRET : 'dev'),
  secret: () => SECRET,
};

function problemsWith(value: string) {
  const parameter = (name: string) => `<parameter name="${name}">${value}</parameter>`;
  const text =
    '<messageStore xmlns="http://ws.apache.org/ns/synapse" name="S" class="org.apache.synapse.message.store.impl.jms.JmsStore">' +
    `${['java.naming.provider.url', 'java.naming.factory.initial', 'store.jms.cache.connection'].map(parameter).join('')}</messageStore>`;
  return readArtifactFile({ file: 's.xml', text }, LOOKUP).diagnostics;
}

it.each([[`{wso2:vault-lookup('db')}`], [`tcp:{wso2:vault-lookup('db')}`], ['$SYSTEM:DB_PASSWORD']])(
  'no problem shows a secret that was looked up where something else belongs: %s (REQ-20)',
  (value) => {
    const problems = problemsWith(value);
    expect(problems.length).toBeGreaterThan(1);
    expect(problems.map(({ message }) => message).join('\n')).toContain('*****');
    expect(JSON.stringify(problems)).not.toContain('ter2');
  },
);

it('a problem shows the value of a variable that is called like no secret', () => {
  expect(JSON.stringify(problemsWith('$SYSTEM:STAGE'))).toContain("'dev'");
});
