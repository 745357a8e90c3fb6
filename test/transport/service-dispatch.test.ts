import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { routeService } from '../../src/transport/service-dispatch.ts';

const KNOWN = new Set(['P', 'a', 'a/b', 'my.proxy', 'Üö', 'deep/1/2/3']);
const route = (target: string) => routeService(target, (name) => KNOWN.has(name));

describe('routeService', () => {
  it.each([
    ['/services/P', 'P', '', undefined],
    ['/services/P/', 'P', '/', undefined],
    ['/services/P?x=1', 'P', '?x=1', undefined],
    ['/services/P/a/b?x=1', 'P', '/a/b?x=1', 'a'],
    ['/services/P/a%20b?x=/y', 'P', '/a%20b?x=/y', 'a b'],
    ['/services/P.SOAP11Endpoint/op', 'P', '/op', 'op'],
    ['/services/P.PHttpSoap12Endpoint', 'P', '', undefined],
    ['/services/my.proxy', 'my.proxy', '', undefined],
    ['/services/my.proxy.Soap11/x', 'my.proxy', '/x', 'x'],
    ['/services/a/b/c', 'a/b', '/c', 'c'],
    ['/services/a/c', 'a', '/c', 'c'],
    ['/services/a%2Fb', 'a/b', '', undefined],
    ['/services/%C3%9C%C3%B6', 'Üö', '', undefined],
    ['/services/deep/1/2/3.Endpoint?wsdl', 'deep/1/2/3', '?wsdl', undefined],
  ])('%s', (target, serviceName, postfix, operation) => {
    expect(route(target)).toEqual({ serviceName, postfix, operation });
  });

  it.each([
    ['/services/unknown/x?y=1', 'services/unknown/x?y=1'],
    ['/services/p', 'services/p'],
    ['/services', 'services'],
    ['/services/', 'services/'],
    ['/services/.P', 'services/.P'],
    ['/services/%zz', 'services/%zz'],
    ['/servicesX/P', 'servicesX/P'],
    ['/api/orders/1', 'api/orders/1'],
    ['*', '*'],
  ])('%s names no service', (target, postfix) => {
    expect(route(target)).toEqual({ serviceName: undefined, postfix, operation: undefined });
  });

  it('obeys another service path', () => {
    expect(routeService('/soap/v1/P/x', (name) => name === 'P', 'soap/v1').postfix).toBe('/x');
  });

  it('gives every known name its own requests, whatever follows', () => {
    const names = fc.constantFrom(...KNOWN);
    const rest = fc.constantFrom('', '?q', '/zz', '/zz/yy?q=1', '.End', '.End/zz');
    fc.assert(
      fc.property(names, rest, (name, suffix) => {
        const path = name.split('/').map(encodeURIComponent).join('/');
        expect(route(`/services/${path}${suffix}`)).toMatchObject({
          serviceName: name,
          postfix: suffix.replace('.End', ''),
        });
      }),
    );
  });

  it('stays cheap for absurd paths', () => {
    let asked = 0;
    routeService(`/services${'/x.y'.repeat(3000)}`, () => {
      asked += 1;
      return false;
    });
    expect(asked).toBeLessThan(64);
  });
});
