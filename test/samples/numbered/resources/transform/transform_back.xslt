<?xml version="1.0" encoding="UTF-8"?>
<!-- getQuoteResponse becomes CheckPriceResponse, whichever namespace the fields are in. -->
<xsl:stylesheet version="2.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:m0="http://services.samples"
                exclude-result-prefixes="m0">
  <xsl:output method="xml" omit-xml-declaration="yes"/>
  <xsl:template match="/">
    <xsl:apply-templates select="//m0:return"/>
  </xsl:template>
  <xsl:template match="m0:return">
    <m:CheckPriceResponse xmlns:m="http://services.samples/xsd">
      <m:Code><xsl:value-of select="*[local-name() = 'symbol']"/></m:Code>
      <m:Price><xsl:value-of select="*[local-name() = 'last']"/></m:Price>
    </m:CheckPriceResponse>
  </xsl:template>
</xsl:stylesheet>
