declare namespace m0 = "http://services.samples";
declare variable $payload as document-node() external;
declare variable $commission as document-node() external;
let $return := $payload//*:return
let $symbol := string($return/*:symbol)
return
<m0:getQuoteResponse>
  <m0:return>
    <m0:symbol>{$symbol}</m0:symbol>
    <m0:last>{number($return/*:last) + number($commission//stock[@name = $symbol])}</m0:last>
  </m0:return>
</m0:getQuoteResponse>
