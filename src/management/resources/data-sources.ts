import { maskSecrets } from '../../logging/secrets.ts';
import type { DataSource } from '../../stores/component.ts';
import { listing, listOf, SEARCH_KEY } from '../list.ts';
import { notFound } from '../management-error.ts';
import { resource } from '../resource.ts';
import { object, TEXT } from '../schemas.ts';

const ROW = object({ name: TEXT, type: TEXT }, { url: TEXT, driverClass: TEXT, userName: TEXT, configuration: TEXT });

/** `GET /management/data-sources` (spec proxies 8.2): the `[[datasource]]`s of the configuration; passwords are not shown. */
export const readDataSources = resource({
  method: 'GET',
  path: '/management/data-sources',
  role: 'viewer',
  summary: 'Databases of the configuration, or one of them in detail',
  tag: 'data-sources',
  query: { name: { type: 'string' }, searchKey: SEARCH_KEY },
  answers: { 200: { anyOf: [listOf(ROW), ROW] }, 404: { type: 'object' } },
  answer({ query: { name, searchKey } }, { options: { dataSources } }) {
    if (name === undefined) {
      const wanted = searchKey?.trim().toLowerCase() ?? '';
      const names = [...dataSources.keys()].filter((key) => key.toLowerCase().includes(wanted)).sort();
      return { status: 200, body: listing(names.map((key) => ({ name: key, type: 'RDBMS' }))) };
    }
    const source = dataSources.get(name);
    if (!source) throw notFound(`Specified data source ('${name}') not found`, name, dataSources.keys());
    return { status: 200, body: { name, type: 'RDBMS', ...detailed(source) } };
  },
});

function detailed({ url, username, driver }: DataSource) {
  return {
    url: maskSecrets(url),
    ...(driver !== undefined && { driverClass: driver }),
    ...(username !== undefined && { userName: username }),
  };
}

/** `GET /management/data-services`: there are none here. */
export const readDataServices = resource({
  method: 'GET',
  path: '/management/data-services',
  role: 'viewer',
  summary: 'Data services; not supported, so always empty',
  tag: 'data-services',
  query: { dataServiceName: { type: 'string' }, searchKey: SEARCH_KEY },
  answers: { 200: listOf({ type: 'object' }), 404: { type: 'object' } },
  answer({ query: { dataServiceName } }) {
    if (dataServiceName !== undefined)
      throw notFound(`Specified data service ('${dataServiceName}') not found`, dataServiceName, []);
    return { status: 200, body: listing([]) };
  },
});
