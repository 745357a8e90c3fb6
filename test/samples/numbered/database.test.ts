import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { afterTheTest } from '../../support/clean-up.ts';
import { described } from './described-sample.ts';
import { STANDARD } from './expectations.ts';
import { corpusText, definitions, type RunningSample, runArtifacts, sample } from './running-sample.ts';

/*
 * Samples 360 to 363: a database. The Derby server that they name is exchanged for a file of SQLite, in the same way as the ports of back
 * ends are. 364 needs stored procedures: test/flows/numbered-database.test.ts.
 */

const onCleanUp = afterTheTest();

interface WithDatabase {
  readonly running: RunningSample;
  priceOf(name: string): number;
}

interface Company extends Pick<WithDatabase, 'priceOf'> {
  readonly path: string;
}

/** The table that the samples ask for. */
function company(): Company {
  const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-company-'));
  onCleanUp('the folder', () => rmSync(folder, { recursive: true, force: true }));
  const database = new DatabaseSync(join(folder, 'company.db'));
  onCleanUp('the database', () => database.close());
  database.exec('create table company(name varchar(10), id varchar(10), price double)');
  database.exec("insert into company values ('IBM', 'c1', 0.0), ('SUN', 'c2', 0.0), ('MSFT', 'c3', 0.0)");
  const select = database.prepare('select price from company where name = ?');
  return {
    path: join(folder, 'company.db'),
    priceOf: (name) => Number((select.get(name) as { price: number }).price),
  };
}

async function started(file: string, flavour: 'apache' | 'wso2'): Promise<WithDatabase> {
  const { path, priceOf } = company();
  const xml = corpusText(file)
    .replaceAll('org.apache.derby.jdbc.ClientDriver', 'org.sqlite.JDBC')
    .replace(/jdbc:derby:[^<]*/g, `jdbc:sqlite:${path}`);
  const running = await runArtifacts({ sample: xml }, { flavour });
  onCleanUp('the sample', () => running.stop());
  return { running, priceOf };
}

for (const [file, flavour] of [
  ['360-b4d546', 'apache'],
  ['360-ca6196', 'wso2'],
] as const) {
  sample('360: dblookup', definitions(file), (definition) => {
    it.each([
      ['IBM', 'c1'],
      ['SUN', 'c2'],
      ['MSFT', 'c3'],
    ])('%s is company %s', async (symbol, id) => {
      const { running } = await started(definition, flavour);
      expect((await running.smart({ symbol })).lines).toEqual([expect.stringMatching(STANDARD)]);
      expect(running.logged(/^text = /)).toEqual([
        'text = ** Looking up from the Database **',
        `text = Company ID - ${id}`,
      ]);
    });

    it('an unknown company is a fault', async () => {
      const { running } = await started(definition, flavour);
      expect((await running.smart({ symbol: 'XYZ' })).failure).toBe(
        'org.apache.axis2.AxisFault: ** Unrecognized Company ID **',
      );
      expect(running.backEnd().lines).toEqual([]);
    });
  });
}

for (const [file, flavour] of [
  ['361-e8143e', 'apache'],
  ['361-5c4ebf', 'wso2'],
] as const) {
  sample('361: dbreport', definitions(file), (definition) => {
    it('the quoted price is in the database', async () => {
      const { running, priceOf } = await started(definition, flavour);
      const { lines } = await running.smart();
      expect(priceOf('IBM')).toBe(Number(lines[0]?.split('$')[1]));
      expect([priceOf('SUN'), priceOf('MSFT')]).toEqual([0, 0]);
    });
  });
}

for (const file of ['362-815e9a', '362-df9646'].map(definitions)) {
  sample('362: report, then look up', file, () => {
    it('the price that was reported is found', async () => {
      const { running, priceOf } = await started(file, 'wso2');
      const { lines } = await running.smart({ symbol: 'SUN' });
      const quoted = lines[0]?.split('$')[1];
      expect(priceOf('SUN')).toBe(Number(quoted));
      expect(running.logged(/^text = /).at(-1)).toBe(`text = Stock price - ${quoted}`);
    });
  });
}

const pool = (name: string) => `<connection><pool><dsName>${name}</dsName></pool></connection>`;
const stock = 'xmlns:m0="http://services.samples"';
const find = (source: string, expression: string, result: string) =>
  `<dblookup>${pool(source)}<statement><sql>select * from company where name =?</sql><parameter ${stock} expression="${expression}" type="VARCHAR"/>${result}</statement></dblookup>`;
const said = (what: string) => `<log level="custom"><property name="text" expression="${what}"/></log>`;
const SHARED = `<sequence name="main">
    <in>
      ${find('lookupdb', '//m0:getQuote/m0:request/m0:symbol', '<result name="company_id" column="id"/>')}
      ${said("fn:concat('Company ID - ',get-property('company_id'))")}
      <send><endpoint><address uri="http://localhost:9000/services/SimpleStockQuoteService"/></endpoint></send>
    </in>
    <out>
      <dbreport>${pool('reportdb')}<statement><sql>update company set price=? where name =?</sql>
        <parameter ${stock} expression="//m0:return/m0:last/child::text()" type="DOUBLE"/>
        <parameter ${stock} expression="//m0:return/m0:symbol/child::text()" type="VARCHAR"/></statement></dbreport>
      ${find('reportdb', '//m0:return/m0:symbol/child::text()', '<result name="stock_price" column="price"/>')}
      ${said("fn:concat('Stock price - ',get-property('stock_price'))")}
      <send/>
    </out>
  </sequence>`;

described('363: data sources that mediators share', SHARED, (xml) => {
  it('one is looked up in, the other reported to', async () => {
    const [lookup, report] = [company(), company()];
    const sources = Object.entries({ lookupdb: lookup, reportdb: report }).map(
      ([id, { path }]) =>
        `[[datasource]]\nid = "${id}"\nurl = ${JSON.stringify(`jdbc:sqlite:${path}`)}\nusername = ""\npassword = ""\n`,
    );
    const running = await runArtifacts({ sample: xml }, { flavour: 'apache', toml: sources.join('') });
    onCleanUp('the sample', () => running.stop());
    const { lines } = await running.smart();
    const quoted = lines[0]?.split('$')[1];
    expect(running.logged(/^text = \w/)).toEqual(['text = Company ID - c1', `text = Stock price - ${quoted}`]);
    expect([lookup.priceOf('IBM'), report.priceOf('IBM')]).toEqual([0, Number(quoted)]);
  });
});
