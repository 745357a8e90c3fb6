/*
 * The two dialects: where Apache Synapse 3 and WSO2's fork of it behave differently with the same artifact (spec proxies 12, stores and
 * mediators where marked). An artifact that only one of them accepts is accepted in both profiles; so what Apache lacks (`call`,
 * `propertyGroup`, further scopes, the resolver forms of placeholders) is no difference here.
 */

declare module '../message/configuration.ts' {
  interface Services {
    /** Absent: that of `wso2`. */
    compat?: ProfileDifferences;
  }
}

export const COMPAT_PROFILES = ['wso2', 'apache'] as const;
export type CompatProfile = (typeof COMPAT_PROFILES)[number];

/** What differs, as values. */
export interface ProfileDifferences {
  readonly name: CompatProfile;
  /** ms after which a send without a timeout of its own expires, unless the configuration says otherwise. */
  readonly globalTimeoutMs: number;
  /** ms of an endpoint that has a `responseAction` and no `duration`; undefined: the global timeout. */
  readonly timeoutOfActionMs: number | undefined;
  /** Does a fault in a proxy without a fault sequence run the sequence `fault`? */
  readonly proxiesUseFault: boolean;
  /** Do lines of `log` begin with the name of the proxy or API? */
  readonly logPrefix: boolean;
  /** Are `\n` and `\t` in the separator of `log` read as line break and tab? */
  readonly logSeparatorEscapes: boolean;
  /** Do lines about an endpoint's state tell its address? */
  readonly endpointLogsTellAddress: boolean;
  /** Are endpoints without a name given one (`endpoint_<uuid>`)? Else they are all `AnonymousEndpoint`. */
  readonly namesEndpoints: boolean;
  /** The sequence `main` where no artifact defines it. */
  readonly mainSequence: string;
}

const HOUR_MS = 3_600_000;

export const PROFILES: Readonly<Record<CompatProfile, ProfileDifferences>> = {
  wso2: {
    name: 'wso2',
    globalTimeoutMs: 120_000,
    timeoutOfActionMs: undefined,
    proxiesUseFault: true,
    logPrefix: true,
    logSeparatorEscapes: true,
    endpointLogsTellAddress: true,
    namesEndpoints: false,
    // Whatever no proxy takes is answered 404.
    mainSequence: `<sequence xmlns="http://ws.apache.org/ns/synapse" name="main">
     <log level="custom">
       <property name="main sequence executed for call to non-existent" expression="get-property('To')"/>
     </log>
     <property name="NO_ENTITY_BODY" value="true" type="BOOLEAN" scope="axis2"/>
     <property name="HTTP_SC" value="404" scope="axis2"/>
     <respond/>
   </sequence>`,
  },
  apache: {
    name: 'apache',
    globalTimeoutMs: 24 * HOUR_MS,
    timeoutOfActionMs: 30_000,
    proxiesUseFault: false,
    logPrefix: false,
    logSeparatorEscapes: false,
    endpointLogsTellAddress: false,
    namesEndpoints: true,
    mainSequence: `<sequence xmlns="http://ws.apache.org/ns/synapse" name="main">
     <in>
       <log level="full"/>
       <filter source="get-property('To')" regex="http://localhost:9000.*"><send/></filter>
     </in>
     <out><send/></out>
   </sequence>`,
  },
};
